using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>What a hostile or broken caller sends, and what he gets. The upstream keeps every byte: nothing that was refused, or hidden in a body, reaches it as a request.</summary>
public sealed class RobustnessTests : IClassFixture<RobustnessTests.Fixture>, IAsyncLifetime
{
    private readonly RawUpstream _upstream;
    private readonly GatewayProcess _gateway;

    public RobustnessTests(Fixture fixture) => (_upstream, _gateway) = (fixture.Upstream, fixture.Gateway);

    // The message before may have been refused in the middle, with its beginning already on its way.
    public Task InitializeAsync() => _upstream.ForgetAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public sealed class Fixture : IAsyncLifetime
    {
        private readonly TempFolder _folder = new();

        internal RawUpstream Upstream { get; private set; } = null!;
        internal GatewayProcess Gateway { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Upstream = RawUpstream.Start();
            Gateway = await GatewayProcess.StartAsync(
                _folder.Write("ocelot.json", Routes.File(
                    Routes.Route("/t/{everything}", "/t/{everything}", Upstream.Port),
                    Routes.Route("/public/{file}", "/files/{file}", Upstream.Port),
                    Routes.Route("/small", "/small", Upstream.Port, "\"Tollgate\": { \"MaxBodyBytes\": 10, \"MaxHeaderBytes\": 500 }"))),
                "--Gateway:Limits:HeaderSeconds=5", "--Gateway:Limits:KeepAliveSeconds=10");
        }

        public async Task DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await Upstream.DisposeAsync();
            _folder.Dispose();
        }
    }

    private const string Hidden = "GET /t/smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

    /// <summary>What is sent, and the status; the same table is in docs/security.md.</summary>
    public static readonly TheoryData<string, string, int> Refused = new()
    {
        // Framing: RFC 9112 §6.
        { "both Content-Length and Transfer-Encoding", "POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Hidden, 400 },
        { "the same the other way round", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n0\r\n\r\n" + Hidden, 400 },
        { "two different lengths", "POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd" + Hidden, 400 },
        { "two equal lengths", "POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc" + Hidden, 400 },
        { "two lengths on a line", "POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc" + Hidden, 400 },
        { "a negative length", "POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n" + Hidden, 400 },
        { "a length with a sign", "POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc" + Hidden, 400 },
        { "a hexadecimal length", "POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length: 0x3\r\n\r\nabc" + Hidden, 400 },
        { "a length beyond 64 bits", "POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551617\r\n\r\nabc" + Hidden, 400 },
        { "blank before the colon of a length", "POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nabc" + Hidden, 400 },
        { "an unknown coding after chunked", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n" + Hidden, 400 },
        { "a coding before chunked", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + Hidden, 400 },
        { "identity before chunked", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" + Hidden, 400 },
        { "chunked twice", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Hidden, 400 },
        { "an unknown coding", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + Hidden, 400 },
        { "a coding with a tab", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\tchunked\u000b\r\n\r\n0\r\n\r\n" + Hidden, 400 },
        { "chunked before identity", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + Hidden, 400 },
        { "blank before the colon of a coding", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + Hidden, 400 },
        { "a chunk size that is no number", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n" + Hidden, 400 },
        { "a negative chunk size", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n" + Hidden, 400 },
        { "a chunk size beyond 31 bits", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + Hidden, 400 },
        { "a bare line feed after a chunk size", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\nZ\r\n0\r\n\r\n" + Hidden, 400 },
        { "a chunk longer than it says", "POST /t/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nZZZZ\r\n0\r\n\r\n" + Hidden, 400 },

        // There are no tunnels.
        { "a CONNECT to a host", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", 400 },
        { "a CONNECT to a path", "CONNECT /t/x HTTP/1.1\r\nHost: h\r\n\r\n", 400 },

        // Lines: RFC 9112 §2.2, §5.
        { "a bare line feed after a header", "GET /t/x HTTP/1.1\r\nHost: h\nX-A: 1\r\n\r\n", 400 },
        { "a bare line feed after the request line", "GET /t/x HTTP/1.1\nHost: h\r\n\r\n", 400 },
        { "a head that ends with bare line feeds", "POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\n\nabc" + Hidden, 400 },
        { "a folded header", "GET /t/x HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n folded\r\n\r\n", 400 },
        { "a header that begins with blank", "GET /t/x HTTP/1.1\r\nHost: h\r\n X-A: 1\r\n\r\n", 400 },
        { "a bare carriage return in a header", "GET /t/x HTTP/1.1\r\nHost: h\r\nX-A: 1\rX-B: 2\r\n\r\n", 400 },
        { "a NUL in a header", "GET /t/x HTTP/1.1\r\nHost: h\r\nX-A: 1\0\r\n\r\n", 400 },
        { "a header without a name", "GET /t/x HTTP/1.1\r\nHost: h\r\n: 1\r\n\r\n", 400 },
        { "a header without a colon", "GET /t/x HTTP/1.1\r\nHost: h\r\nNonsense\r\n\r\n", 400 },
        { "a header name with a blank", "GET /t/x HTTP/1.1\r\nHost: h\r\nX A: 1\r\n\r\n", 400 },
        { "a NUL in the target", "GET /t/\0 HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
        { "an encoded NUL in the target", "GET /t/%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
        { "a target with a blank", "GET /t/a b HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
        { "no target", "GET HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
        { "no HTTP", "\u0016\u0003\u0001\u0002\0\u0001\r\n\r\n", 400 },
        { "a method that is no token", "G(T /t/x HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
        { "an authority as target", "CONNECT inside:22 HTTP/1.1\r\nHost: inside:22\r\n\r\n", 400 },
        { "a star as target", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
        { "a version that nobody speaks", "GET /t/x HTTP/3.7\r\nHost: h\r\n\r\n", 505 },

        // Who is asked: RFC 9112 §3.2.
        { "no host", "GET /t/x HTTP/1.1\r\n\r\n", 400 },
        { "two hosts", "GET /t/x HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400 },
        { "a host with a path", "GET /t/x HTTP/1.1\r\nHost: h/../\r\n\r\n", 400 },
        { "a host with a blank", "GET /t/x HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
        { "a host other than the absolute target's", "GET http://one/t/x HTTP/1.1\r\nHost: two\r\n\r\n", 400 },

        // Sizes.
        { "a target of 9,000 bytes", "GET /t/" + new string('a', 9_000) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414 },
        { "a header of 40,000 bytes", "GET /t/x HTTP/1.1\r\nHost: h\r\nX-A: " + new string('a', 40_000) + "\r\n\r\n", 431 },
        { "200 headers", "GET /t/x HTTP/1.1\r\nHost: h\r\n" + string.Concat(Enumerable.Range(0, 200).Select(i => $"X-{i}: 1\r\n")) + "\r\n", 431 },
        { "a body that says 31 MB", "POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length: 31000000\r\n\r\n", 413 },
        { "a body larger than its route takes", "POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nabcdefghijk", 413 },
        { "the same in chunks", "POST /small HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nabcdefghijk\r\n0\r\n\r\n", 413 },
        { "headers larger than their route takes", "GET /small HTTP/1.1\r\nHost: h\r\nX-A: " + new string('a', 600) + "\r\n\r\n", 431 },

        // Injection: a value must not become a line.
        { "a header value that is not ASCII", "GET /t/x HTTP/1.1\r\nHost: h\r\nX-A: J\u00fcrgen\r\n\r\n", 400 },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_message_that_is_doubtful_is_refused_with_a_problem_and_nothing_of_it_is_passed_on(string what, string message, int status)
    {
        using var raw = await RawClient.ConnectAsync(_gateway.Address);
        await raw.SendAsync(message);
        var answer = await raw.ReadAnswerAsync();

        answer.ShouldStartWith($"HTTP/1.1 {status} ", customMessage: what);
        answer.ShouldContain("application/problem+json", customMessage: what);
        var problem = JsonDocument.Parse(answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]).RootElement;
        problem.GetProperty("status").GetInt32().ShouldBe(status, what);
        problem.GetProperty("requestId").GetString().ShouldNotBeNullOrEmpty(what);
        if (message.EndsWith(Hidden)) (await raw.ReadToEndAsync()).ShouldBeEmpty(what);
        _upstream.Received.ShouldNotContain("smuggled", customMessage: what);
    }

    /// <summary>Spellings of a path, and how they arrive; null = 404 before any service.</summary>
    public static readonly TheoryData<string, string?> Paths = new()
    {
        { "/public/a.txt", "/files/a.txt" },
        { "/public/../t/x", "/t/x" },
        { "/public/%2e%2e/t/x", "/t/x" },
        { "/public/%2E%2E/%2e%2E/etc/passwd", null },
        { "/public/.%2e/secret", null },
        { "/public/..;/secret", "/files/..;/secret" },
        { "/public/..%2fsecret", "/files/..%2Fsecret" },
        { "/public/..%5csecret", "/files/..%5Csecret" },
        { "/public/..\\secret", "/files/..%5Csecret" },
        { "/public/%252e%252e/secret", "/files/%252e%252e/secret" },
        { "/public/%c0%ae%c0%ae/secret", "/files/%C0%AE%C0%AE/secret" },
        { "/public/a%0d%0aX-Injected:%201", "/files/a%0D%0AX-Injected:%201" },
        { "/public/a%20b", "/files/a%20b" },
        { "/p%75blic/a", "/files/a" },
        { "/t/a?x=%0d%0aX-Injected:%201", "/t/a?x=%0d%0aX-Injected:%201" },
        { "/t/a?x=<script>", "/t/a?x=<script>" },
        { "/t/a#fragment", "/t/a%23fragment" },
        { "//t/x", null },
    };

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_path_has_one_spelling_and_no_other_walks_around_a_route(string sent, string? arrives)
    {
        var answer = await RawClient.AskAsync(_gateway.Address, $"GET {sent} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

        if (arrives is null)
        {
            answer.Split(' ')[1].ShouldBeOneOf("400", "404");
            _upstream.Received.Trim().ShouldBeEmpty();
            return;
        }

        answer.ShouldStartWith("HTTP/1.1 200 ");
        _upstream.Received.Trim('\n').ShouldStartWith($"GET {arrives} HTTP/1.1\r\n");
        _upstream.Received.ShouldNotContain("\r\nX-Injected");
    }

    [Fact]
    public async Task A_body_that_looks_like_a_request_stays_a_body()
    {
        var answer = await RawClient.AskAsync(_gateway.Address, $"POST /t/x HTTP/1.1\r\nHost: h\r\nContent-Length: {Hidden.Length}\r\nConnection: close\r\n\r\n{Hidden}");

        answer.ShouldStartWith("HTTP/1.1 200 ");
        _upstream.Received.ShouldContain($"Content-Length: {Hidden.Length}\r\n");
        _upstream.Received.Split("POST /t/x HTTP/1.1").Length.ShouldBe(2);
    }

    [Fact]
    public async Task An_absolute_target_goes_to_its_route_and_never_to_the_host_that_it_names()
    {
        var answer = await RawClient.AskAsync(_gateway.Address, "GET http://elsewhere.example/t/x HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n");

        answer.ShouldStartWith("HTTP/1.1 200 ");
        _upstream.Received.ShouldContain("GET /t/x HTTP/1.1\r\n");
        _upstream.Received.ShouldContain($"Host: 127.0.0.1:{_upstream.Port}\r\n");
    }

    [Fact]
    public async Task A_header_named_by_Connection_ends_here_and_cannot_take_ours_away()
    {
        foreach (var others in new[] { "close, ", "keep-alive, ", "" })
            await RawClient.AskAsync(_gateway.Address, $"GET /t/x HTTP/1.1\r\nHost: h\r\nConnection: {others}X-Own, X-Forwarded-For, X-Request-Id, Via\r\nX-Own: 1\r\nKeep-Alive: 5\r\nX-Forwarded-For: 9.9.9.9\r\nForwarded: for=9.9.9.9\r\n\r\n");

        var seen = _upstream.Received;
        seen.ShouldNotContain("X-Own");
        seen.ShouldNotContain("Keep-Alive");
        seen.ShouldNotContain("9.9.9.9");
        seen.ShouldContain("X-Forwarded-For: 127.0.0.1\r\n");
        seen.ShouldContain("Via: 1.1 tollgate\r\n");
    }

    [Fact]
    public async Task A_head_that_never_ends_is_given_up_and_others_are_served_meanwhile()
    {
        var slow = new List<RawClient>();
        for (var i = 0; i < 200; i++)
        {
            slow.Add(await RawClient.ConnectAsync(_gateway.Address));
            await slow[^1].SendAsync("GET /t/slow HTTP/1.1\r\nHost: h\r\nX-A: ");
        }

        (await _gateway.GetAsync("/t/other")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var answers = await Task.WhenAll(slow.Select(each => each.ReadToEndAsync()));

        answers.ShouldAllBe(answer => answer.StartsWith("HTTP/1.1 408 ") && answer.Contains("request-timeout"));
        _upstream.Received.ShouldNotContain("/t/slow");
        foreach (var each in slow) each.Dispose();
    }

    [Fact]
    public async Task A_connection_that_says_nothing_is_closed()
    {
        using var silent = await RawClient.ConnectAsync(_gateway.Address);
        (await silent.ReadToEndAsync()).ShouldBeEmpty();

        using var begun = await RawClient.ConnectAsync(_gateway.Address);
        await begun.SendAsync("PRI * HTT");
        (await begun.ReadToEndAsync()).ShouldNotStartWith("HTTP/1.1 2");
    }

    [Fact]
    public async Task Pipelined_calls_are_answered_in_their_order_and_the_first_bad_one_ends_the_connection()
    {
        using var raw = await RawClient.ConnectAsync(_gateway.Address);
        await raw.SendAsync("GET /t/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: h\r\n\r\nGET /t/3 HTTP/1.1\r\nHost: h\r\nX A: 1\r\n\r\nGET /t/4 HTTP/1.1\r\nHost: h\r\n\r\n");

        var answers = await raw.ReadToEndAsync();

        answers.Split("HTTP/1.1 ").Skip(1).Select(answer => answer[..3]).ShouldBe(["200", "404", "400"]);
        _upstream.Received.ShouldContain("/t/1");
        _upstream.Received.ShouldNotContain("/t/3");
        _upstream.Received.ShouldNotContain("/t/4");
    }

    [Theory]
    [InlineData("DATA on stream 0", 0, 0, 0, "x")]
    [InlineData("HEADERS that are no HPACK", 1, 5, 1, "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff")]
    [InlineData("WINDOW_UPDATE of nothing", 8, 0, 0, "\0\0\0\0")]
    [InlineData("CONTINUATION without HEADERS", 9, 4, 1, "x")]
    [InlineData("SETTINGS of five bytes", 4, 0, 0, "\0\0\0\0\0")]
    public async Task A_broken_HTTP2_connection_is_closed_and_nothing_is_passed_on(string what, int type, int flags, int stream, string payload)
    {
        using var raw = await RawClient.ConnectAsync(_gateway.Address);
        await raw.Stream.WriteAsync(Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        await raw.Stream.WriteAsync(Frame(4, 0, 0, []));
        await raw.Stream.WriteAsync(Frame((byte)type, (byte)flags, stream, Encoding.Latin1.GetBytes(payload)));

        await raw.ReadToEndAsync();

        _upstream.Received.Trim().ShouldBeEmpty(what);
        (await _gateway.GetAsync("/t/after")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>Heads over HTTP/2 that would be other messages over HTTP/1.1. Names and values, one line each; the status, 0 = stream or connection ends without one.</summary>
    [Theory]
    [InlineData("a line end in a value", ":method GET|:scheme http|:path /t/x|:authority h|x-a 1\r\nX-Evil: 1", 0)]
    [InlineData("a line end in a name", ":method GET|:scheme http|:path /t/x|:authority h|x-a\r\nx-evil 1", 400)]
    [InlineData("a colon in a name", ":method GET|:scheme http|:path /t/x|:authority h|x-a:b 1", 400)]
    [InlineData("a line end in the path", ":method GET|:scheme http|:path /t/x\r\nX-Evil:1|:authority h", 0)]
    [InlineData("a line end in the method", ":method GET\r\n|:scheme http|:path /t/x|:authority h", 0)]
    [InlineData("a line end in the authority", ":method GET|:scheme http|:path /t/x|:authority h\r\nX-Evil:1", 0)]
    [InlineData("a coding of the connection", ":method POST|:scheme http|:path /t/x|:authority h|transfer-encoding chunked", 400)]
    [InlineData("a Connection header", ":method GET|:scheme http|:path /t/x|:authority h|connection x-a", 0)]
    [InlineData("two paths", ":method GET|:scheme http|:path /t/x|:path /t/y|:authority h", 0)]
    [InlineData("a pseudo header after others", ":method GET|:scheme http|x-a 1|:path /t/x|:authority h", 0)]
    [InlineData("two lengths", ":method POST|:scheme http|:path /t/x|:authority h|content-length 2|content-length 3", 0)]
    [InlineData("a length and no body", ":method POST|:scheme http|:path /t/x|:authority h|content-length 5", 0)]
    [InlineData("a path of another host", ":method GET|:scheme http|:path http://evil/t/x|:authority h", 0)]
    [InlineData("a tunnel", ":method CONNECT|:authority h:80", 400)]
    public async Task A_head_over_HTTP2_never_becomes_another_over_HTTP1(string what, string head, int status)
    {
        using var raw = await RawClient.ConnectAsync(_gateway.Address);
        byte[] fields = [.. head.Split('|').SelectMany(field => Literal(field[..field.LastIndexOf(' ')], field[(field.LastIndexOf(' ') + 1)..]))];
        await raw.Stream.WriteAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(4, 0, 0, []), .. Frame(1, 5, 1, fields)]);

        var statuses = await StatusAsync(raw.Stream);

        statuses.ShouldBe(status, what);
        _upstream.Received.Trim().ShouldBeEmpty(what);
    }

    [Fact]
    public async Task More_headers_over_HTTP2_than_are_taken_cost_their_own_stream_alone()
    {
        using var client = new HttpClient { BaseAddress = _gateway.Address, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact, Timeout = Deadline.Default };
        var many = new HttpRequestMessage(HttpMethod.Get, "/t/many") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        for (var i = 0; i < 150; i++) many.Headers.Add($"X-{i}", "1");

        (await client.GetAsync("/t/before")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.SendAsync(many)).StatusCode.ShouldBe(HttpStatusCode.RequestHeaderFieldsTooLarge);
        (await client.GetAsync("/t/after")).StatusCode.ShouldBe(HttpStatusCode.OK);
        _upstream.Received.ShouldNotContain("/t/many");
    }

    // Literal field without indexing, new name (RFC 7541 §6.2.2).
    internal static byte[] Literal(string name, string value) => [0, (byte)name.Length, .. Encoding.Latin1.GetBytes(name), (byte)value.Length, .. Encoding.Latin1.GetBytes(value)];

    // The status of the first stream: an indexed one, or a literal with an indexed name; 0 = it was reset, or the connection ended.
    private static async Task<int> StatusAsync(NetworkStream stream)
    {
        var header = new byte[9];
        using var limit = new CancellationTokenSource(Deadline.Default);
        try
        {
            while (true)
            {
                await stream.ReadExactlyAsync(header, limit.Token);
                var payload = new byte[header[0] << 16 | header[1] << 8 | header[2]];
                await stream.ReadExactlyAsync(payload, limit.Token);
                if (header[3] is 3 or 7) return 0;
                if (header[3] == 1) return payload[0] switch { 0x88 => 200, 0x8c => 400, 0x8d => 404, 0x8e => 500, var other => -other };
            }
        }
        catch (IOException)
        {
            return 0;
        }
    }

    internal static byte[] Frame(byte type, byte flags, int stream, byte[] payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, (byte)(stream >> 24), (byte)(stream >> 16), (byte)(stream >> 8), (byte)stream, .. payload];
}
