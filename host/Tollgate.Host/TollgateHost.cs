using System.Data.Common;
using Tollgate.Gateway;
using Tollgate.Gateway.Ocelot;
using Tollgate.Host.Demo;
using Tollgate.ServiceDefaults;
using Tollgate.ServiceDefaults.Internal;

namespace Tollgate.Host;

/// <summary>Starts and stops the parts of one process in their order: calls come first and go last-in-first-out.</summary>
internal static class TollgateHost
{
    /// <summary>How long a start that comes to nothing lets the control plane answer what it was asked: nobody waits for it, and what it needs must not go first, however busy the machine is.</summary>
    public static readonly TimeSpan EndsWithinWhenNotUp = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var configuration = Settings.Known.Read(args);
            await RunAsync(configuration, HostOptions.Read(configuration));
            return 0;
        }
        catch (SettingsException wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 2;
        }
        catch (ConfigurationException wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 2;
        }
        catch (Microsoft.Extensions.Options.OptionsValidationException wrong)
        {
            await Console.Error.WriteLineAsync(string.Join('\n', wrong.Failures));
            return 2;
        }
        catch (InvalidOperationException wrong) when (wrong.Message.StartsWith("Failed to convert configuration value", StringComparison.Ordinal))
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 2;
        }
        catch (IOException taken) when (taken.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            await Console.Error.WriteLineAsync($"{taken.Message} Choose others with --Listen:Gateway, --Listen:Portal and --Listen:Internal.");
            return 1;
        }
        catch (OperationCanceledException)
        {
            return 0;   // asked to stop while still starting
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException or FormatException or DbException)
        {
            // Files, addresses and servers that this process was pointed at.
            await Console.Error.WriteLineAsync(unusable is DbException ? $"The database refuses: {unusable.Message}" : unusable.Message);
            return 1;
        }
    }

    private static async Task RunAsync(IConfigurationRoot configuration, HostOptions options)
    {
        if (options.Has(Roles.ControlPlane)) ListenAddress.Try("--Listen:Portal", options.PortalUrls);
        ListenAddress.Try("--Listen:Internal", options.InternalUrl);
        using var stop = new StopSignal();
        await using var demo = options.Demo ? await DemoUpstream.StartAsync(stop.Asked) : null;
        using var logs = LoggerFactory.Create(logging => logging.AddConfiguration(configuration.GetSection("Logging")).UseTollgateConsole());

        var settings = new Dictionary<string, string?>
        {
            ["Identity:PublicUrl"] = configuration["Identity:PublicUrl"] ?? OriginOf(configuration["Identity:Issuer"]) ?? ListenAddress.Public(options.PortalUrls),
            ["Gateway:PublicUrl"] = configuration["Gateway:PublicUrl"] ?? ListenAddress.Public(options.GatewayUrls),
        };
        var localToken = options.Has(Roles.ControlPlane) && options.Has(Roles.Gateway) ? LocalGatewayToken.Of(options.DataFolder) : null;
        if (localToken is not null) settings[$"{GatewayTokenOptions.Section}:{nameof(GatewayTokenOptions.GatewayTokenSha256)}:local"] = GatewayToken.Sha256(localToken);

        var readiness = new Readiness();
        var controlPlaneUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var gateway = options.Has(Roles.Gateway)
            ? GatewayServer.Create(GatewayOptionsOf(configuration, options, localToken, demo, controlPlaneUp.Task), logs)
            : null;
        await using var app = ControlPlane.Build(configuration, options, settings, gateway, readiness);

        // The gateway serves from its last good state while the control plane, or its database, is still on its way.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop.Asked);
        var serving = gateway?.StartAsync(ending.Token) ?? Task.CompletedTask;
        var isUp = false;
        try
        {
            if (serving.IsFaulted) await serving;   // routes that cannot be used: said before anything listens
            var news = await StartControlPlaneAsync(app, options, ending.Token);
            controlPlaneUp.SetResult();
            await serving;
            readiness.Ready();
            isUp = true;
            Banner.Print(options, settings, news);
            await stop.WaitAsync();
        }
        finally
        {
            // A part that could not start ends the others as a signal does: whoever asks another of them goes before it.
            readiness.Stopping();
            await ending.CancelAsync();
            await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (gateway is not null) await gateway.StopAsync(CancellationToken.None);
            using var patience = new CancellationTokenSource(isUp ? EndsWithin : EndsWithinWhenNotUp);
            await app.StopAsync(patience.Token);
        }
    }

    private static async Task<FirstStart> StartControlPlaneAsync(WebApplication app, HostOptions options, CancellationToken cancel)
    {
        if (!options.Has(Roles.ControlPlane))
        {
            await app.StartAsync(cancel);
            return new FirstStart(null, null);
        }

        var admin = await ControlPlane.SetUpAsync(app, options, cancel);
        var key = options.Demo ? await DemoAccount.KeyAsync(app.Services, options.DataFolder, admin, cancel) : null;
        await app.StartAsync(cancel);
        return new FirstStart(admin, key);
    }

    /// <summary>The pages that sign people in stand where the issuer does.</summary>
    private static string? OriginOf(string? issuer) =>
        Uri.TryCreate(issuer, UriKind.Absolute, out var told) && told.Scheme is "http" or "https" ? told.GetLeftPart(UriPartial.Authority) : null;

    private static bool IsOwnIssuer(GatewayOptions read, HostOptions options) => read.Authority is null && options.Consumers is null && options.Has(Roles.Identity);

    private static string OwnIssuer(IConfiguration configuration, HostOptions options) =>
        configuration["Identity:Issuer"] ?? configuration["Identity:PublicUrl"] ?? ListenAddress.Public(options.PortalUrls);

    private static GatewayOptions GatewayOptionsOf(IConfiguration configuration, HostOptions options, string? localToken, DemoUpstream? demo, Task localControlPlaneUp)
    {
        var config = options.Config ?? (demo is null ? throw new SettingsException("A gateway needs routes: --config <ocelot.json|folder>.") : DemoUpstream.Routes);
        var read = GatewayOptions.Read(configuration, config, options.GatewayUrls);
        return read with
        {
            Consumers = options.Consumers,
            Data = Path.Combine(options.DataFolder, "gateway"),
            ControlPlane = options.Consumers is not null ? null : localToken is not null ? new Uri(options.InternalUrl) : read.ControlPlane,
            ControlPlaneUp = localToken is null ? Task.CompletedTask : localControlPlaneUp,
            Token = localToken ?? read.Token,
            // The identity service of this very process signs what its own clients bring, unless another one is named.
            Authority = read.Authority ?? (IsOwnIssuer(read, options) ? OwnIssuer(configuration, options) : null),
            Issuer = read.Issuer ?? (IsOwnIssuer(read, options) ? OwnIssuer(configuration, options) : null),
            Variables = demo is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["TOLLGATE_DEMO_PORT"] = demo.Port.ToString() },
        };
    }
}
