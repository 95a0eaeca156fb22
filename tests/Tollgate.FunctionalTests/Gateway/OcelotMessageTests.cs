using System.IO.Compression;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>What of messages passes as it is, over HTTP and in WebSockets, and the codes of the gateway itself.</summary>
public sealed class OcelotMessageTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private StubUpstream _upstream = null!;
    private StubUpstream _second = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(AnswerAsync);
        _second = await StubUpstream.StartAsync(AnswerAsync);
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", Routes.File(
            Routes.Route("/t/{rest}", "/{rest}", _upstream.Port),
            Routes.Route("/ws", "/socket", _upstream.Port).Replace("\"http\"", "\"ws\""),
            Routes.Route("/turns", "/socket", [_upstream.Port, _second.Port], "\"LoadBalancerOptions\": { \"Type\": \"RoundRobin\" }").Replace("\"http\"", "\"ws\""),
            Routes.Route("/rr", "/port", [_upstream.Port, _second.Port], "\"LoadBalancerOptions\": { \"Type\": \"RoundRobin\" }"),
            Routes.Route("/none", "/port", [_upstream.Port, _second.Port], "\"LoadBalancerOptions\": { \"Type\": \"NoLoadBalancer\" }"),
            Routes.Route("/deadws", "/", FreePort.Next()).Replace("\"http\"", "\"ws\""),
            Routes.Route("/late", "/never", _upstream.Port, "\"Timeout\": 1"),
            Routes.Route("/usual", "/slow", _upstream.Port, "\"Timeout\": 0"),
            Routes.Route("/ranges", "/port", _upstream.Port, "\"SecurityOptions\": { \"IPAllowedList\": [ \"10.0.0.0/8\", \"192.168.0.0/255.255.0.0\", \"127.0.0.1-127.0.0.9\", \"172.16.0.1-9\", \"fd00::/64\" ] }"),
            Routes.Route("/shut", "/port", _upstream.Port, "\"SecurityOptions\": { \"IPBlockedList\": [ \"127.0.0.1-9\" ] }"))));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        await _second.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task An_answers_head_passes_as_it_is()
    {
        var answer = await _gateway.GetAsync("/t/head");

        ((int)answer.StatusCode).ShouldBe(299);
        answer.ReasonPhrase.ShouldBe("Made up");
        answer.Headers.GetValues("Set-Cookie").ShouldBe(["a=1; path=/", "b=2"]);
        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/plain; x=1");
        answer.Headers.GetValues("X-Many").ShouldBe(["one", "two"]);
    }

    [Fact]
    public async Task Bodies_keep_their_framing_and_their_coding()
    {
        (await BodyAsync(new ByteArrayContent("hello"u8.ToArray()))).ShouldBe("5||hello");
        (await BodyAsync(new ByteArrayContent([]))).ShouldBe("0||");
        (await BodyAsync(new Chunked("streamed"))).ShouldBe("|chunked|streamed");
        (await (await _gateway.GetAsync("/t/body")).Content.ReadAsStringAsync()).ShouldBe("||");

        var packed = await _gateway.GetAsync("/t/gzip", ("Accept-Encoding", "gzip"));
        packed.Content.Headers.ContentEncoding.ShouldBe(["gzip"]);
        await using var unpacked = new GZipStream(await packed.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var reader = new StreamReader(unpacked);
        (await reader.ReadToEndAsync()).ShouldBe("packed");

        async Task<string> BodyAsync(HttpContent content) => await (await _gateway.Client.PostAsync("/t/body", content)).Content.ReadAsStringAsync();
    }

    [Fact]
    public async Task Hosts_take_strict_turns_under_load_or_the_first_has_all()
    {
        var ports = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => TextAsync("/rr")));
        ports.Count(port => port == $"{_upstream.Port}").ShouldBe(20);
        for (var i = 0; i < 3; i++) (await TextAsync("/none")).ShouldBe($"{_upstream.Port}");
    }

    [Fact]
    public async Task A_routes_time_out_is_kept_and_zero_is_the_usual_one()
    {
        await (await _gateway.GetAsync("/late")).ShouldBeProblemAsync(504, "upstream-timeout");
        (await TextAsync("/usual")).ShouldBe("slow");
    }

    [Fact]
    public async Task Every_form_of_an_address_range_is_understood()
    {
        (await _gateway.GetAsync("/ranges")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await _gateway.GetAsync("/shut")).ShouldBeProblemAsync(403, "ip-not-allowed");
    }

    [Fact]
    public async Task A_WebSocket_carries_text_binary_fragments_sub_protocols_and_close_codes()
    {
        using var socket = await ConnectAsync("/ws", "chat");
        socket.SubProtocol.ShouldBe("chat");
        _upstream.Seen.Last().Headers["X-Mine"].ShouldBe("yes");

        var large = Encoding.UTF8.GetBytes(new string('x', 100_000));
        await socket.SendAsync(large.AsMemory(0, 60_000), WebSocketMessageType.Text, false, default);
        await socket.SendAsync(large.AsMemory(60_000), WebSocketMessageType.Text, true, default);
        var (type, text) = await ReceiveAsync(socket);
        (type, text.Length).ShouldBe((WebSocketMessageType.Text, 100_000));

        await socket.SendAsync(new byte[] { 1, 2, 3 }, WebSocketMessageType.Binary, true, default);
        (await ReceiveAsync(socket)).Bytes.ShouldBe([1, 2, 3]);

        await socket.CloseAsync((WebSocketCloseStatus)4001, "enough", default);
        ((int)socket.CloseStatus!).ShouldBe(4002);
    }

    [Fact]
    public async Task WebSockets_take_turns_too_and_what_cannot_be_reached_is_said()
    {
        for (var i = 0; i < 4; i++) (await ConnectAsync("/turns", null)).Dispose();
        _second.Seen.Count(call => call.Target == "/socket").ShouldBe(2);

        (await StatusAsync("/deadws")).ShouldBe(HttpStatusCode.BadGateway);
        (await StatusAsync("/nowhere")).ShouldBe(HttpStatusCode.NotFound);
    }

    private async Task<ClientWebSocket> ConnectAsync(string path, string? protocol)
    {
        var socket = new ClientWebSocket();
        if (protocol is not null) socket.Options.AddSubProtocol(protocol);
        socket.Options.SetRequestHeader("X-Mine", "yes");
        await socket.ConnectAsync(new Uri($"ws://{_gateway.Address.Authority}{path}"), default);
        return socket;
    }

    private async Task<HttpStatusCode> StatusAsync(string path)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        await Should.ThrowAsync<WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://{_gateway.Address.Authority}{path}"), default));
        return socket.HttpStatusCode;
    }

    private static async Task<(WebSocketMessageType Type, byte[] Bytes)> ReceiveAsync(ClientWebSocket socket)
    {
        var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), default);
            bytes.Write(buffer, 0, part.Count);
            if (part.EndOfMessage) return (part.MessageType, bytes.ToArray());
        }
    }

    private async Task<string> TextAsync(string target) => await (await _gateway.GetAsync(target)).Content.ReadAsStringAsync();

    private static async Task AnswerAsync(HttpContext http)
    {
        var response = http.Response;
        switch (http.Request.Path.Value)
        {
            case "/head":
                response.StatusCode = 299;
                http.Features.Get<IHttpResponseFeature>()!.ReasonPhrase = "Made up";
                response.Headers.SetCookie = new(["a=1; path=/", "b=2"]);
                response.Headers["X-Many"] = new(["one", "two"]);
                response.ContentType = "text/plain; x=1";
                break;
            case "/body":
                using (var reader = new StreamReader(http.Request.Body))
                    await response.WriteAsync($"{http.Request.ContentLength}|{http.Request.Headers.TransferEncoding}|{await reader.ReadToEndAsync()}");
                break;
            case "/gzip":
                response.Headers.ContentEncoding = "gzip";
                await using (var packed = new GZipStream(response.Body, CompressionLevel.Fastest)) await packed.WriteAsync("packed"u8.ToArray());
                break;
            case "/never": await Task.Delay(Timeout.Infinite, http.RequestAborted); break;
            case "/slow":
                await Task.Delay(1200);
                await response.WriteAsync("slow");
                break;
            case "/socket" when http.WebSockets.IsWebSocketRequest:
                using (var socket = await http.WebSockets.AcceptWebSocketAsync(http.WebSockets.WebSocketRequestedProtocols.FirstOrDefault())) await EchoAsync(socket);
                break;
            default: await response.WriteAsync($"{http.Connection.LocalPort}"); break;
        }
    }

    private static async Task EchoAsync(WebSocket socket)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(), default);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    await socket.CloseOutputAsync((WebSocketCloseStatus)4002, "bye", default);
                    return;
                }

                await socket.SendAsync(buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, default);
            }
        }
        catch (WebSocketException)
        {
            // The test hung up.
        }
    }

    private sealed class Chunked(string text) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
