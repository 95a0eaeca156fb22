using System.Net;
using System.Net.Sockets;
using System.Text;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Services that take a call and close the connection without a word: how often is it sent?</summary>
public sealed class LostConnectionTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly TcpListener _closing = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private StubUpstream _well = null!;
    private GatewayProcess _gateway = null!;
    private Task _accepting = null!;
    private int _heads;

    public async Task InitializeAsync()
    {
        _closing.Start();
        _accepting = CloseAllAsync();
        _well = await StubUpstream.StartAsync(http => Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(http.Response, "well"));
        var closing = ((IPEndPoint)_closing.LocalEndpoint).Port;
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", Routes.File(
            Routes.Route("/alone", "/", closing),
            Routes.Route("/beside", "/", [closing, _well.Port], "\"Tollgate\": { \"LoadBalancing\": { \"Policy\": \"First\" }, \"HealthChecks\": { \"Passive\": { \"Failures\": 1000 } } }"),
            Routes.Route("/once", "/", [closing, _well.Port], "\"Tollgate\": { \"LoadBalancing\": { \"Policy\": \"First\" }, \"Retry\": { \"Attempts\": 1 } }"),
            Routes.Route("/posted", "/", [closing, _well.Port], "\"DownstreamHttpMethod\": \"POST\", \"Tollgate\": { \"LoadBalancing\": { \"Policy\": \"First\" } }"),
            Routes.Route("/canary", "/", _well.Port, $$"""
                "Tollgate": { "Canary": { "Hosts": [ { "Host": "127.0.0.1", "Port": {{FreePort.Next()}} } ], "Percent": 100 } }
                """))));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _stop.CancelAsync();
        _closing.Stop();
        await _accepting;
        await _well.DisposeAsync();
        _stop.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PATCH")]
    [InlineData("LOCK")]
    public async Task What_may_not_be_done_twice_is_sent_once_also_without_a_body(string method)
    {
        foreach (var length in new[] { "", "Content-Length: 0\r\n" })
        {
            var before = Volatile.Read(ref _heads);
            (await RawClient.AskAsync(_gateway.Client.BaseAddress!, $"{method} /beside HTTP/1.1\r\nHost: here\r\n{length}\r\n")).ShouldStartWith("HTTP/1.1 502");
            (Volatile.Read(ref _heads) - before).ShouldBe(1);
        }
    }

    [Fact]
    public async Task A_call_that_is_lost_goes_to_another_host_and_not_to_the_same_again()
    {
        (await _gateway.Client.GetStringAsync("/beside")).ShouldBe("well");
        Volatile.Read(ref _heads).ShouldBe(1);
    }

    [Fact]
    public async Task One_attempt_is_one_attempt()
    {
        await (await _gateway.GetAsync("/once")).ShouldBeProblemAsync(502, "upstream-unreachable");
        await (await _gateway.GetAsync("/alone")).ShouldBeProblemAsync(502, "upstream-unreachable");
        Volatile.Read(ref _heads).ShouldBe(2);
    }

    [Fact]
    public async Task What_a_route_makes_a_post_of_is_a_post()
    {
        await (await _gateway.GetAsync("/posted")).ShouldBeProblemAsync(502, "upstream-unreachable");
        Volatile.Read(ref _heads).ShouldBe(1);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task A_canary_that_takes_no_connection_costs_no_call(string method)
    {
        for (var i = 0; i < 3; i++)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "/canary") { Content = method == "POST" ? new StringContent("body") : null };
            using var answer = await _gateway.Client.SendAsync(request);
            (await answer.Content.ReadAsStringAsync()).ShouldBe("well");
        }
    }

    private async Task CloseAllAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _closing.AcceptTcpClientAsync(_stop.Token);
                var head = new StringBuilder();
                var buffer = new byte[4096];
                while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal) && await client.GetStream().ReadAsync(buffer, _stop.Token) is var read and > 0) head.Append(Encoding.ASCII.GetString(buffer, 0, read));
                if (head.Length > 0) Interlocked.Increment(ref _heads);
                client.Client.Shutdown(SocketShutdown.Both);
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
        {
        }
    }
}
