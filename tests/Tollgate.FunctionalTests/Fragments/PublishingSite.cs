using Tollgate.ServiceDefaults.Internal;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Fragments;

/// <summary>A control plane with its administrator, and two gateways that follow it, each a process: where services publish their routes.</summary>
internal sealed class PublishingSite : IAsyncDisposable
{
    private const int GatewaysOfASite = 2;

    private readonly List<Testing.GatewayProcess> _gateways = [];

    private PublishingSite(HostProcess control, PortalPerson admin, string token) => (Control, Admin, Token) = (control, admin, token);

    public HostProcess Control { get; }
    public PortalPerson Admin { get; }

    /// <summary>What the gateways show to the control plane, and operators to the gateways.</summary>
    public string Token { get; }

    public IReadOnlyList<Testing.GatewayProcess> Gateways => _gateways;

    /// <param name="files">The gateways' own routes.</param>
    /// <param name="postgres">Null = SQLite.</param>
    /// <param name="more">Further arguments of the gateway of this number.</param>
    public static async Task<PublishingSite> StartAsync(string files, string? postgres = null, Func<int, string[]>? more = null)
    {
        var token = GatewayToken.New();
        var control = await HostProcess.StartControlPlaneAsync(postgres, token);
        var site = new PublishingSite(control, new PortalPerson(control.PortalUrl, control.Data.Path), token);
        await site.Admin.SignInAsync(HostProcess.AdminEmail, HostProcess.AdminPassword);
        for (var i = 0; i < GatewaysOfASite; i++)
            site._gateways.Add(await Testing.GatewayProcess.StartAsync(files, [$"--Gateway:ControlPlane={control.InternalUrl}", $"--Gateway:Token={token}", .. more?.Invoke(i) ?? []]));
        return site;
    }

    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        foreach (var gateway in _gateways) await gateway.DisposeAsync();
        await Control.DisposeAsync();
    }
}
