using Tollgate.Gateway.Listening;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway;

/// <summary>How one gateway is started, whether alone (<c>Tollgate.Gateway --config …</c>) or inside the all-in-one host.</summary>
public sealed record GatewayOptions
{
    private const long DefaultCacheBytes = 128 * 1024 * 1024;
    private const int DefaultPluginBudgetMs = 1000;

    /// <summary>The options that mean the same in every shape of a deployment: the section <c>Gateway</c> and the ledger.</summary>
    /// <param name="config">The route file or folder.</param>
    /// <param name="urls">Where calls arrive.</param>
    /// <exception cref="SettingsException">A value cannot be; the message says what to write.</exception>
    public static GatewayOptions Read(IConfiguration configuration, string config, string urls)
    {
        string? Value(string key) => configuration[key] is { Length: > 0 } value ? value : null;

        long Number(string key, long otherwise, long from, long to) => Value(key) is not { } text ? otherwise
            : long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) && number >= from && number <= to ? number
            : throw new SettingsException($"--{key} {text}: write a whole number from {from} to {to}.");

        if (!ListensOn(urls)) throw new SettingsException($"--urls {urls}: write an address such as http://127.0.0.1:8080.");
        return new GatewayOptions
        {
            Config = Path.GetFullPath(config),
            Urls = urls,
            Redis = Value("ConnectionStrings:Redis"),
            ControlPlane = Address("Gateway:ControlPlane", Value("Gateway:ControlPlane"), "http://control-plane:8099"),
            Token = Value("Gateway:Token"),
            Authority = Address("Gateway:Authority", Value("Gateway:Authority"), "https://sign-in.example.com")?.OriginalString,
            Issuer = Value("Gateway:Issuer"),
            Audience = Value("Gateway:Audience"),
            Listening = ListenerOptions.Read(configuration),
            Plugins = Value("Gateway:Plugins") is { } plugins ? Path.GetFullPath(plugins) : null,
            PluginBudgetMs = Value("Gateway:PluginBudgetMs") is not { } budget ? DefaultPluginBudgetMs
                : int.TryParse(budget, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var budgetMs) && budgetMs is >= 1 and <= 60_000 ? budgetMs
                : throw new SettingsException($"--Gateway:PluginBudgetMs {budget}: write a number of milliseconds from 1 to 60000."),
            CacheMaxBytes = Value("Gateway:CacheMaxBytes") is not { } bytes ? DefaultCacheBytes
                : long.TryParse(bytes, out var max) && max >= 1024 * 1024 ? max
                : throw new SettingsException($"--Gateway:CacheMaxBytes {bytes}: write a number of bytes of at least 1048576."),
            TokenIssuers = ReadIssuers(configuration.GetSection("Gateway:Providers")),
            FeedMaxAge = TimeSpan.FromSeconds(Number("Gateway:FeedMaxAgeSeconds", 60, 1, 86_400)),
            ExplainBytes = Number("Gateway:ExplainMegabytes", 64, 2, 65_536) * 1024 * 1024,
            ExplainFor = TimeSpan.FromDays(Number("Gateway:ExplainDays", 30, 1, 3650)),
            ConsumerKeys = Value("Gateway:ConsumerKeys") is { } folder ? Path.GetFullPath(folder) : null,
            ConsumerKeyLife = TimeSpan.FromDays(Number("Gateway:ConsumerKeyDays", 30, 1, 3650)),
            ConsumerIssuer = Value("Gateway:ConsumerIssuer") ?? "tollgate",
        };
    }

    /// <summary>An <c>ocelot.json</c>, or a folder of <c>ocelot.*.json</c>. Watched.</summary>
    public required string Config { get; init; }

    /// <summary>Where calls arrive, such as <c>http://127.0.0.1:8080</c>; several separated by <c>;</c>. Port 0 = any free one.</summary>
    public required string Urls { get; init; }

    /// <summary>A <c>consumers.json</c> that stands in for the control plane. Watched. Excludes <see cref="ControlPlane"/>.</summary>
    public string? Consumers { get; init; }

    /// <summary>Folder for the journal, the last good feeds and the node's id. Null = nothing is kept and calls are not metered.</summary>
    public string? Data { get; init; }

    /// <summary>Redis connection string; null = limits are this process's own.</summary>
    public string? Redis { get; init; }

    /// <summary>Base address of the control plane's internal port, such as <c>http://127.0.0.1:8099</c>; null = none.</summary>
    public Uri? ControlPlane { get; init; }

    /// <summary>
    /// Completes when the control plane may be asked. Beside one in the same process the gateway starts first, and serves what it last knew meanwhile;
    /// one that knows nothing yet waits for this.
    /// </summary>
    public Task ControlPlaneUp { get; init; } = Task.CompletedTask;

    /// <summary>The gateway token presented to the control plane.</summary>
    public string? Token { get; init; }

    /// <summary>The identity service whose access tokens every product accepts, such as <c>http://127.0.0.1:8090</c>; null = only those of the configuration.</summary>
    public string? Authority { get; init; }

    /// <summary>What the identity service calls itself in <c>iss</c>; null = what its discovery document says.</summary>
    public string? Issuer { get; init; }

    /// <summary>For whom its access tokens must be, on routes that name no audience of their own; null = for anybody.</summary>
    public string? Audience { get; init; }

    /// <summary>Whom to believe, how much to take, and the certificates.</summary>
    internal ListenerOptions Listening { get; init; } = new();

    /// <summary>Folder of assemblies with plug-ins; null = none.</summary>
    public string? Plugins { get; init; }

    /// <summary>What a plug-in may take of a call's time.</summary>
    public int PluginBudgetMs { get; init; } = DefaultPluginBudgetMs;

    /// <summary>What kept answers may take of memory, in bytes.</summary>
    public long CacheMaxBytes { get; init; } = DefaultCacheBytes;

    /// <summary>Further issuers whose tokens are accepted, beside those of the configuration files.</summary>
    public IReadOnlyList<TokenIssuerOptions> TokenIssuers { get; init; } = [];

    /// <summary>How long after the control plane was last heard keys are still taken that are marked as high risk.</summary>
    public TimeSpan FeedMaxAge { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How much the log of calls may take on disk, from which calls are explained.</summary>
    public long ExplainBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>How long a call can be explained, while there is room.</summary>
    public TimeSpan ExplainFor { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Folder of the keys with which the gateway signs its word on who calls, shared by gateways that stand beside each other; null = in the data folder.</summary>
    public string? ConsumerKeys { get; init; }

    /// <summary>How long such a key signs.</summary>
    public TimeSpan ConsumerKeyLife { get; init; } = TimeSpan.FromDays(30);

    /// <summary>What the gateway calls itself in <c>iss</c> there.</summary>
    public string ConsumerIssuer { get; init; } = "tollgate";

    /// <summary>No calls are taken beforehand to have their code compiled.</summary>
    internal bool IsWarm { get; init; }

    /// <summary>How long calls under way may take to end after a stop was asked for.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Values for <c>${NAME}</c> in the configuration; what is absent here is taken from the environment.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary><c>Gateway:Providers:{name}:Authority</c> and so on: what a configuration file may say of issuers, for all routes that ask for no provider of their own.</summary>
    private static IReadOnlyList<TokenIssuerOptions> ReadIssuers(IConfigurationSection section) =>
    [
        .. section.GetChildren().Select(provider =>
        {
            string? Of(string key) => provider[key] is { Length: > 0 } value ? value : null;
            var endpoint = Address($"{provider.Path}:Introspection:Endpoint", Of("Introspection:Endpoint"), "https://issuer.example.com/introspect")?.OriginalString;
            var issuer = new TokenIssuerOptions
            {
                Name = provider.Key,
                Authority = Address($"{provider.Path}:Authority", Of("Authority"), "https://issuer.example.com")?.OriginalString,
                Issuer = Of("Issuer"),
                Audience = Of("Audience"),
                AccessTokensOnly = bool.TryParse(Of("AccessTokensOnly"), out var only) && only,
                IntrospectionEndpoint = endpoint,
                ClientId = Of("Introspection:ClientId"),
                ClientSecret = Of("Introspection:ClientSecret"),
            };
            if (issuer.Authority is null && endpoint is null) throw new SettingsException($"--{provider.Path}: an Authority is needed, or an Introspection:Endpoint.");
            if ((issuer.ClientId is null) != (issuer.ClientSecret is null) || endpoint is not null && issuer.ClientId is null)
                throw new SettingsException($"--{provider.Path}: Introspection needs its ClientId and its ClientSecret.");
            return issuer;
        }),
    ];

    private static bool ListensOn(string urls) => urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } each
        && each.All(url => IsHttp(url.Replace("//*", "//0.0.0.0").Replace("//+", "//0.0.0.0"), out _));

    private static Uri? Address(string option, string? text, string example) => text is null ? null
        : IsHttp(text, out var address) ? address
        : throw new SettingsException($"--{option} {text}: write an address such as {example}.");

    private static bool IsHttp(string text, out Uri? address) => Uri.TryCreate(text, UriKind.Absolute, out address) && address.Scheme is ("http" or "https");
}

/// <summary>An issuer of access tokens, found by discovery or asked about each token.</summary>
public sealed record TokenIssuerOptions
{
    public required string Name { get; init; }

    /// <summary>Where its discovery document is; null = its tokens are opaque.</summary>
    public string? Authority { get; init; }

    /// <summary>What it calls itself in <c>iss</c>; null = what its discovery document says.</summary>
    public string? Issuer { get; init; }

    /// <summary>For whom its tokens must be; null = for anybody.</summary>
    public string? Audience { get; init; }

    /// <summary>Its access tokens say that they are (<c>at+jwt</c>).</summary>
    public bool AccessTokensOnly { get; init; }

    /// <summary>Where it may be asked about opaque tokens (RFC 7662); null = where its discovery document says, if there is a <see cref="ClientId"/>.</summary>
    public string? IntrospectionEndpoint { get; init; }

    /// <summary>Who asks.</summary>
    public string? ClientId { get; init; }

    public string? ClientSecret { get; init; }
}
