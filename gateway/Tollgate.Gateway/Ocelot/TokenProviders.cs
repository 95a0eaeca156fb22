using Microsoft.Extensions.Logging;
using Tollgate.Gateway.Policy.Credentials;

namespace Tollgate.Gateway.Ocelot;

/// <summary>The token providers in force, by the names that routes use. One that a new configuration leaves as it was keeps its keys. Used by one thread at a time.</summary>
internal sealed class TokenProviders(TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    private Dictionary<TokenProviderOptions, (TokenProvider Provider, IDisposable? Keys, string Content)> _providers = [];

    /// <summary>Folder in which what token issuers last said is kept for the next start; null = it is not.</summary>
    public string? IssuersKeptIn { get; set; }

    public void Dispose()
    {
        foreach (var (_, keys, _) in _providers.Values) keys?.Dispose();
        _providers.Clear();
    }

    /// <param name="builtIn">Beside those of the files.</param>
    public Dictionary<string, TokenProvider> Compile(OcelotConfiguration configuration, IReadOnlyList<TokenProviderOptions> builtIn)
    {
        var compiled = new Dictionary<TokenProviderOptions, (TokenProvider Provider, IDisposable? Keys, string Content)>();
        var byName = new Dictionary<string, TokenProvider>(StringComparer.Ordinal);
        foreach (var options in configuration.Providers.Values.Concat(builtIn))
        {
            var content = options.JwksFile is null ? "" : File.ReadAllText(options.JwksFile);
            if (!_providers.TryGetValue(options, out var provider) || provider.Content != content)
                provider = Compile(options, content, configuration);
            compiled.TryAdd(options, provider);
            byName.TryAdd(options.Name, provider.Provider);
        }

        foreach (var (options, known) in _providers)
            if (!compiled.TryGetValue(options, out var kept) || !ReferenceEquals(kept.Provider, known.Provider))
                known.Keys?.Dispose();
        _providers = compiled;
        return byName;
    }

    private (TokenProvider Provider, IDisposable? Keys, string Content) Compile(TokenProviderOptions options, string content, OcelotConfiguration configuration)
    {
        TokenKeys? keys;
        try
        {
            keys = options switch
            {
                { HS256Secret: { } secret } => FixedTokenKeys.FromSecret(secret),
                { Authority: { } authority } => new AuthorityKeys(authority, time, loggers.CreateLogger<AuthorityKeys>(), IssuersKeptIn),
                { JwksFile: not null } => FixedTokenKeys.FromJwks(content),
                _ => null,
            };
        }
        catch (ArgumentException unusable)
        {
            throw new ConfigurationException([new ConfigurationError(
                options.JwksFile ?? configuration.Files[0], 1, $"Tollgate.Authentication.Providers.{options.Name}.JwksFile", unusable.Message)]);
        }

        var authorityKeys = keys as AuthorityKeys;
        var introspector = options.Introspection is { } ask
            ? new Introspector(ask, () => authorityKeys?.IntrospectionEndpoint, options.Issuer, options.Audience, time, loggers.CreateLogger<Introspector>())
            : null;
        return (new TokenProvider(options.Name, keys, options.Issuer, options.Audience, options.AccessTokensOnly, introspector), new Both(authorityKeys, introspector), content);
    }

    private sealed class Both(IDisposable? first, IDisposable? second) : IDisposable
    {
        public void Dispose()
        {
            first?.Dispose();
            second?.Dispose();
        }
    }
}
