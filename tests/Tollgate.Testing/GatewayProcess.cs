using System.Diagnostics;
using System.Net;

namespace Tollgate.Testing;

/// <summary>The gateway's own executable as a process, on a free port, with its data in a folder that outlives restarts of the process.</summary>
public sealed class GatewayProcess : IAsyncDisposable
{
    private readonly string[] _arguments;
    private ChildProcess? _process;

    private GatewayProcess(TempFolder data, string url, string[] arguments)
    {
        (Data, Url, _arguments) = (data, url, arguments);
        Http = new HttpClient { BaseAddress = new Uri(url), Timeout = Deadline.Default };
    }

    public TempFolder Data { get; }
    public string Url { get; }
    public HttpClient Http { get; }
    public ChildProcess Process => _process ?? throw new InvalidOperationException("The gateway does not run.");

    public static async Task<GatewayProcess> StartAsync(string config, params string[] more)
    {
        var data = new TempFolder();
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        var gateway = new GatewayProcess(data, url, ["--config", config, "--urls", url, "--data", data.Path, .. more]);
        await gateway.StartProcessAsync();
        return gateway;
    }

    /// <summary>Starts the process (again), on the same port and data.</summary>
    public async Task StartProcessAsync()
    {
        _process = ChildProcess.StartDotnet(Programs.Gateway, _arguments);
        await _process.WaitForLineAsync(line => line.StartsWith("Listening on ", StringComparison.Ordinal));
    }

    /// <summary>One call with an API key.</summary>
    public async Task<HttpResponseMessage> CallAsync(string path, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (key is not null) request.Headers.Add("X-Api-Key", key);
        return await Http.SendAsync(request);
    }

    /// <summary>
    /// The same, made again when it was refused after the time for which a call waits for its ledger: the machine was too busy for an answer to come back
    /// (<c>docs/limits.md</c>), and nothing is said of the limit.
    /// </summary>
    public async Task<HttpResponseMessage> CallInTimeAsync(string path, string? key)
    {
        while (true)
        {
            var started = Stopwatch.GetTimestamp();
            var answer = await CallAsync(path, key);
            if (answer.StatusCode != HttpStatusCode.TooManyRequests || Stopwatch.GetElapsedTime(started) < TimeSpan.FromMilliseconds(400)) return answer;
            answer.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        Http.Dispose();
        Data.Dispose();
    }
}
