using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Which route takes a call and what the service then gets: every rule of Ocelot's templates, against the running gateway.</summary>
public sealed class OcelotRoutingTests : IClassFixture<OcelotRoutingTests.Site>
{
    private readonly Site _site;

    public OcelotRoutingTests(Site site) => _site = site;

    // What the service gets; null = 404.
    [Theory]
    [InlineData("/a/1/items", "/one/1")]                        // a placeholder before a slash is one segment
    [InlineData("/a/items", null)]
    [InlineData("/a//items", null)]
    [InlineData("/a/1/2/items", null)]
    [InlineData("/t/a/b", "/all/a/b")]                          // the last takes everything, also nothing
    [InlineData("/t/a/b/", "/all/a/b/")]
    [InlineData("/t/", "/all/")]
    [InlineData("/t", "/all")]
    [InlineData("/t123", null)]
    [InlineData("/data/5/s/x/y", "/d/5/x/y")]                   // only the last of several spans segments
    [InlineData("/data/5/6/s/x", null)]
    [InlineData("/closed/5", "/c/5")]                           // a placeholder and a closing slash
    [InlineData("/closed/5/", "/c/5/")]
    [InlineData("/closed/5/6", null)]
    [InlineData("/items", "/items-without")]                    // a closing slash of the call
    [InlineData("/items/", null)]
    [InlineData("/slash", "/slashed")]
    [InlineData("/slash/", "/slashed/")]
    [InlineData("/inv_7/x-y_end/z", "/inv/7/x/y/z")]            // text around placeholders
    [InlineData("/inv_7/x-y/z", null)]
    [InlineData("/", "/root")]                                  // the root alone
    [InlineData("/two/A/b", "/two/b/A")]                        // names are case-sensitive: two placeholders
    [InlineData("/tenant/acme/rest/of", "/rest/of")]            // one that is not used is dropped
    [InlineData("/T/X", "/all/X")]                              // text ignores case, values keep theirs
    [InlineData("/Case/X", "/cased/X")]
    [InlineData("/case/X", null)]
    [InlineData("/t/%20/%C3%A9/%2F/%25/%3F/%23", "/all/%20/%C3%A9/%2F/%25/%3F/%23")]
    [InlineData("/t/x/../y", "/all/y")]
    [InlineData("/dots.txt", "/dots")]                          // text is literal
    [InlineData("/dotsXtxt", null)]
    [InlineData("/c++/(1)", "/literal")]
    [InlineData("/blank/a%20b", "/blank")]
    [InlineData("/unfilled/1", "/unfilled/1/%7Bother%7D")]      // what nobody fills is sent as it is
    [InlineData("/closing/5", "/closed/5")]
    [InlineData("/closing/5/", "/closed/5/")]                   // one slash, whoever wrote it
    [InlineData("/cut", "/cut")]                                // a slash that only the template has is cut
    [InlineData("/prio/x", "/high")]
    [InlineData("/prio/low/x", "/high")]
    [InlineData("/order/x", "/first")]
    public Task Templates_take_paths_and_fill_them(string target, string? sent) => SentAsync(target, sent);

