using Microsoft.Extensions.DependencyInjection.Extensions;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Metering;

/// <summary>Puts the journal, and where there is a control plane its shipper, into a gateway.</summary>
internal static class MeteringServices
{
    /// <summary>
    /// Opens the journal at once, so that a gateway that cannot keep its usage does not start. Adds nothing when there is no data folder.
    /// The container closes the journal after the server and the shipper have stopped.
    /// </summary>
    /// <returns>The journal; null without a data folder.</returns>
    public static Journal? AddMetering(this IServiceCollection services, GatewayOptions options, ILoggerFactory loggers, TimeProvider? time = null)
    {
        if (options.Data is null) return null;
        time ??= TimeProvider.System;
        var journal = Journal.Open(
            new JournalOptions { DataFolder = options.Data, Ships = options.ControlPlane is not null }, time, loggers.CreateLogger<Journal>());
        services.AddSingleton(_ => journal);
        if (options.ControlPlane is not { } controlPlane) return journal;
        services.TryAddSingleton(provider => new UsageShipper(
            provider.GetRequiredService<Journal>(), controlPlane, options.Token, UsageShipper.CreateClient(), time, loggers.CreateLogger<UsageShipper>(),
            controlPlaneUp: options.ControlPlaneUp));
        services.AddHostedService(provider => provider.GetRequiredService<UsageShipper>());
        return journal;
    }
}
