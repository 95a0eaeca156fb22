using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>How calls are taken in: TLS, HTTP/2, client certificates, proxies before the gateway, limits.</summary>
public sealed class ListenerTests : IAsyncLifetime
{
    private const string Both = "http://127.0.0.1:0;https://127.0.0.1:0";

    private readonly TempFolder _folder = new();
    private readonly TestAuthority _authority = new("Tollgate tests");
    private StubUpstream _upstream = null!;
    private string _config = "";

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(AnswerAsync);
        _config = _folder.Write("ocelot.json", Routes.File(
            Routes.Route("/t/{rest}", "/{rest}", _upstream.Port),
            Routes.Route("/inside", "/", _upstream.Port, "\"SecurityOptions\": { \"IPAllowedList\": [ \"203.0.113.0/24\" ] }"),
            Routes.Route("/partners", "/", _upstream.Port, "\"Tollgate\": { \"ClientCertificates\": [ \"CN=partner\" ] }")));
    }

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_certificate_is_chosen_by_name_and_a_changed_one_is_shown_without_dropping_a_connection()
    {
        using var one = _authority.ForHost("one.test");
        using var two = _authority.ForHost("*.two.test");
        using var renewed = _authority.ForHost("one.test", "renewed.test");
        Write("one", one);
        File.WriteAllBytes(_folder.File("two.pfx"), two.Export(X509ContentType.Pkcs12, "secret"));
        await using var gateway = await GatewayProcess.StartAsync(_config, "--urls", Both,
            "--Gateway:Certificates:0:Path", _folder.File("one.pem"), "--Gateway:Certificates:0:Key", _folder.File("one.key"),
            "--Gateway:Certificates:1:Path", _folder.File("two.pfx"), "--Gateway:Certificates:1:Password", "secret");
        var port = (await HttpsOfAsync(gateway)).Port;

        (await ShownAsync(port, "one.test")).ShouldBe(one.SerialNumber);
        (await ShownAsync(port, "a.two.test")).ShouldBe(two.SerialNumber);
        (await ShownAsync(port, "nobody.test")).ShouldBe(one.SerialNumber);

        using var client = Client(port, "one.test");
        (await client.GetAsync($"https://one.test:{port}/t/x")).StatusCode.ShouldBe(HttpStatusCode.OK);
        Write("one", renewed);
        await Deadline.UntilAsync("the renewed certificate is shown", async () => await ShownAsync(port, "one.test") == renewed.SerialNumber);
        (await client.GetAsync($"https://one.test:{port}/t/x")).StatusCode.ShouldBe(HttpStatusCode.OK);

        File.WriteAllText(_folder.File("one.pem"), "no certificate");
        await gateway.WaitForLineAsync(line => line.Contains("certificates cannot be used"));
        (await ShownAsync(port, "one.test")).ShouldBe(renewed.SerialNumber);
    }

    [Fact]
    public async Task An_https_address_without_a_certificate_ends_the_process_with_a_sentence()
    {
        await using var gateway = GatewayProcess.Launch("--config", _config, "--urls", "https://127.0.0.1:0");

        (await gateway.WaitForExitAsync()).ShouldNotBe(0);
        gateway.Output.ShouldContain("Gateway:Certificates:0:Path");
        gateway.Output.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task Callers_over_http_are_sent_to_https_and_told_to_stay_there()
    {
        using var one = _authority.ForHost("one.test");
        Write("one", one);
        await using var gateway = await GatewayProcess.StartAsync(_config, "--urls", Both, "--Gateway:HttpsRedirect", "8443", "--Gateway:HstsSeconds", "31536000",
            "--Gateway:Certificates:0:Path", _folder.File("one.pem"), "--Gateway:Certificates:0:Key", _folder.File("one.key"));

        var redirect = await gateway.GetAsync("/t/x?y=1", ("Host", "one.test"));
        redirect.StatusCode.ShouldBe(HttpStatusCode.PermanentRedirect);
        redirect.Headers.Location!.OriginalString.ShouldBe("https://one.test:8443/t/x?y=1");
        redirect.Headers.Contains("Strict-Transport-Security").ShouldBeFalse();

        var port = (await HttpsOfAsync(gateway)).Port;
        using var client = Client(port, "one.test");
        (await client.GetAsync($"https://one.test:{port}/t/x")).Headers.GetValues("Strict-Transport-Security").ShouldBe(["max-age=31536000; includeSubDomains"]);
        _upstream.Seen.ShouldHaveSingleItem().Headers["X-Forwarded-Proto"].ShouldBe("https");
    }

    [Fact]
    public async Task A_client_certificate_of_the_authority_is_asked_for_and_its_subject_told()
    {
        using var one = _authority.ForHost("one.test");
        using var partner = _authority.ForClient("partner");
        using var other = _authority.ForClient("other");
        using var strangers = new TestAuthority("strangers");
        using var stranger = strangers.ForClient("partner");
        Write("one", one);
        _folder.Write("ca.pem", _authority.Pem);
        string[] common = ["--urls", Both, "--Gateway:Certificates:0:Path", _folder.File("one.pem"), "--Gateway:Certificates:0:Key", _folder.File("one.key"), "--Gateway:ClientCertificates:CaFile", _folder.File("ca.pem")];
        await using var optional = await GatewayProcess.StartAsync(_config, [.. common, "--Gateway:ClientCertificates:Mode", "optional", "--Gateway:ClientCertificates:SubjectHeader", "X-Client-Subject"]);
        var port = (await HttpsOfAsync(optional)).Port;

        using var good = Client(port, "one.test", partner);
        (await good.SendAsync(new HttpRequestMessage(HttpMethod.Get, $"https://one.test:{port}/partners") { Headers = { { "X-Client-Subject", "CN=forged" } } })).StatusCode.ShouldBe(HttpStatusCode.OK);
        _upstream.Seen.ShouldHaveSingleItem().Headers["X-Client-Subject"].ShouldBe("CN=partner");

        using var without = Client(port, "one.test");
        (await without.GetAsync($"https://one.test:{port}/t/x")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await without.GetAsync($"https://one.test:{port}/partners")).ShouldBeProblemAsync(403, "certificate-not-allowed");
        using var wrong = Client(port, "one.test", other);
        await (await wrong.GetAsync($"https://one.test:{port}/partners")).ShouldBeProblemAsync(403, "certificate-not-allowed");
        await (await optional.GetAsync("/partners")).ShouldBeProblemAsync(403, "certificate-not-allowed");
        using var unknown = Client(port, "one.test", stranger);
        await Should.ThrowAsync<HttpRequestException>(() => unknown.GetAsync($"https://one.test:{port}/t/x"));

        await using var required = await GatewayProcess.StartAsync(_config, [.. common, "--Gateway:ClientCertificates:Mode", "required"]);
        port = (await HttpsOfAsync(required)).Port;
        using var admitted = Client(port, "one.test", partner);
        (await admitted.GetAsync($"https://one.test:{port}/t/x")).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var bare = Client(port, "one.test");
        await Should.ThrowAsync<HttpRequestException>(() => bare.GetAsync($"https://one.test:{port}/t/x"));
    }

    [Fact]
    public async Task A_name_that_demands_a_certificate_is_not_reached_by_way_of_another()
    {
        using var one = _authority.ForHost("one.test", "partners.test");
        using var partner = _authority.ForClient("partner");
        Write("one", one);
        await using var gateway = await GatewayProcess.StartAsync(_config, "--urls", Both, "--Gateway:Certificates:0:Path", _folder.File("one.pem"), "--Gateway:Certificates:0:Key", _folder.File("one.key"),
            "--Gateway:ClientCertificates:CaFile", _folder.Write("ca.pem", _authority.Pem), "--Gateway:ClientCertificates:Mode", "required", "--Gateway:ClientCertificates:Hosts", "partners.test");
        var port = (await HttpsOfAsync(gateway)).Port;

        (await AskAsync("one.test", "one.test")).ShouldStartWith("HTTP/1.1 200 ");
        foreach (var host in new[] { "partners.test", $"partners.test:{port}", "PARTNERS.test" })
            (await AskAsync("one.test", host)).ShouldStartWith("HTTP/1.1 421 ", customMessage: host);
        (await AskAsync("partners.test", "partners.test", partner)).ShouldStartWith("HTTP/1.1 200 ");
        (await AskAsync("partners.test", "one.test", partner)).ShouldStartWith("HTTP/1.1 200 ");

        async Task<string> AskAsync(string named, string host, X509Certificate2? certificate = null)
        {
            using var tcp = new System.Net.Sockets.TcpClient();
            await tcp.ConnectAsync(IPAddress.Loopback, port);
            await using var tls = new SslStream(tcp.GetStream(), false, (_, _, _, _) => true);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = named, ClientCertificates = certificate is null ? null : [certificate] });
            await tls.WriteAsync(Encoding.ASCII.GetBytes($"GET /t/x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
            return await new StreamReader(tls).ReadToEndAsync();
        }
    }

    [Fact]
    public async Task The_key_of_another_certificate_ends_the_start_and_changes_nothing_later()
    {
        using var one = _authority.ForHost("one.test");
        Write("one", one);
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        using var other = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        using var elliptic = new CertificateRequest("CN=elliptic.test", key, System.Security.Cryptography.HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(5));
        _folder.Write("elliptic.pem", elliptic.ExportCertificatePem());
        _folder.Write("elliptic.key", other.ExportPkcs8PrivateKeyPem());

        await using (var refused = GatewayProcess.Launch("--config", _config, "--urls", "https://127.0.0.1:0", "--Gateway:Certificates:0:Path", _folder.File("elliptic.pem"), "--Gateway:Certificates:0:Key", _folder.File("elliptic.key")))
        {
            (await refused.WaitForExitAsync()).ShouldBe(1);
            refused.Output.ShouldContain("Gateway:Certificates cannot be used");
            refused.Output.ShouldNotContain("   at ");
        }

        await using var gateway = await GatewayProcess.StartAsync(_config, "--urls", Both, "--Gateway:Certificates:0:Path", _folder.File("one.pem"), "--Gateway:Certificates:0:Key", _folder.File("one.key"));
        var port = (await HttpsOfAsync(gateway)).Port;
        File.Copy(_folder.File("elliptic.key"), _folder.File("one.key"), overwrite: true);
        File.Copy(_folder.File("elliptic.pem"), _folder.File("one.pem"), overwrite: true);
        await gateway.WaitForLineAsync(line => line.Contains("certificates cannot be used"));
        (await ShownAsync(port, "one.test")).ShouldBe(one.SerialNumber);

        File.WriteAllText(_folder.File("one.key"), key.ExportPkcs8PrivateKeyPem());
        await Deadline.UntilAsync("the certificate with its own key is shown", async () => await ShownAsync(port, "one.test") == elliptic.SerialNumber);
    }

    [Fact]
    public async Task One_port_speaks_HTTP1_and_HTTP2_with_and_without_TLS()
    {
        using var one = _authority.ForHost("one.test");
        Write("one", one);
        await using var gateway = await GatewayProcess.StartAsync(_config, "--urls", Both,
            "--Gateway:Certificates:0:Path", _folder.File("one.pem"), "--Gateway:Certificates:0:Key", _folder.File("one.key"));
        var https = new Uri($"https://one.test:{(await HttpsOfAsync(gateway)).Port}");
        using var client = Client(https.Port, "one.test");

        foreach (var (address, version) in new[] { (gateway.Address, "1.1"), (gateway.Address, "2.0"), (https, "1.1"), (https, "2.0") })
        {
            var answer = await client.SendAsync(new HttpRequestMessage(HttpMethod.Post, new Uri(address, "/t/x"))
            {
                Version = Version.Parse(version),
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new StringContent(new string('a', 200_000)),
            });
            answer.Version.ShouldBe(Version.Parse(version));
            (await answer.Content.ReadAsStringAsync()).ShouldBe("200000");
            _upstream.Seen.Last().Headers["Via"].ShouldBe(version == "2.0" ? "2 tollgate" : "1.1 tollgate");
        }
    }

    [Fact]
    public async Task A_WebSocket_over_HTTP2_reaches_a_service_that_speaks_HTTP1()
    {
        await using var gateway = await GatewayProcess.StartAsync(_config);
        using var handler = new SocketsHttpHandler();
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.AddSubProtocol("chat");
        await socket.ConnectAsync(new Uri($"ws://{gateway.Address.Authority}/t/socket"), new HttpMessageInvoker(handler), CancellationToken.None);

        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        var buffer = new byte[100];
        var received = await socket.ReceiveAsync(buffer, CancellationToken.None);

        Encoding.ASCII.GetString(buffer, 0, received.Count).ShouldBe("hello");
        socket.SubProtocol.ShouldBe("chat");
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", CancellationToken.None);
        socket.CloseStatus.ShouldBe(WebSocketCloseStatus.NormalClosure);
    }

    [Theory]
    [InlineData("\u0083\u0001a", "a reserved opcode")]
    [InlineData("\u0081\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\0\0\0\0", "a length beyond 63 bits")]
    [InlineData("\u0089\u00fe\u0001\u0000\0\0\0\0", "a ping of 256 bytes")]
    [InlineData("\u0001\u0001a", "a frame without mask")]
    public async Task A_malformed_frame_ends_its_socket_and_nothing_else(string frame, string what)
    {
        await using var gateway = await GatewayProcess.StartAsync(_config);
        using var raw = await RawClient.ConnectAsync(gateway.Address);
        await raw.SendAsync("GET /t/socket HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        (await raw.ReadAnswerAsync()).ShouldStartWith("HTTP/1.1 101 ");

        await raw.SendAsync(frame + new string('\0', 300));
        await raw.ReadToEndAsync();

        (await gateway.GetAsync("/t/x")).StatusCode.ShouldBe(HttpStatusCode.OK, what);
    }

    [Fact]
    public async Task A_trusted_proxy_says_who_calls_and_nobody_else_does()
    {
        await using var open = await GatewayProcess.StartAsync(_config);
        await open.GetAsync("/t/x", ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example"), ("Forwarded", "for=203.0.113.9"), ("Via", "1.1 edge"),
            ("X-Forwarded-Prefix", "/evil"), ("X-Forwarded-Port", "1"), ("X-Real-IP", "203.0.113.9"), ("X_Forwarded_For", "203.0.113.9"));
        var seen = _upstream.Seen.Last().Headers;
        foreach (var forged in new[] { "X-Forwarded-Prefix", "X-Forwarded-Port", "X-Real-IP", "X_Forwarded_For" }) seen.Keys.ShouldNotContain(forged);
        seen["X-Forwarded-For"].ShouldBe("127.0.0.1");
        seen["X-Forwarded-Proto"].ShouldBe("http");
        seen["X-Forwarded-Host"].ShouldBe(open.Address.Authority);
        seen["Forwarded"].ShouldBe($"for=127.0.0.1;host=\"{open.Address.Authority}\";proto=http");
        seen["Via"].ShouldBe("1.1 edge, 1.1 tollgate");
        await (await open.GetAsync("/inside", ("X-Forwarded-For", "203.0.113.9"))).ShouldBeProblemAsync(403, "ip-not-allowed");

        await using var behind = await GatewayProcess.StartAsync(_config, "--Gateway:TrustedProxies", "127.0.0.0/8,10.0.0.0/8");
        await behind.GetAsync("/t/x", ("X-Forwarded-For", "198.51.100.7, 203.0.113.9, 10.0.0.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.example"), ("X-Forwarded-Prefix", "/shop"));
        seen = _upstream.Seen.Last().Headers;
        seen["X-Forwarded-For"].ShouldBe("198.51.100.7, 203.0.113.9, 10.0.0.1, 127.0.0.1");
        seen["X-Forwarded-Proto"].ShouldBe("https");
        seen["X-Forwarded-Host"].ShouldBe("shop.example");
        seen["X-Forwarded-Prefix"].ShouldBe("/shop");
        seen["Forwarded"].ShouldBe($"for=198.51.100.7;host=\"shop.example\";proto=https, for=203.0.113.9, for=10.0.0.1, for=127.0.0.1;host=\"{behind.Address.Authority}\";proto=http", "what the proxy says in one way is said in the other too");

        await behind.GetAsync("/t/x", ("Forwarded", "for=198.51.100.7;proto=https;host=shop.example, for=\"[2001:db8::1]:4711\", for=_hidden"));
        seen = _upstream.Seen.Last().Headers;
        seen["X-Forwarded-For"].ShouldBe("198.51.100.7, 2001:db8::1, unknown, 127.0.0.1");
        seen["X-Forwarded-Proto"].ShouldBe("https");
        seen["X-Forwarded-Host"].ShouldBe("shop.example");
        await behind.GetAsync("/t/x", ("X-Forwarded-For", "2001:db8::1, \"x"), ("X-Forwarded-Host", "a\"b"));
        _upstream.Seen.Last().Headers["Forwarded"].ShouldStartWith("for=\"[2001:db8::1]\", for=unknown, for=127.0.0.1;");

        (await behind.GetAsync("/inside", ("X-Forwarded-For", "203.0.113.9, 10.0.0.1"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await behind.GetAsync("/inside", ("Forwarded", "for=\"[2001:db8::1]\", for=\"203.0.113.9:4711\";proto=https, for=10.0.0.1"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await behind.GetAsync("/inside", ("X-Forwarded-For", "203.0.113.9, 198.51.100.7"))).ShouldBeProblemAsync(403, "ip-not-allowed");
        await (await behind.GetAsync("/inside", ("X-Forwarded-For", "203.0.113.9, nonsense"))).ShouldBeProblemAsync(403, "ip-not-allowed");
        await (await behind.GetAsync("/inside")).ShouldBeProblemAsync(403, "ip-not-allowed");
    }

    [Fact]
    public async Task A_route_that_leads_back_to_the_gateway_is_a_loop()
    {
        var port = FreePort.Next();
        var config = _folder.Write("loop.json", Routes.File(Routes.Route("/loop", "/loop", port)));
        await using var gateway = await GatewayProcess.StartAsync(config, "--urls", $"http://127.0.0.1:{port}");

        await (await gateway.GetAsync("/loop")).ShouldBeProblemAsync(508, "loop-detected");
    }

    [Fact]
    public async Task More_connections_than_allowed_are_closed()
    {
        await using var gateway = await GatewayProcess.StartAsync(_config, "--Gateway:Limits:MaxConnections", "2");
        using var first = await RawClient.ConnectAsync(gateway.Address);
        using var second = await RawClient.ConnectAsync(gateway.Address);
        foreach (var each in new[] { first, second })
        {
            await each.SendAsync("GET /t/x HTTP/1.1\r\nHost: h\r\n\r\n");
            (await each.ReadAnswerAsync()).ShouldStartWith("HTTP/1.1 200 ");
        }

        (await RawClient.AskAsync(gateway.Address, "GET /t/x HTTP/1.1\r\nHost: h\r\n\r\n")).ShouldBeEmpty();
        first.Dispose();
        await Deadline.UntilAsync("there is room again", async () => (await RawClient.AskAsync(gateway.Address, "GET /t/x HTTP/1.1\r\nHost: h\r\n\r\n")).StartsWith("HTTP/1.1 200 "));
    }

    [Theory]
    [InlineData("--Gateway:TrustedProxies", "10.0.0.0/99")]
    [InlineData("--Gateway:Limits:MaxHeaders", "many")]
    [InlineData("--Gateway:HttpsRedirect", "0")]
    [InlineData("--Gateway:ClientCertificates:Mode", "maybe")]
    [InlineData("--Gateway:ClientCertificates:Mode", "required")]
    [InlineData("--Gateway:Certificates:0:Key", "key.pem")]
    public async Task A_wrong_option_ends_the_process_with_a_sentence_that_names_it(string option, string value)
    {
        await using var gateway = GatewayProcess.Launch("--config", _config, "--urls", "http://127.0.0.1:0", option, value);

        (await gateway.WaitForExitAsync()).ShouldBe(2);
        gateway.Output.ShouldContain(option[..option.LastIndexOf(':')]);
    }

    private static async Task AnswerAsync(HttpContext http)
    {
        if (http.Request.Path == "/socket")
        {
            using var socket = await http.WebSockets.AcceptWebSocketAsync(http.WebSockets.WebSocketRequestedProtocols.FirstOrDefault());
            var buffer = new byte[1000];
            WebSocketReceiveResult received;
            while ((received = await socket.ReceiveAsync(buffer, http.RequestAborted)).MessageType != WebSocketMessageType.Close)
                await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, http.RequestAborted);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", http.RequestAborted);
            return;
        }

        using var body = new StreamReader(http.Request.Body);
        await http.Response.WriteAsync((await body.ReadToEndAsync()).Length.ToString());
    }

    private void Write(string name, X509Certificate2 certificate)
    {
        File.WriteAllText(_folder.File(name + ".key"), certificate.ExportKeyPem());
        File.WriteAllText(_folder.File(name + ".pem"), certificate.ExportCertificatePem() + "\n" + _authority.Pem);
    }

    private static async Task<Uri> HttpsOfAsync(GatewayProcess gateway) =>
        new((await gateway.WaitForLineAsync(line => line.StartsWith("Listening on https://", StringComparison.Ordinal)))["Listening on ".Length..]);

    private static async Task<string> ShownAsync(int port, string host)
    {
        using var tcp = new System.Net.Sockets.TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, port);
        await using var tls = new SslStream(tcp.GetStream(), false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync(host);
        return new X509Certificate2(tls.RemoteCertificate!).SerialNumber;
    }

    // Resolves every name to this machine, and trusts the tests' authority for one name.
    private HttpClient Client(int port, string host, X509Certificate2? certificate = null)
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(_authority.Certificate);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            SslOptions = { TargetHost = host, CertificateChainPolicy = trust, ClientCertificates = certificate is null ? null : [certificate] },
            ConnectCallback = async (context, cancel) =>
            {
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancel);
                return new System.Net.Sockets.NetworkStream(socket, true);
            },
        };
        return new HttpClient(handler) { Timeout = Deadline.Default };
    }
}