    [Theory]
    [InlineData("/q?a=1&b=2&a=3", "/q?a=1&b=2&a=3")]            // through byte for byte
    [InlineData("/q?x=a+b&y=%2f", "/q?x=a+b&y=%2f")]
    [InlineData("/q", "/q")]
    [InlineData("/search?id=5", "/found/5")]                    // parameters of the template, in its order
    [InlineData("/search?id=5&more=1", "/found/5?more=1")]
    [InlineData("/search?more=1&id=5", null)]
    [InlineData("/search", null)]
    [InlineData("/pair?a=1&b=2", "/pair/1/2")]
    [InlineData("/pair?b=2&a=1", null)]
    [InlineData("/whole?a=1&b=2", "/whole?a=1&b=2")]            // the whole query, also none
    [InlineData("/whole", "/whole")]
    [InlineData("/whole?", "/whole")]
    [InlineData("/wholeslash/?a=1", "/wholeslash/?a=1")]
    [InlineData("/fixed?b=1", "/fixed?a=1&b=1")]
    [InlineData("/fixed", "/fixed?a=1")]
    [InlineData("/units/7?part=none&x=1", "/u/7?part=all&x=1")] // the template's win, and come first
    [InlineData("/units/7?tag=a&tag=b", "/u/7?part=all&tag=a&tag=b")]
    [InlineData("/named/3?id=9&x=1", "/n/3?x=1")]               // a parameter named like a placeholder goes
    [InlineData("/named/3?ID=9&x=1", "/n/3?x=1")]
    [InlineData("/renamed?userId=4", "/renamed?personId=4&userId=4")]
    [InlineData("/replaced?userId=4&x=1", "/replaced?personId=4&x=1")]
    [InlineData("/units/7?u=9&x=a+b", "/u/7?part=all&x=a+b")]    // values stay as they came
    [InlineData("/units/7?U=9", "/u/7?part=all&U=9")]           // with a query of its own, the template's names have a case
    [InlineData("/exact?Id=5", "/exactly/5")]
    [InlineData("/exact?id=5", null)]
    public Task Queries_are_matched_and_passed_on(string target, string? sent) => SentAsync(target, sent);

    [Theory]
    [InlineData("GET", "/methods", "/get")]
    [InlineData("POST", "/methods", "/post")]
    [InlineData("PUT", "/methods", null)]
    [InlineData("PATCH", "/q", "/q")]
    public Task Methods_choose_the_route_and_a_miss_is_404(string method, string target, string? sent) => SentAsync(target, sent, method);

    [Theory]
    [InlineData("shop.example", "/host/x", "/shop")]
    [InlineData("shop.example:8443", "/host/x", "/shop")]
    [InlineData("SHOP.example", "/host/x", "/shop")]
    [InlineData("www.shop.example", "/host/x", "/anyhost")]
    [InlineData("other.example", "/host/x", "/anyhost")]
    public Task Hosts_choose_the_route_before_any_priority(string host, string target, string sent) => SentAsync(target, sent, "GET", ("Host", host));

    [Fact]
    public async Task Headers_choose_the_route_and_fill_placeholders()
    {
        await SentAsync("/byheader", "/v2/acme", "GET", ("X-Version", "2"), ("X-Tenant", "t-acme"));
        await SentAsync("/byheader", "/v2/ACME", "GET", ("x-version", "2"), ("X-Tenant", "T-ACME"));
        await SentAsync("/byheader", null, "GET", ("X-Version", "2"));
        await SentAsync("/byheader", null, "GET", ("X-Version", "3"), ("X-Tenant", "t-acme"));
        await SentAsync("/byheader", null, "GET", ("X-Version", "2"), ("X-Version", "2"), ("X-Tenant", "t-acme"));
    }

    [Fact]
    public async Task A_bare_catch_all_has_priority_zero_whatever_is_written()
    {
        using var folder = new TempFolder();
        await using var upstream = await StubUpstream.StartAsync(http => http.Response.WriteAsync(http.Request.Path));
        await using var gateway = await GatewayProcess.StartAsync(folder.Write("ocelot.json", Routes.File(
            Routes.Route("/{everything}", "/bare/{everything}", upstream.Port, "\"Priority\": 9"), Routes.Route("/usual/{x}", "/usual", upstream.Port),
            Routes.Route("/low/{x}", "/low", upstream.Port, "\"Priority\": 0"), Routes.Route("/below/{x}", "/below", upstream.Port, "\"Priority\": -1"),
            Routes.Route("/goods/{all}", "/goods", upstream.Port, "\"Priority\": 0"), Routes.Route("/goods/delete", "/deleted", upstream.Port, "\"Priority\": 1"))));

        // At the same priority the order of the file counts, and above all a route with more.
        foreach (var (target, sent) in new[] { ("/usual/a", "/usual"), ("/low/a", "/bare/low/a"), ("/below/a", "/bare/below/a"), ("/x/y", "/bare/x/y"), ("/", "/bare/"), ("/goods/delete", "/deleted") })
            (await (await gateway.GetAsync(target)).Content.ReadAsStringAsync()).ShouldBe(sent, target);
    }

