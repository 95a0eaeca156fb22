using System.Globalization;
using Tollgate.Gateway.Policy.Routing;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway.Listening;

/// <summary>How calls are taken in: whom to believe, how much to take, and the certificates of the https listeners. The section <c>Gateway</c>.</summary>
internal sealed record ListenerOptions
{
    /// <summary>Networks whose <c>X-Forwarded-*</c> and <c>Forwarded</c> are believed.</summary>
    public AddressSet TrustedProxies { get; init; } = new([]);

    public ListenerLimits Limits { get; init; } = new();

    /// <summary>The first is for clients that name no host, or one that no certificate is for.</summary>
    public IReadOnlyList<CertificateFile> Certificates { get; init; } = [];

    public ClientCertificateRules ClientCertificates { get; init; } = new();

    /// <summary>Port that calls over http are sent to; null = they are served.</summary>
    public int? HttpsRedirectPort { get; init; }

    /// <summary><c>Strict-Transport-Security</c> on answers over https; 0 = none.</summary>
    public long HstsSeconds { get; init; }

    /// <summary>Where callers find this gateway, without a slash at the end; null = where each call says.</summary>
    public string? PublicUrl { get; init; }

    /// <exception cref="SettingsException">A value cannot be; the message says what to write.</exception>
    public static ListenerOptions Read(IConfiguration configuration)
    {
        var gateway = configuration.GetSection("Gateway");
        return new ListenerOptions
        {
            TrustedProxies = new AddressSet(Texts(gateway.GetSection("TrustedProxies")).Select(text =>
                AddressRange.TryParse(text, out var range) ? range : throw new SettingsException($"--Gateway:TrustedProxies {text}: write an address or network such as 10.0.0.0/8."))),
            Limits = ListenerLimits.Read(gateway.GetSection("Limits")),
            Certificates = [.. gateway.GetSection("Certificates").GetChildren().Select(CertificateFile.Read)],
            ClientCertificates = ClientCertificateRules.Read(gateway.GetSection("ClientCertificates")),
            HttpsRedirectPort = RedirectPort(gateway["HttpsRedirect"]),
            HstsSeconds = Number(gateway, "HstsSeconds", 0, 0, 100_000_000_000),
            PublicUrl = Address(gateway["PublicUrl"]),
        };
    }

    /// <summary>A list: its items, or one text with commas.</summary>
    public static IEnumerable<string> Texts(IConfigurationSection section) =>
        section.GetChildren().Select(child => child.Value).Append(section.Value).OfType<string>()
            .SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    public static long Number(IConfigurationSection section, string name, long otherwise, long min, long max)
    {
        if (section[name] is not { Length: > 0 } text) return otherwise;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new SettingsException($"--{section.Path}:{name} {text}: write a whole number from {min} to {max}.");
    }

    private static string? Address(string? text) => text is not { Length: > 0 } ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is ("http" or "https") && address.Query.Length == 0 && address.Fragment.Length == 0
            ? text.TrimEnd('/')
            : throw new SettingsException($"--Gateway:PublicUrl {text}: write an address such as https://api.example.com.");

    private static int? RedirectPort(string? text) => text?.ToLowerInvariant() switch
    {
        null or "" or "false" => null,
        "true" => 443,
        _ when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536 => port,
        _ => throw new SettingsException($"--Gateway:HttpsRedirect {text}: write true, or the port that https callers use."),
    };
}

/// <summary>How much a caller may send, and how slowly. The section <c>Gateway:Limits</c>.</summary>
internal sealed record ListenerLimits
{
    public long MaxBodyBytes { get; init; } = 30_000_000;
    public int MaxHeaderBytes { get; init; } = 32_768;
    public int MaxHeaders { get; init; } = 100;
    public int MaxRequestLineBytes { get; init; } = 8_192;

    /// <summary>Null = as many as the machine takes.</summary>
    public long? MaxConnections { get; init; }

    /// <summary>WebSockets and other upgraded connections; null = as many as the machine takes.</summary>
    public long? MaxUpgradedConnections { get; init; }

    public int MaxStreamsPerConnection { get; init; } = 100;

    /// <summary>From the first byte of a head to its last.</summary>
    public int HeaderSeconds { get; init; } = 15;

    /// <summary>A connection without a call is closed after so long.</summary>
    public int KeepAliveSeconds { get; init; } = 130;

    /// <summary>Slower bodies are given up, after five seconds of grace; 0 = none is.</summary>
    public int MinBodyBytesPerSecond { get; init; } = 240;

    /// <summary>How often a call may pass a Tollgate before it is taken for a loop.</summary>
    public int MaxHops { get; init; } = 5;

    public static ListenerLimits Read(IConfigurationSection section)
    {
        var ours = new ListenerLimits();
        int Whole(string name, int otherwise, int min, int max) => (int)ListenerOptions.Number(section, name, otherwise, min, max);
        long? Optional(string name) => section[name] is { Length: > 0 } ? ListenerOptions.Number(section, name, 0, 1, 10_000_000) : null;

        return new ListenerLimits
        {
            MaxBodyBytes = ListenerOptions.Number(section, nameof(MaxBodyBytes), ours.MaxBodyBytes, 0, long.MaxValue),
            MaxHeaderBytes = Whole(nameof(MaxHeaderBytes), ours.MaxHeaderBytes, 256, 16_777_216),
            MaxHeaders = Whole(nameof(MaxHeaders), ours.MaxHeaders, 1, 100_000),
            MaxRequestLineBytes = Whole(nameof(MaxRequestLineBytes), ours.MaxRequestLineBytes, 64, 1_048_576),
            MaxConnections = Optional(nameof(MaxConnections)),
            MaxUpgradedConnections = Optional(nameof(MaxUpgradedConnections)),
            MaxStreamsPerConnection = Whole(nameof(MaxStreamsPerConnection), ours.MaxStreamsPerConnection, 1, 10_000),
            HeaderSeconds = Whole(nameof(HeaderSeconds), ours.HeaderSeconds, 1, 3600),
            KeepAliveSeconds = Whole(nameof(KeepAliveSeconds), ours.KeepAliveSeconds, 1, 86_400),
            MinBodyBytesPerSecond = Whole(nameof(MinBodyBytesPerSecond), ours.MinBodyBytesPerSecond, 0, 1_000_000_000),
            MaxHops = Whole(nameof(MaxHops), ours.MaxHops, 1, 100),
        };
    }
}
