using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>What flows through: bodies as they come, trailers, 100-continue, HTTP/2 and gRPC from end to end, TLS to services.</summary>
public sealed class TransportTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestAuthority _authority = new("Tollgate tests");

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_body_reaches_the_service_while_it_is_still_being_sent()
    {
        await using var upstream = RawUpstream.Start();
        await using var gateway = await StartAsync(Routes.Route("/t", "/t", upstream.Port));
        using var raw = await RawClient.ConnectAsync(gateway.Address);

        await raw.SendAsync("POST /t HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        await Deadline.UntilAsync("the first part arrives", () => Task.FromResult(upstream.Received.Contains("first")));
        upstream.Received.ShouldNotContain("second");
        await raw.SendAsync("6\r\nsecond\r\n0\r\n\r\n");
        await Deadline.UntilAsync("the second part arrives", () => Task.FromResult(upstream.Received.Contains("second")));

        (await raw.ReadAnswerAsync()).ShouldStartWith("HTTP/1.1 200 ");
    }

    [Fact]
    public async Task A_caller_that_expects_100_sends_its_body_only_when_somebody_wants_it()
    {
        await using var upstream = await StubUpstream.StartAsync(async http =>
        {
            using var body = new StreamReader(http.Request.Body);
            await http.Response.WriteAsync(await body.ReadToEndAsync());
        });
        await using var gateway = await StartAsync(Routes.Route("/t", "/t", upstream.Port), Routes.Route("/closed", "/t", upstream.Port, "\"SecurityOptions\": { \"IPBlockedList\": [ \"127.0.0.1\" ] }"));
        using var raw = await RawClient.ConnectAsync(gateway.Address);

        await raw.SendAsync("POST /t HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        (await raw.ReadAnswerAsync()).ShouldStartWith("HTTP/1.1 100 ");
        await raw.SendAsync("hello");
        (await raw.ReadAnswerAsync()).ShouldContain("hello");

        using var refused = await RawClient.ConnectAsync(gateway.Address);
        await refused.SendAsync("POST /closed HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        (await refused.ReadAnswerAsync()).ShouldStartWith("HTTP/1.1 403 ");
    }

    [Fact]
    public async Task Bytes_beyond_ASCII_in_an_answers_headers_leave_as_they_came()
    {
        const string value = "attachment; filename=\"\u00dcber Stra\u00dfe\"; x=\u00c3\u00bc";
        await using var upstream = new ScriptedUpstream($"HTTP/1.1 200 OK\r\nContent-Disposition: {value}\r\nX-Own: \u00e9\r\nContent-Length: 2\r\n\r\nok");
        await using var gateway = await StartAsync(Routes.Route("/t", "/t", upstream.Port));

        var answer = await RawClient.AskAsync(gateway.Address, "GET /t HTTP/1.1\r\nHost: h\r\n\r\n");
        answer.ShouldStartWith("HTTP/1.1 200 ");
        answer.ShouldContain($"Content-Disposition: {value}\r\n");
        answer.ShouldContain("X-Own: \u00e9\r\n");

        using var client = new HttpClient(new SocketsHttpHandler { ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1 });
        var second = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(gateway.Address, "/t")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact });
        second.Headers.GetValues("X-Own").ShouldHaveSingleItem().ShouldBe("\u00e9");
    }

    [Theory]
    [InlineData("204 No Content", "HTTP/1.1 204 ")]
    [InlineData("205 Reset Content", "HTTP/1.1 205 ")]
    [InlineData("304 Not Modified", "HTTP/1.1 304 ")]
    [InlineData("099 Odd", "HTTP/1.1 502 ")]
    public async Task An_answer_that_can_have_no_body_has_none_though_its_service_says_so(string status, string begins)
    {
        await using var upstream = new ScriptedUpstream($"HTTP/1.1 {status}\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
        await using var gateway = await StartAsync(Routes.Route("/t", "/t", upstream.Port));

        var answer = await RawClient.AskAsync(gateway.Address, "GET /t HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", toTheEnd: true);

        answer.ShouldStartWith(begins);
        answer.ShouldContain("X-Request-Id: ");
        if (!begins.Contains("502")) answer.ShouldEndWith("\r\n\r\n");
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task GRPC_flows_both_ways_with_its_trailers(string scheme)
    {
        await using var upstream = await Http2Upstream.StartAsync(scheme == "https" ? _authority : null, async http =>
        {
            http.Response.ContentType = "application/grpc";
            http.Response.Headers["X-Trailers-Wanted"] = http.Request.Headers.TE;
            http.Response.DeclareTrailer("grpc-status");
            var buffer = new byte[100];
            while (await http.Request.Body.ReadAsync(buffer) is var read and > 0)
            {
                await http.Response.Body.WriteAsync(buffer.AsMemory(0, read));
                await http.Response.Body.FlushAsync();
            }

            http.Response.AppendTrailer("grpc-status", "0");
        });
        _folder.Write("ca.pem", _authority.Pem);
        await using var gateway = await StartAsync(Routes.Route("/echo.Echo/{method}", "/echo.Echo/{method}", upstream.Port,
                "\"DownstreamHttpVersion\": \"2.0\", \"DownstreamHttpVersionPolicy\": \"RequestVersionExact\", \"Tollgate\": { \"Tls\": { \"CaFile\": \"ca.pem\" } }")
            .Replace("\"DownstreamScheme\": \"http\"", $"\"DownstreamScheme\": \"{scheme}\""));
        var body = new DuplexContent("application/grpc");
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Address, "/echo.Echo/Chat")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = body };
        request.Headers.TE.ParseAdd("trailers");
        var answering = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var stream = await body.Stream;
        await stream.WriteAsync("one"u8.ToArray());
        await stream.FlushAsync();

        using var answer = await answering;
        await using var received = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte["one".Length];
        await received.ReadExactlyAsync(buffer);
        Encoding.ASCII.GetString(buffer).ShouldBe("one");
        await stream.WriteAsync("two"u8.ToArray());
        await stream.FlushAsync();
        await received.ReadExactlyAsync(buffer);
        Encoding.ASCII.GetString(buffer).ShouldBe("two");
        body.Complete();
        (await received.ReadAsync(buffer)).ShouldBe(0);

        answer.Headers.GetValues("X-Trailers-Wanted").ShouldBe(["trailers"]);
        answer.TrailingHeaders.GetValues("grpc-status").ShouldBe(["0"]);
    }

    [Theory]
    [InlineData("/limited.Echo/Say", "8", "RESOURCE_EXHAUSTED has no words in HTTP")]
    [InlineData("/private.Echo/Say", "16", "UNAUTHENTICATED")]
    [InlineData("/dead.Echo/Say", "14", "UNAVAILABLE")]
    [InlineData("/nobody.Echo/Say", "12", "UNIMPLEMENTED")]
    public async Task A_gRPC_client_is_refused_in_its_own_words(string path, string status, string name)
    {
        await using var gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{string.Join(",\n",
                Routes.Route("/limited.Echo/{method}", "/{method}", FreePort.Next(), "\"Tollgate\": { \"Product\": \"echo\" }"),
                Routes.Route("/private.Echo/{method}", "/{method}", FreePort.Next(), Tokens.Demanded),
                Routes.Route("/dead.Echo/{method}", "/{method}", FreePort.Next()))}} ], {{Tokens.Provider}} }
            """), "--consumers", _folder.Write("consumers.json", """
            { "plans": [ { "name": "none", "products": [ "echo" ], "limits": [ { "name": "hour", "calls": 1, "window": "1h" } ] } ],
              "applications": [ { "name": "app", "organisation": "acme", "subscriptions": [ { "plan": "none" } ], "keys": [ { "key": "a-key-for-echo" } ] } ] }
            """));
        using var client = new HttpClient();
        using var first = await CallAsync();
        using var answer = await CallAsync();

        answer.Headers.GetValues("grpc-status").ShouldBe([status], name);
        answer.Headers.GetValues("grpc-message").Single().ShouldEndWith(".");
        ((int)answer.StatusCode).ShouldBeGreaterThan(400, "who knows HTTP alone is told too");
        (await answer.Content.ReadAsByteArrayAsync()).ShouldBeEmpty("trailers alone");
        (await gateway.GetAsync(path)).Headers.Contains("grpc-status").ShouldBeFalse();

        Task<HttpResponseMessage> CallAsync()
        {
            var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Address, path)) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent([]) };
            request.Content.Headers.ContentType = new("application/grpc");
            if (path.StartsWith("/limited", StringComparison.Ordinal)) request.Headers.Add("X-Api-Key", "a-key-for-echo");
            return client.SendAsync(request);
        }
    }

    [Fact]
    public async Task Trailers_of_an_HTTP1_service_reach_a_caller_over_HTTP2()
    {
        await using var upstream = new ScriptedUpstream("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n");
        await using var gateway = await StartAsync(Routes.Route("/t", "/t", upstream.Port));
        using var client = new HttpClient();
        using var answer = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(gateway.Address, "/t")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact });

        (await answer.Content.ReadAsStringAsync()).ShouldBe("ok");
        answer.TrailingHeaders.GetValues("X-Sum").ShouldBe(["42"]);
    }

    [Fact]
    public async Task Trailers_of_an_HTTP1_service_reach_a_caller_over_HTTP1()
    {
        await using var upstream = new ScriptedUpstream("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\nContent-Length: 9\r\n\r\n");
        await using var gateway = await StartAsync(Routes.Route("/t", "/t", upstream.Port), Routes.Route("/small", "/t", upstream.Port, "\"Tollgate\": { \"Compression\": true }"));
        var answer = await RawClient.AskAsync(gateway.Address, "GET /t HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n", toTheEnd: true);

        answer.ShouldContain("Trailer: X-Sum\r\n");
        answer.ShouldEndWith("\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n");
        (await RawClient.AskAsync(gateway.Address, "GET /small HTTP/1.1\r\nHost: h\r\n\r\n")).ShouldNotContain("Trailer:");
    }

    [Fact]
    public async Task What_a_service_says_to_this_hop_alone_does_not_reach_the_caller()
    {
        await using var upstream = new ScriptedUpstream("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Authenticate: Basic\r\nX-Own: 2\r\n\r\nok");
        await using var gateway = await StartAsync(Routes.Route("/t", "/t", upstream.Port));

        var answer = await gateway.GetAsync("/t");

        (await answer.Content.ReadAsStringAsync()).ShouldBe("ok");
        answer.Headers.GetValues("X-Own").ShouldBe(["2"]);
        foreach (var gone in new[] { "X-Hop", "Keep-Alive", "Connection" }) answer.Headers.Contains(gone).ShouldBeFalse(gone);
    }

    [Fact]
    public async Task A_service_is_known_by_its_authority_and_the_gateway_by_its_certificate()
    {
        await using var upstream = await Http2Upstream.StartAsync(_authority, http => http.Response.WriteAsync(http.Connection.ClientCertificate?.Subject ?? "nobody"));
        using var own = _authority.ForClient("gateway");
        using var strangers = new TestAuthority("strangers");
        _folder.Write("ca.pem", _authority.Pem);
        _folder.Write("other.pem", strangers.Pem);
        _folder.Write("own.pem", own.ExportCertificatePem());
        _folder.Write("own.key", own.ExportKeyPem());
        string Route(string path, string tls) => Routes.Route(path, "/", upstream.Port, $"\"Tollgate\": {{ \"Tls\": {{ {tls} }} }}").Replace("\"DownstreamScheme\": \"http\"", "\"DownstreamScheme\": \"https\"");
        await using var gateway = await StartAsync(
            Route("/known", "\"CaFile\": \"ca.pem\""),
            Route("/both", "\"CaFile\": \"ca.pem\", \"CertificateFile\": \"own.pem\", \"KeyFile\": \"own.key\""),
            Route("/named", "\"CaFile\": \"ca.pem\", \"ServerName\": \"other.test\""),
            Route("/stranger", "\"CaFile\": \"other.pem\""),
            Routes.Route("/default", "/", upstream.Port).Replace("\"DownstreamScheme\": \"http\"", "\"DownstreamScheme\": \"https\""));

        (await gateway.Client.GetStringAsync("/known")).ShouldBe("nobody");
        (await gateway.Client.GetStringAsync("/both")).ShouldBe("CN=gateway");
        foreach (var path in new[] { "/named", "/stranger", "/default" }) await (await gateway.GetAsync(path)).ShouldBeProblemAsync(502, "upstream-unreachable");

        // The files change on the disk, and the configuration says nothing of it.
        using var renewed = _authority.ForClient("renewed");
        _folder.Write("own.pem", renewed.ExportCertificatePem());
        _folder.Write("own.key", renewed.ExportKeyPem());
        _folder.Write("other.pem", _authority.Pem);
        await Deadline.UntilAsync("the renewed certificate is shown", async () => await gateway.Client.GetStringAsync("/both") == "CN=renewed");
        await Deadline.UntilAsync("the other authority is trusted", async () => (await gateway.GetAsync("/stranger")).StatusCode == HttpStatusCode.OK);
        (await gateway.Client.GetStringAsync("/known")).ShouldBe("nobody");
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_service_is_asked_for_by_the_name_that_its_route_gives_it_and_never_by_its_callers(string version)
    {
        await using var upstream = await Http2Upstream.StartAsync(_authority, http =>
            http.Response.WriteAsync($"{http.Features.Get<ITlsHandshakeFeature>()!.HostName} {http.Request.Host} {http.Request.Protocol}"));
        _folder.Write("ca.pem", _authority.Pem);
        string Route(string path, string tls, string more) =>
            Routes.Route(path, "/", upstream.Port, $"\"DownstreamHttpVersion\": \"{version}\", \"Tollgate\": {{ \"Tls\": {{ \"CaFile\": \"ca.pem\" {tls} }} }} {more}").Replace("\"DownstreamScheme\": \"http\"", "\"DownstreamScheme\": \"https\"");
        await using var gateway = await StartAsync(
            Route("/named", ", \"ServerName\": \"orders.test\"", ""),
            Route("/callers", "", ", \"UpstreamHeaderTransform\": { \"Host\": \"{UpstreamHost}\" }"),
            Route("/both", ", \"ServerName\": \"orders.test\"", ", \"UpstreamHeaderTransform\": { \"Host\": \"{UpstreamHost}\" }"),
            Route("/written", "", ", \"UpstreamHeaderTransform\": { \"Host\": \"orders.test:8443\" }"),
            Route("/wrong", "", ", \"UpstreamHeaderTransform\": { \"Host\": \"other.test\" }"));
        var protocol = version == "2.0" ? "HTTP/2" : "HTTP/1.1";

        (await TextAsync("/named")).ShouldBe($"orders.test 127.0.0.1:{upstream.Port} {protocol}");
        (await TextAsync("/callers")).ShouldBe($" shop.test {protocol}");
        (await TextAsync("/both")).ShouldBe($"orders.test shop.test {protocol}");
        (await TextAsync("/written")).ShouldBe($"orders.test orders.test:8443 {protocol}");
        await (await gateway.GetAsync("/wrong")).ShouldBeProblemAsync(502, "upstream-unreachable");

        async Task<string> TextAsync(string path) => await (await gateway.GetAsync(path, ("Host", "shop.test"))).Content.ReadAsStringAsync();
    }

    private Task<GatewayProcess> StartAsync(params string[] routes) => GatewayProcess.StartAsync(_folder.Write("ocelot.json", Routes.File(routes)));

    /// <summary>A request body that is written while the answer is read.</summary>
    private sealed class DuplexContent : HttpContent
    {
        private readonly TaskCompletionSource<Stream> _stream = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public DuplexContent(string type) => Headers.ContentType = new(type);

        public Task<Stream> Stream => _stream.Task;

        public void Complete() => _complete.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            _stream.SetResult(stream);
            await _complete.Task.WaitAsync(Deadline.Default);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>Speaks HTTP/2 alone without TLS, or both versions with it.</summary>
    private sealed class Http2Upstream(WebApplication app) : IAsyncDisposable
    {
        public int Port { get; } = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;

        public static async Task<Http2Upstream> StartAsync(TestAuthority? authority, RequestDelegate answer)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listener =>
            {
                if (authority is null) listener.Protocols = HttpProtocols.Http2;
                else listener.UseHttps(https =>
                {
                    var own = authority.ForHost("127.0.0.1", "orders.test");
                    https.ServerCertificateSelector = (_, _) => own;    // where there is a choice, the name that was asked for is told
                    https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                    https.AllowAnyClientCertificate();
                });
            }));
            var app = builder.Build();
            app.Run(answer);
            await app.StartAsync();
            return new Http2Upstream(app);
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }

    /// <summary>Answers every connection's first bytes with the same.</summary>
    private sealed class ScriptedUpstream : IAsyncDisposable
    {
        private readonly System.Net.Sockets.TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _serving;

        public ScriptedUpstream(string answer)
        {
            _listener.Start();
            _serving = ServeAsync(Encoding.Latin1.GetBytes(answer));
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
        }

        private async Task ServeAsync(byte[] answer)
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    var stream = client.GetStream();
                    _ = await stream.ReadAtLeastAsync(new byte[65536], 1);
                    await stream.WriteAsync(answer);
                }
            }
            catch (Exception over) when (over is System.Net.Sockets.SocketException or ObjectDisposedException)
            {
            }
        }
    }
}
