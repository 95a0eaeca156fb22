using Tollgate.ServiceDefaults;

namespace Tollgate.Host;

/// <summary>The words that this executable knows.</summary>
internal static class Settings
{
    public static readonly CommandLineSettings Known = new("Tollgate.Host",
        ["Billing", "ConnectionStrings", "ControlPlane", "Gateway", "Identity", "Listen", "Logging", "Mail", "Portal", "TrustedProxies"],
        ["roles", "config", "consumers", "data", "demo", "urls"]);
}
