using Tollgate.ServiceDefaults;

namespace Tollgate.Host;

/// <summary>How this process was asked to run, read once from the command line and the environment. What cannot be is refused with a sentence.</summary>
internal sealed class HostOptions
{
    private HostOptions()
    {
    }

    public required Roles Roles { get; init; }

    /// <summary>Where calls arrive; <c>--Listen:Gateway</c>.</summary>
    public required string GatewayUrls { get; init; }

    /// <summary>Where people and the management API are; <c>--Listen:Portal</c>.</summary>
    public required string PortalUrls { get; init; }

    /// <summary>Health, metrics, feeds and ingest; <c>--Listen:Internal</c>.</summary>
    public required string InternalUrl { get; init; }

    public required string DataFolder { get; init; }

    /// <summary>The route file or folder; null = the demo's.</summary>
    public required string? Config { get; init; }

    public required string? Consumers { get; init; }

    /// <summary>Offer the demo product: by default in the all-in-one that was given no routes of its own.</summary>
    public required bool Demo { get; init; }

    public bool Has(Roles role) => (Roles & role) != 0;

    /// <exception cref="SettingsException">Something does not fit; the message says what to write instead.</exception>
    public static HostOptions Read(IConfiguration configuration)
    {
        var roles = ReadRoles(configuration["roles"]);
        var urls = configuration["urls"];
        if (urls is not null && roles.HasFlag(Roles.Gateway) && (roles & Roles.ControlPlane) != 0)
            throw new SettingsException("--urls names one door, and this process has two: use --Listen:Gateway and --Listen:Portal.");

        var config = configuration["config"];
        if (config is not null && !File.Exists(config) && !Directory.Exists(config))
            throw new SettingsException($"--config {config}: no such file or folder.");

        var portal = configuration["Listen:Portal"] ?? urls ?? "http://localhost:8090";
        return new HostOptions
        {
            Roles = roles,
            GatewayUrls = ListenAddress.Settle("--Listen:Gateway", configuration["Listen:Gateway"] ?? urls ?? "http://localhost:8080"),
            PortalUrls = (roles & Roles.ControlPlane) == 0 ? ListenAddress.Settle("--Listen:Portal", portal) : ListenAddress.SettlePlain("--Listen:Portal", portal),
            // A process that was told its public door alone is one of several on this machine: it takes any free internal port.
            InternalUrl = ListenAddress.SettlePlain("--Listen:Internal",
                configuration["Listen:Internal"] ?? (urls is null ? "http://127.0.0.1:8099" : "http://127.0.0.1:0")),
            DataFolder = ServiceDefaults.DataFolder.Of(configuration),
            Config = config,
            Consumers = configuration["consumers"],
            Demo = configuration["Demo"] is { } told ? IsYes(told) : roles == Roles.All && config is null,
        };
    }

    private static Roles ReadRoles(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return Roles.All;
        var roles = default(Roles);
        foreach (var name in text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            roles |= name.ToLowerInvariant() switch
            {
                "gateway" => Roles.Gateway,
                "identity" => Roles.Identity,
                "billing" => Roles.Billing,
                "portal" => Roles.Portal,
                "all" => Roles.All,
                _ => throw new SettingsException($"--roles {name}: the roles are gateway, identity, billing and portal, several with commas between."),
            };
        }

        return roles;
    }

    private static bool IsYes(string text) => bool.TryParse(text, out var yes)
        ? yes
        : throw new SettingsException($"--Demo {text}: say true or false.");
}
