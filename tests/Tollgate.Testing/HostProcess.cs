using Tollgate.ServiceDefaults.Internal;

namespace Tollgate.Testing;

/// <summary>The host as a process of its own, on free ports, with its data in a folder that outlives restarts of the process.</summary>
public sealed class HostProcess : IAsyncDisposable
{
    public const string AdminEmail = "admin@tollgate.test";
    public const string AdminPassword = "an-Admin-passphrase-for-tests-1";
    private readonly string[] _arguments;
    private readonly IReadOnlyDictionary<string, string?> _environment;
    private ChildProcess? _process;

    private HostProcess(TempFolder data, string[] arguments, IReadOnlyDictionary<string, string?> environment) =>
        (Data, _arguments, _environment) = (data, arguments, environment);

    public TempFolder Data { get; }
    public string GatewayUrl { get; private init; } = "";
    public string PortalUrl { get; private init; } = "";
    public string InternalUrl { get; private init; } = "";
    public string Output => _process?.Output ?? "";
    public ChildProcess Process => _process ?? throw new InvalidOperationException("The host does not run.");

    /// <summary>Starts the host and waits until it says that it is up.</summary>
    public static async Task<HostProcess> StartAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var data = new TempFolder();
        var (gateway, portal, @internal) = ($"http://127.0.0.1:{FreePort.Next()}", $"http://127.0.0.1:{FreePort.Next()}", $"http://127.0.0.1:{FreePort.Next()}");
        var host = new HostProcess(data,
            ["--Data", data.Path, "--Listen:Gateway", gateway, "--Listen:Portal", portal, "--Listen:Internal", @internal, .. arguments],
            environment ?? new Dictionary<string, string?>())
        {
            GatewayUrl = gateway,
            PortalUrl = portal,
            InternalUrl = @internal,
        };
        await host.StartProcessAsync();
        return host;
    }

    /// <summary>The control plane of a cluster: PostgreSQL, the demo's catalogue, and a gateway token.</summary>
    public static Task<HostProcess> StartControlPlaneAsync(string? postgres, string gatewayToken, params string[] more) => StartAsync(
    [
        "--roles", "identity,billing,portal", "--Demo", "true", "--Identity:AdminEmail", AdminEmail, "--Identity:AdminPassword", AdminPassword,
        "--ControlPlane:GatewayTokenSha256:0", GatewayToken.Sha256(gatewayToken),
        .. postgres is null ? Array.Empty<string>() : ["--ConnectionStrings:Postgres", postgres], .. more,
    ]);

    /// <summary>Starts the process (again), on the same ports and data.</summary>
    public async Task StartProcessAsync()
    {
        _process = ChildProcess.StartDotnet(Programs.Host, _arguments, _environment, Data.Path);
        await _process.WaitForLineAsync(line => line.Contains("Tollgate is up", StringComparison.Ordinal));
    }

    public Task<int> StopAsync() => Process.StopAsync();

    public Task KillAsync() => Process.KillAsync();

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        Data.Dispose();
    }
}
