using System.IO.Compression;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Tollgate.Gateway.Engines.Full;
using Tollgate.Gateway.Listening;
using Tollgate.Gateway.Policy.Edge;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.UnitTests.Gateway;

public sealed class EdgeRuleTests
{
    [Theory]
    [InlineData("https://app.example.com", true)]
    [InlineData("HTTPS://APP.EXAMPLE.COM", true)]
    [InlineData("https://app.example.com:8443", false)]
    [InlineData("http://app.example.com", false)]
    [InlineData("https://a.b.example.org", true)]
    [InlineData("https://example.org", false)]
    [InlineData("https://.example.org", false)]
    [InlineData("https://evil-example.org", false)]
    [InlineData("https://a.example.org.evil.com", false)]
    [InlineData("null", false)]
    public void An_origin_is_allowed_as_it_is_written(string origin, bool allowed) =>
        new CorsRule(["https://app.example.com", "https://*.example.org"], [], [], [], true, 0).AllowsOrigin(origin).ShouldBe(allowed);

    [Theory]
    [InlineData("br, gzip", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip;q=0.8, br;q=0.3", "gzip")]
    [InlineData("*;q=0.5, br;q=0", "gzip")]
    [InlineData("br;q=x", null)]
    [InlineData("", null)]
    [InlineData("brotli", null)]
    public void The_coding_that_a_caller_likes_best_is_chosen(string accept, string? coding) =>
        new CompressionRule(CompressionRule.DefaultTypes, ["br", "gzip"], 0, CompressionLevel.Fastest).Choose(accept).ShouldBe(coding);

    [Theory]
    [InlineData("text/html; charset=utf-8", true)]
    [InlineData("application/problem+json", true)]
    [InlineData("text/event-stream", false)]
    [InlineData("application/grpc+proto", false)]
    [InlineData("image/png", false)]
    [InlineData(null, false)]
    public void Only_types_that_are_worth_it_are_compressed(string? type, bool taken) =>
        new CompressionRule(CompressionRule.DefaultTypes, ["br"], 0, CompressionLevel.Fastest).Takes(type).ShouldBe(taken);

    [Theory]
    [InlineData("", "", "10.0.0.1")]
    [InlineData("203.0.113.9", "", "203.0.113.9")]
    [InlineData("203.0.113.9, 10.0.0.2", "", "203.0.113.9")]
    [InlineData("198.51.100.1, 203.0.113.9, 10.0.0.2, 10.0.0.3", "", "203.0.113.9")]
    [InlineData("10.0.0.4, 10.0.0.3", "", "10.0.0.4")]
    [InlineData("203.0.113.9:4711", "", "203.0.113.9")]
    [InlineData("[2001:db8::1]:80", "", "2001:db8::1")]
    [InlineData("::ffff:203.0.113.9", "", "203.0.113.9")]
    [InlineData("203.0.113.9, unknown", "", "10.0.0.1")]
    [InlineData("203.0.113.9, , 10.0.0.2", "", "10.0.0.2")]
    [InlineData("", "for=203.0.113.9;proto=https", "203.0.113.9")]
    [InlineData("", "for=198.51.100.1, for=\"203.0.113.9:1\", for=10.0.0.2", "203.0.113.9")]
    [InlineData("", "for=_hidden", "10.0.0.1")]
    public void The_caller_is_the_nearest_address_that_is_no_trusted_proxy(string forwardedFor, string forwarded, string caller)
    {
        AddressRange.TryParse("10.0.0.0/8", out var trusted).ShouldBeTrue();
        var connection = CallerConnection.Of(IPAddress.Parse("10.0.0.1"), false, new ListenerOptions { TrustedProxies = new AddressSet([trusted]) });
        var headers = new HeaderDictionary();
        if (forwardedFor.Length > 0) headers["X-Forwarded-For"] = forwardedFor;
        if (forwarded.Length > 0) headers["Forwarded"] = forwarded;

        CallerTrail.Of(connection, "h", headers).AddressText.ShouldBe(caller);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1, "1.1 tollgate")]
    [InlineData(2, "1.1 tollgate, 1.1 edge, 2 tollgate")]
    [InlineData(1, "1.1 edge", "1.0 Tollgate")]
    [InlineData(0, "1.1 nottollgate, 1.1 tollgate-2")]
    public void Hops_are_counted_by_name(int hops, params string[] via) => ViaHeader.Hops(new StringValues(via)).ShouldBe(hops);

    [Theory]
    [InlineData("close", "close")]
    [InlineData("keep-alive, Upgrade", "keep-alive, Upgrade")]
    [InlineData("TE, close", "TE, close")]
    [InlineData("X-Own", "X-Own, close, keep-alive")]
    [InlineData("close, X-Own", "close, X-Own, close, keep-alive")]
    public void Names_in_a_connection_header_survive_the_server(string sent, string read) =>
        ConnectionHeaderEncoding.Instance.GetString(Encoding.ASCII.GetBytes(sent)).ShouldBe(read);

    [Theory]
    [InlineData("*.example.com", "a.example.com", true)]
    [InlineData("*.example.com", "a.b.example.com", false)]
    [InlineData("*.example.com", "example.com", false)]
    [InlineData("one.test", "ONE.test", true)]
    [InlineData("one.test", null, false)]
    public void A_certificate_is_for_the_names_that_it_holds(string pattern, string? host, bool matches) => HostPattern.Matches(pattern, host).ShouldBe(matches);
}
