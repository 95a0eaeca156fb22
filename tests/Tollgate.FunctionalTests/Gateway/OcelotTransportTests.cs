using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>How calls are sent, as an <c>ocelot.json</c> says it: <c>HttpHandlerOptions</c>, HTTP versions, certificates, request ids.</summary>
public sealed class OcelotTransportTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly int _tlsPort = FreePort.Next();
    private readonly int _h2cPort = FreePort.Next();
    private int _running;
    private int _most;
    private StubUpstream _upstream = null!;
    private WebApplication _others = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(AnswerAsync);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.ListenLocalhost(_tlsPort, listen => listen.UseHttps(SelfSigned()));
            kestrel.ListenLocalhost(_h2cPort, listen => listen.Protocols = HttpProtocols.Http2);
        });
        _others = builder.Build();
        _others.UseWebSockets();
        _others.Run(GreetAsync);
        await _others.StartAsync();

        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{string.Join(",\n",
                Route("/follow", "/redirect", "\"HttpHandlerOptions\": { \"AllowAutoRedirect\": true }"),
                Route("/redirect", "/redirect"),
                Route("/jar/{rest}", "/cookie", "\"HttpHandlerOptions\": { \"UseCookieContainer\": true }"),
                Route("/nojar", "/cookie"),
                Route("/one", "/busy", "\"HttpHandlerOptions\": { \"MaxConnectionsPerServer\": 1, \"PooledConnectionLifetimeSeconds\": 30, \"UseProxy\": false }"),
                Route("/traced", "/headers", "\"HttpHandlerOptions\": { \"UseTracing\": true }"),
                Route("/shared", "/redirect", "\"Key\": \"shared\""),
                Route("/own", "/redirect", "\"Key\": \"own\", \"HttpHandlerOptions\": { \"AllowAutoRedirect\": false }"),
                Route("/id", "/headers", "\"RequestIdKey\": \"X-Correlation\""),
                Route("/v10", "/protocol", "\"DownstreamHttpVersion\": \"1.0\""),
                Route("/v11", "/protocol", "\"DownstreamHttpVersion\": \"1.1\""),
                Elsewhere("/v2", "http", _h2cPort, "\"DownstreamHttpVersion\": \"2.0\", \"DownstreamHttpVersionPolicy\": \"RequestVersionExact\""),
                Elsewhere("/tls", "https", _tlsPort, ""),
                Elsewhere("/wss", "wss", _tlsPort, "\"DangerousAcceptAnyServerCertificateValidator\": true"),
                Elsewhere("/strictwss", "wss", _tlsPort, ""),
                Elsewhere("/higher", "https", _tlsPort, "\"DangerousAcceptAnyServerCertificateValidator\": true, \"DownstreamHttpVersion\": \"1.1\", \"DownstreamHttpVersionPolicy\": \"RequestVersionOrHigher\""),
                Elsewhere("/exact", "https", _tlsPort, "\"DangerousAcceptAnyServerCertificateValidator\": true, \"DownstreamHttpVersion\": \"1.1\", \"DownstreamHttpVersionPolicy\": \"RequestVersionExact\""),
                Route("/young", "/connection", "\"HttpHandlerOptions\": { \"PooledConnectionLifetimeSeconds\": 1 }"),
                Route("/lasting", "/connection"),
                Elsewhere("/anytls", "https", _tlsPort, "\"DangerousAcceptAnyServerCertificateValidator\": true"),
                Elsewhere("/anytls2", "https", _tlsPort, "\"DangerousAcceptAnyServerCertificateValidator\": true, \"DownstreamHttpVersion\": \"2\""))}} ],
              "GlobalConfiguration": { "HttpHandlerOptions": { "AllowAutoRedirect": true, "RouteKeys": [ "shared", "own" ] } } }
            """));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        await _others.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Redirects_are_followed_where_the_file_says_so()
    {
        (await TextAsync("/follow")).ShouldBe("arrived");
        (await _gateway.GetAsync("/redirect")).StatusCode.ShouldBe(HttpStatusCode.Found);
        (await TextAsync("/shared")).ShouldBe("arrived");
        (await _gateway.GetAsync("/own")).StatusCode.ShouldBe(HttpStatusCode.Found);
    }

    [Fact]
    public async Task The_services_cookies_are_kept_for_a_route_where_the_file_says_so()
    {
        (await TextAsync("/jar/a")).ShouldBe("no cookie");
        (await TextAsync("/jar/b")).ShouldBe("session=1");
        (await TextAsync("/nojar")).ShouldBe("no cookie");
        (await TextAsync("/nojar")).ShouldBe("no cookie");
    }

    [Fact]
    public async Task Connections_to_a_host_are_as_many_as_the_file_allows()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => TextAsync("/one")));
        _most.ShouldBe(1);
    }

    [Fact]
    public async Task A_traced_call_belongs_to_a_trace()
    {
        (await TextAsync("/traced")).ShouldContain("traceparent=00-");
        var own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        (await (await _gateway.GetAsync("/traced", ("traceparent", own))).Content.ReadAsStringAsync()).ShouldContain($"traceparent={own}");
        (await TextAsync("/id")).ShouldNotContain("traceparent");
    }

    [Fact]
    public async Task The_request_id_of_the_callers_header_is_the_calls_own()
    {
        var named = await _gateway.GetAsync("/id", ("X-Correlation", "order-7"));
        (await named.Content.ReadAsStringAsync()).ShouldContain("x-correlation=order-7");
        named.Headers.GetValues("X-Request-Id").Single().ShouldBe("order-7");
        named.Headers.Contains("X-Correlation").ShouldBeFalse();

        var unnamed = await _gateway.GetAsync("/id");
        (await unnamed.Content.ReadAsStringAsync()).ShouldContain($"x-correlation={unnamed.Headers.GetValues("X-Request-Id").Single()}");
    }

    [Theory]
    [InlineData("/v10", "HTTP/1.0")]
    [InlineData("/v11", "HTTP/1.1")]
    [InlineData("/v2", "HTTP/2")]
    [InlineData("/anytls", "HTTP/1.1")]
    [InlineData("/anytls2", "HTTP/2")]
    [InlineData("/higher", "HTTP/2")]
    [InlineData("/exact", "HTTP/1.1")]
    public async Task The_service_is_spoken_to_in_the_version_of_the_file(string target, string version) => (await TextAsync(target)).ShouldBe(version);

    [Fact]
    public async Task A_certificate_that_nobody_trusts_is_refused() => await (await _gateway.GetAsync("/tls")).ShouldBeProblemAsync(502, "upstream-unreachable");

    [Fact]
    public async Task A_connection_is_used_again_until_it_is_as_old_as_the_file_allows()
    {
        var young = await TextAsync("/young");
        var lasting = await TextAsync("/lasting");
        (await TextAsync("/lasting")).ShouldBe(lasting);

        await Deadline.UntilAsync("another connection is made", async () => await TextAsync("/young") != young);

        (await TextAsync("/lasting")).ShouldBe(lasting);
    }

    [Fact]
    public async Task The_proxy_of_the_environment_is_used_where_the_file_says_so_and_no_port_is_the_schemes_own()
    {
        using var folder = new TempFolder();
        await using var proxy = await StubUpstream.StartAsync(http => http.Response.WriteAsync($"{http.Features.Get<IHttpRequestFeature>()!.RawTarget} for {http.Request.Host}"));
        var config = folder.Write("ocelot.json", $$"""
            { "Routes": [
                { "UpstreamPathTemplate": "/far/{rest}", "DownstreamPathTemplate": "/{rest}", "DownstreamScheme": "http", "DownstreamHostAndPorts": [ { "Host": "service.example" } ], "HttpHandlerOptions": { "UseProxy": true } },
                { "UpstreamPathTemplate": "/zero", "DownstreamPathTemplate": "/z", "DownstreamScheme": "http", "DownstreamHostAndPorts": [ { "Host": "service.example", "Port": 0 } ], "HttpHandlerOptions": { "UseProxy": true } },
                { "UpstreamPathTemplate": "/other", "DownstreamPathTemplate": "/o", "DownstreamScheme": "http", "DownstreamHostAndPorts": [ { "Host": "service.example", "Port": 8088 } ], "HttpHandlerOptions": { "UseProxy": true } },
                {{Routes.Route("/near", "/headers", _upstream.Port)}} ] }
            """);
        await using var gateway = await GatewayProcess.StartWithAsync(new Dictionary<string, string?> { ["http_proxy"] = proxy.Url, ["no_proxy"] = null }, config);

        // The proxy sees the whole address: port 80 is not written in it.
        foreach (var (target, seen) in new[] { ("/far/a?b=c", "http://service.example/a?b=c for service.example"), ("/zero", "http://service.example/z for service.example"), ("/other", "http://service.example:8088/o for service.example:8088") })
            (await (await gateway.GetAsync(target)).Content.ReadAsStringAsync()).ShouldBe(seen);
        (await gateway.GetAsync("/near")).StatusCode.ShouldBe(HttpStatusCode.OK);
        proxy.Seen.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Without_a_scheme_calls_go_on_by_their_own()
    {
        using var folder = new TempFolder();
        using var authority = new TestAuthority("Tests");
        using var certificate = authority.ForHost("localhost");
        File.WriteAllText(folder.File("one.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(folder.File("one.key"), certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        var config = folder.Write("ocelot.json", $$"""
            { "Routes": [ { "UpstreamPathTemplate": "/plain", "DownstreamPathTemplate": "/protocol", "DownstreamHostAndPorts": [ { "Host": "127.0.0.1", "Port": {{_upstream.Port}} } ] },
                { "UpstreamPathTemplate": "/safe", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "localhost", "Port": {{_tlsPort}} } ], "DangerousAcceptAnyServerCertificateValidator": true } ] }
            """);
        await using var gateway = await GatewayProcess.StartAsync(config, "--urls", "http://127.0.0.1:0;https://127.0.0.1:0", "--Gateway:Certificates:0:Path", folder.File("one.pem"), "--Gateway:Certificates:0:Key", folder.File("one.key"));
        var https = new Uri((await gateway.WaitForLineAsync(line => line.StartsWith("Listening on https://", StringComparison.Ordinal)))["Listening on ".Length..]);
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } });

        (await (await gateway.GetAsync("/plain")).Content.ReadAsStringAsync()).ShouldBe("HTTP/1.1");
        (await gateway.GetAsync("/safe")).StatusCode.ShouldBe(HttpStatusCode.BadGateway, "the service speaks https alone");
        (await client.GetStringAsync(new Uri(https, "/safe"))).ShouldBe("HTTP/1.1");
        (await client.GetAsync(new Uri(https, "/plain"))).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
    }

    [Fact]
    public async Task A_WebSocket_goes_on_over_TLS_where_the_scheme_says_so()
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_gateway.Address.Authority}/wss"), default);
        var buffer = new byte[100];
        var greeting = await socket.ReceiveAsync(buffer, default);
        Encoding.ASCII.GetString(buffer, 0, greeting.Count).ShouldBe("over https");

        using var refused = new ClientWebSocket();
        refused.Options.CollectHttpResponseDetails = true;
        await Should.ThrowAsync<WebSocketException>(() => refused.ConnectAsync(new Uri($"ws://{_gateway.Address.Authority}/strictwss"), default));
        refused.HttpStatusCode.ShouldBe(HttpStatusCode.BadGateway);
    }

    private static async Task GreetAsync(HttpContext http)
    {
        if (!http.WebSockets.IsWebSocketRequest)
        {
            await http.Response.WriteAsync(http.Request.Protocol);
            return;
        }

        using var socket = await http.WebSockets.AcceptWebSocketAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes($"over {http.Request.Scheme}"), WebSocketMessageType.Text, true, default);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", default);
    }

    private string Route(string upstream, string downstream, string more = "") => Routes.Route(upstream, downstream, _upstream.Port, more);

    private static string Elsewhere(string upstream, string scheme, int port, string more) => $$"""
        { "UpstreamPathTemplate": "{{upstream}}", "DownstreamPathTemplate": "/", "DownstreamScheme": "{{scheme}}",
          "DownstreamHostAndPorts": [ { "Host": "localhost", "Port": {{port}} } ]{{(more.Length > 0 ? ", " + more : "")}} }
        """;

    private async Task<string> TextAsync(string target)
    {
        var answer = await _gateway.GetAsync(target);
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return text;
    }

    private async Task AnswerAsync(HttpContext http)
    {
        switch (http.Request.Path.Value)
        {
            case "/redirect": http.Response.Redirect("/arrived"); break;
            case "/arrived": await http.Response.WriteAsync("arrived"); break;
            case "/connection": await http.Response.WriteAsync(http.Connection.Id); break;
            case "/protocol": await http.Response.WriteAsync(http.Request.Protocol); break;
            case "/headers": await http.Response.WriteAsync(string.Join('\n', http.Request.Headers.Select(header => $"{header.Key.ToLowerInvariant()}={header.Value}"))); break;
            case "/cookie":
                if (!http.Request.Headers.ContainsKey("Cookie")) http.Response.Headers.SetCookie = "session=1";
                await http.Response.WriteAsync(http.Request.Headers.TryGetValue("Cookie", out var cookie) ? cookie.ToString() : "no cookie");
                break;
            case "/busy":
                var running = Interlocked.Increment(ref _running);
                InterlockedMax(ref _most, running);
                await Task.Delay(20);
                Interlocked.Decrement(ref _running);
                await http.Response.WriteAsync("done");
                break;
        }
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = most; value > seen; seen = most)
            if (Interlocked.CompareExchange(ref most, value, seen) == seen)
                return;
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