    private async Task SentAsync(string target, string? sent, string method = "GET", params (string, string)[] headers)
    {
        var answer = await _site.Gateway.SendAsync(new HttpMethod(method), target, headers);
        var text = await answer.Content.ReadAsStringAsync();
        if (sent is null) answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, text);
        else text.ShouldBe(sent);
    }

    /// <summary>One gateway for the whole table.</summary>
    public sealed class Site : IAsyncLifetime
    {
        private readonly TempFolder _folder = new();
        private StubUpstream _upstream = null!;

        internal GatewayProcess Gateway { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            _upstream = await StubUpstream.StartAsync(http => http.Response.WriteAsync(http.Features.Get<IHttpRequestFeature>()!.RawTarget));
            Gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", Routes.File(
                Route("/a/{v}/items", "/one/{v}"), Route("/t/{everything}", "/all/{everything}"), Route("/data/{v}/s/{rest}", "/d/{v}/{rest}"),
                Route("/closed/{id}/", "/c/{id}/"), Route("/items", "/items-without"), Route("/slash/", "/slashed/"),
                Route("/inv_{a}/{b}-{c}_end/{d}", "/inv/{a}/{b}/{c}/{d}"), Route("/", "/root"), Route("/two/{id}/{Id}", "/two/{Id}/{id}"),
                Route("/tenant/{tenant}/{rest}", "/{rest}"), Route("/Case/{x}", "/cased/{x}", "\"RouteIsCaseSensitive\": true"),
                Route("/dots.txt", "/dots"), Route("/c++/(1)", "/literal"), Route("/blank/a b", "/blank"), Route("/unfilled/{id}", "/unfilled/{id}/{other}"),
                Route("/cut", "/cut/"), Route("/closing/{id}", "/closed/{id}/"), Route("/fixed?{all}", "/fixed?a=1&{all}"), Route("/prio/low/{x}", "/low", "\"Priority\": 0"), Route("/prio/{x}", "/high", "\"Priority\": 2"),
                Route("/order/{x}", "/first"), Route("/order/{y}", "/second"),
                Route("/q", "/q"), Route("/search?id={id}", "/found/{id}"), Route("/pair?a={a}&b={b}", "/pair/{a}/{b}"), Route("/whole?{all}", "/whole?{all}"),
                Route("/wholeslash/?{all}", "/wholeslash/?{all}"), Route("/units/{u}", "/u/{u}?part=all"), Route("/named/{id}", "/n/{id}"), Route("/renamed?userId={uid}", "/renamed?personId={uid}"),
                Route("/replaced?userId={userId}", "/replaced?personId={userId}"), Route("/exact?Id={Id}", "/exactly/{Id}", "\"RouteIsCaseSensitive\": true"),
                Route("/methods", "/get", "\"UpstreamHttpMethod\": [ \"Get\" ]"), Route("/methods", "/post", "\"UpstreamHttpMethod\": [ \"post\" ]"),
                Route("/host/{x}", "/anyhost", "\"Priority\": 9"), Route("/host/{x}", "/shop", "\"UpstreamHost\": \"shop.example\", \"Priority\": 0"),
                Route("/byheader", "/v2/{tenant}", "\"UpstreamHeaderTemplates\": { \"X-Version\": \"2\", \"X-Tenant\": \"t-{header:tenant}\" }"))));
        }

        public async Task DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await _upstream.DisposeAsync();
            _folder.Dispose();
        }

        private string Route(string upstream, string downstream, string more = "") => Routes.Route(upstream, downstream, _upstream.Port, more);
    }
}
