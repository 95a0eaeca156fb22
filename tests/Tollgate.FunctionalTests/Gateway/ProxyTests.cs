using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>A file that points at real upstreams, and no account anywhere.</summary>
public sealed class ProxyTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private StubUpstream _echo = null!;
    private StubUpstream _second = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _echo = await StubUpstream.StartAsync(Echo);
        _second = await StubUpstream.StartAsync(Echo);
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", Routes.File(
            Routes.Route("/t/{everything}", "/{everything}", _echo.Port),
            Routes.Route("/items/{id}/parts", "/i/{id}?part=all", _echo.Port, "\"UpstreamHttpMethod\": [ \"Get\" ]"),
            Routes.Route("/hosted", "/any", _echo.Port),
            Routes.Route("/hosted", "/mine", _echo.Port, "\"UpstreamHost\": \"mine.example\""),
            Routes.Route("/turns", "/", [_echo.Port, _second.Port], "\"LoadBalancerOptions\": { \"Type\": \"RoundRobin\" }"),
            Routes.Route("/half", "/half", [FreePort.Next(), _echo.Port]),
            Routes.Route("/dead", "/", FreePort.Next()),
            Routes.Route("/slow", "/slow", _echo.Port, "\"Timeout\": 1"))));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _echo.DisposeAsync();
        await _second.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Path_query_method_and_body_reach_the_upstream_as_they_were_sent()
    {
        var answer = await _gateway.Client.PostAsync("/t/a/b?x=1&y=%20&x=2", new StringContent("hello"));

        var seen = await ReadAsync(answer);
        seen.GetProperty("method").GetString().ShouldBe("POST");
        seen.GetProperty("target").GetString().ShouldBe("/a/b?x=1&y=%20&x=2");
        seen.GetProperty("body").GetString().ShouldBe("hello");
        seen.GetProperty("headers").GetProperty("content-length").GetString().ShouldBe("5");
    }

    [Theory]
    [InlineData("/t/a%2Fb/%20/%C3%A9/%25", "/a%2Fb/%20/%C3%A9/%25")]
    [InlineData("/t/x/../y", "/y")]
    [InlineData("/items/7/parts?part=none&more=1", "/i/7?part=all&more=1")]
    public async Task Templates_are_filled(string target, string sent) =>
        (await ReadAsync(await _gateway.GetAsync(target))).GetProperty("target").GetString().ShouldBe(sent);

    [Fact]
    public async Task Methods_and_hosts_choose_the_route()
    {
        await (await _gateway.SendAsync(HttpMethod.Delete, "/items/7/parts")).ShouldBeProblemAsync(404, "unknown-route");
        await (await _gateway.GetAsync("/nowhere")).ShouldBeProblemAsync(404, "unknown-route");
        (await ReadAsync(await _gateway.GetAsync("/hosted"))).GetProperty("target").GetString().ShouldBe("/any");
        (await ReadAsync(await _gateway.GetAsync("/hosted", ("Host", "mine.example")))).GetProperty("target").GetString().ShouldBe("/mine");
    }

    [Fact]
    public async Task Several_hosts_take_strict_turns()
    {
        var ports = new List<int>();
        for (var i = 0; i < 6; i++) ports.Add((await ReadAsync(await _gateway.GetAsync("/turns"))).GetProperty("port").GetInt32());

        ports.ShouldBe([_echo.Port, _second.Port, _echo.Port, _second.Port, _echo.Port, _second.Port]);
    }

    [Fact]
    public async Task A_host_that_takes_no_connection_costs_no_call_while_another_does()
    {
        for (var i = 0; i < 4; i++)
        {
            (await _gateway.GetAsync("/half")).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await ReadAsync(await _gateway.Client.PostAsync("/half", new StringContent("kept")))).GetProperty("body").GetString().ShouldBe("kept");
        }
    }

    [Fact]
    public async Task A_dead_upstream_is_502_and_a_slow_one_504_and_neither_is_named()
    {
        (await (await _gateway.GetAsync("/dead")).ShouldBeProblemAsync(502, "upstream-unreachable")).ToString().ShouldNotContain("127.0.0.1");
        (await (await _gateway.GetAsync("/slow")).ShouldBeProblemAsync(504, "upstream-timeout")).ToString().ShouldNotContain(_echo.Port.ToString());
    }

    [Fact]
    public async Task A_body_of_100_MB_is_refused_with_413_whether_or_not_it_says_its_length()
    {
        (await SendLargeAsync("Content-Length: 104857600\r\n", chunked: false)).ShouldStartWith("HTTP/1.1 413");
        (await SendLargeAsync("Transfer-Encoding: chunked\r\n", chunked: true)).ShouldStartWith("HTTP/1.1 413");
        (await _gateway.GetAsync("/t/after")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_huge_header_is_431()
    {
        var answer = await _gateway.GetAsync("/t/x", ("X-Huge", new string('a', 60_000)));

        answer.StatusCode.ShouldBe(HttpStatusCode.RequestHeaderFieldsTooLarge);
    }

    [Fact]
    public async Task A_header_that_is_not_ASCII_is_not_sent_on()
    {
        var answer = await RawClient.AskAsync(_gateway.Address, "GET /t/x HTTP/1.1\r\nHost: h\r\nX-Name: J\u00c3\u00bcrgen\r\nConnection: close\r\n\r\n");    // in UTF-8

        answer.ShouldStartWith("HTTP/1.1 400");
        answer.ShouldContain("bad-request");
    }

    [Fact]
    public async Task Headers_of_the_hop_end_here_and_the_caller_is_named()
    {
        var answer = await _gateway.GetAsync("/t/x", ("Connection", "X-Private"), ("X-Private", "1"), ("Proxy-Authorization", "secret"), ("TE", "trailers"), ("X-Forwarded-For", "1.2.3.4"), ("X-Kept", "2"));

        var headers = (await ReadAsync(answer)).GetProperty("headers");
        foreach (var gone in new[] { "x-private", "proxy-authorization", "te", "connection" }) headers.TryGetProperty(gone, out _).ShouldBeFalse(gone);
        headers.GetProperty("x-kept").GetString().ShouldBe("2");
        headers.GetProperty("x-forwarded-for").GetString().ShouldBe("127.0.0.1");
        headers.GetProperty("x-forwarded-proto").GetString().ShouldBe("http");
        headers.GetProperty("x-forwarded-host").GetString().ShouldBe(_gateway.Address.Authority);
        headers.GetProperty("host").GetString().ShouldBe($"127.0.0.1:{_echo.Port}");
        (await _gateway.GetAsync("/nowhere")).Headers.Contains("Server").ShouldBeFalse();
    }

    [Fact]
    public async Task Every_answer_carries_a_request_id_that_the_upstream_saw_too()
    {
        var own = await _gateway.GetAsync("/t/x");
        var id = own.Headers.GetValues("X-Request-Id").ShouldHaveSingleItem();
        Guid.Parse(id).Version.ShouldBe(7);
        (await ReadAsync(own)).GetProperty("headers").GetProperty("x-request-id").GetString().ShouldBe(id);

        (await _gateway.GetAsync("/t/x", ("X-Request-Id", "mine-1"))).Headers.GetValues("X-Request-Id").ShouldBe(["mine-1"]);
        (await _gateway.GetAsync("/nowhere", ("X-Request-Id", "mine 2"))).Headers.GetValues("X-Request-Id").ShouldNotBe(["mine 2"]);
    }

    [Fact]
    public async Task An_event_arrives_before_the_stream_ends()
    {
        var answer = await _gateway.GetAsync("/t/events");
        await using var stream = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte["data: 1\n\n".Length];

        await stream.ReadExactlyAsync(buffer);
        Encoding.ASCII.GetString(buffer).ShouldBe("data: 1\n\n");
        (await _gateway.GetAsync("/t/release")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await stream.ReadExactlyAsync(buffer);
        Encoding.ASCII.GetString(buffer).ShouldBe("data: 2\n\n");
        (await stream.ReadAsync(buffer)).ShouldBe(0);
    }

    [Fact]
    public async Task A_caller_that_goes_away_takes_the_upstream_call_with_it()
    {
        using var gone = new CancellationTokenSource();
        var call = _gateway.Client.GetAsync("/t/wait", gone.Token);
        await Deadline.UntilAsync("the call reaches the upstream", () => Task.FromResult(_echo.Seen.Any(seen => seen.Target == "/wait")));

        await gone.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(call);
        await Aborted.Task.WaitAsync(Deadline.Default);
    }

    [Fact]
    public async Task A_WebSocket_is_carried_both_ways()
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_gateway.Address.Authority}/t/socket"), CancellationToken.None);
        var buffer = new byte[100];

        foreach (var word in new[] { "one", "two" })
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(word), WebSocketMessageType.Text, true, CancellationToken.None);
            var received = await socket.ReceiveAsync(buffer, CancellationToken.None);
            Encoding.ASCII.GetString(buffer, 0, received.Count).ShouldBe(word);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", CancellationToken.None);
        socket.CloseStatus.ShouldBe(WebSocketCloseStatus.NormalClosure);
    }

    private static readonly TaskCompletionSource Release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private static readonly TaskCompletionSource Aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static async Task Echo(HttpContext http)
    {
        switch (http.Request.Path.Value)
        {
            case "/slow":
                await Task.Delay(Timeout.Infinite, http.RequestAborted);
                return;
            case "/wait":
                http.RequestAborted.Register(() => Aborted.TrySetResult());
                await Task.Delay(Timeout.Infinite, http.RequestAborted);
                return;
            case "/release":
                Release.TrySetResult();
                return;
            case "/events":
                http.Response.ContentType = "text/event-stream";
                await http.Response.WriteAsync("data: 1\n\n");
                await http.Response.Body.FlushAsync();
                await Release.Task.WaitAsync(Deadline.Default);
                await http.Response.WriteAsync("data: 2\n\n");
                return;
            case "/socket":
                using (var socket = await http.WebSockets.AcceptWebSocketAsync())
                {
                    var buffer = new byte[1000];
                    WebSocketReceiveResult received;
                    while ((received = await socket.ReceiveAsync(buffer, http.RequestAborted)).MessageType != WebSocketMessageType.Close)
                        await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, http.RequestAborted);
                    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", http.RequestAborted);
                }

                return;
        }

        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync();
        await http.Response.WriteAsJsonAsync(new
        {
            port = http.Connection.LocalPort,
            method = http.Request.Method,
            target = http.Features.Get<IHttpRequestFeature>()!.RawTarget,
            headers = http.Request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString()),
            body,
        });
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement.Clone();
    }

    private async Task<string> SendLargeAsync(string framing, bool chunked)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_gateway.Address.Host, _gateway.Address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /t/large HTTP/1.1\r\nHost: h\r\n{framing}\r\n"));
        var answer = ReadHeadAsync(stream);
        var block = new byte[1 << 16];
        try
        {
            for (var sent = 0; sent < 100 << 20 && !answer.IsCompleted; sent += block.Length)
            {
                if (chunked) await stream.WriteAsync("10000\r\n"u8.ToArray());
                await stream.WriteAsync(block);
                if (chunked) await stream.WriteAsync("\r\n"u8.ToArray());
            }
        }
        catch (IOException)
        {
            // The gateway has heard enough.
        }

        return await answer;
    }

    private static async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        using var limit = new CancellationTokenSource(Deadline.Default);
        try
        {
            while (await stream.ReadAsync(buffer, limit.Token) is var read and > 0)
            {
                text.Append(Encoding.ASCII.GetString(buffer, 0, read));
                if (text.ToString().Contains("\r\n\r\n")) break;
            }
        }
        catch (IOException) when (text.Length > 0)
        {
        }

        return text.ToString();
    }
}
