using System.Net;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>The real executable on a free port, with a client for it.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;

    private GatewayProcess(ChildProcess process, Uri address)
    {
        _process = process;
        Address = address;
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false }) { BaseAddress = address, Timeout = Deadline.Default };
    }

    public Uri Address { get; }
    public HttpClient Client { get; }
    public string Output => _process.Output;

    public static Task<GatewayProcess> StartAsync(string config, params string[] more) =>
        ListeningAsync(Launch(["--config", config, "--urls", "http://127.0.0.1:0", .. more]));

    /// <summary>In an environment of .NET; null = none is said.</summary>
    public static Task<GatewayProcess> StartInAsync(string? environment, string config) =>
        ListeningAsync(ChildProcess.StartDotnet(Programs.Gateway, ["--config", config, "--urls", "http://127.0.0.1:0"],
            new Dictionary<string, string?> { ["ASPNETCORE_ENVIRONMENT"] = environment, ["DOTNET_ENVIRONMENT"] = null }));

    /// <summary>With variables of the environment.</summary>
    public static Task<GatewayProcess> StartWithAsync(IReadOnlyDictionary<string, string?> environment, string config, params string[] more) =>
        ListeningAsync(ChildProcess.StartDotnet(Programs.Gateway, ["--config", config, "--urls", "http://127.0.0.1:0", .. more], environment));

    private static async Task<GatewayProcess> ListeningAsync(ChildProcess process)
    {
        var line = await process.WaitForLineAsync(line => line.StartsWith("Listening on ", StringComparison.Ordinal));
        return new GatewayProcess(process, new Uri(line["Listening on ".Length..]));
    }

    public static ChildProcess Launch(params string[] arguments) => ChildProcess.StartDotnet(Programs.Gateway, arguments);

    public Task<HttpResponseMessage> GetAsync(string target, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, target, headers);

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string target, params (string Name, string Value)[] headers)
    {
        var options = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        var request = new HttpRequestMessage(method, new Uri($"{Address.GetLeftPart(UriPartial.Authority)}{target}", in options));
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public Task<string> WaitForLineAsync(Func<string, bool> matches) => _process.WaitForLineAsync(matches);

    /// <summary>Of a gateway that was started with <c>--internal</c>.</summary>
    public async Task<Uri> InternalAddressAsync() => new((await WaitForLineAsync(line => line.StartsWith("Internal on ", StringComparison.Ordinal)))["Internal on ".Length..].Split(' ')[0]);

    public Task<int> StopAsync() => _process.StopAsync();

    public Task KillAsync() => _process.KillAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _process.DisposeAsync();
    }
}

internal static class Routes
{
    public static string File(params string[] routes) => $$"""{ "Routes": [ {{string.Join(",\n", routes)}} ] }""";

    public static string Route(string upstream, string downstream, int port, string more = "") => Route(upstream, downstream, [port], more);

    public static string Route(string upstream, string downstream, int[] ports, string more = "") => $$"""
        { "UpstreamPathTemplate": "{{upstream}}", "DownstreamPathTemplate": "{{downstream}}", "DownstreamScheme": "http",
          "DownstreamHostAndPorts": [ {{string.Join(", ", ports.Select(port => $$"""{ "Host": "127.0.0.1", "Port": {{port}} }"""))}} ]{{(more.Length > 0 ? ", " + more : "")}} }
        """;
}
