using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// The keys of an OpenID provider, fetched in the background through its discovery document. The last good set stays in use while the provider is away;
/// a token with an unknown key causes one fetch, at most every ten seconds.
/// </summary>
internal sealed class AuthorityKeys : TokenKeys, IDisposable
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan BetweenAsks = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenFirstFetches = TimeSpan.FromSeconds(1);
    private const int LargestDocument = 1 << 20;

    private readonly Uri _authority;
    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _asking = new();
    private TokenKeySet? _current;
    private Uri? _introspection;
    private Task _fetch = Task.CompletedTask;
    private long? _askedAt;
    private long? _fetchedAt;

    public AuthorityKeys(string authority, TimeProvider time, ILogger logger)
    {
        _authority = new Uri(authority.TrimEnd('/') + "/");
        _time = time;
        _logger = logger;
        _http = new HttpClient(new SocketsHttpHandler { UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(5), PooledConnectionLifetime = TimeSpan.FromMinutes(5), MaxAutomaticRedirections = 3 })
        {
            Timeout = TimeSpan.FromSeconds(10),
            MaxResponseContentBufferSize = LargestDocument,
        };
        Fetch();
        _ = RefreshAsync();
    }

    public override TokenKeySet? Current => Volatile.Read(ref _current);

    /// <summary>Where the provider says that it may be asked about tokens (RFC 8414 §2); null = it has not said.</summary>
    public Uri? IntrospectionEndpoint => Volatile.Read(ref _introspection);

    public override Task? AskFor(string? kid)
    {
        lock (_asking)
        {
            if (!_fetch.IsCompleted) return _fetch;
            if (Current is null) return HasPassed(BetweenFirstFetches, _fetchedAt) ? Fetch() : Task.CompletedTask;

            // Keys that nobody has signed anything with can be named without end: only now and then is one of them looked for.
            if (!HasPassed(BetweenAsks, _askedAt)) return null;
            _askedAt = _time.GetTimestamp();
            return Fetch();
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _http.Dispose();
    }

    private bool HasPassed(TimeSpan time, long? since) => since is not { } at || _time.GetElapsedTime(at) >= time;

    private Task Fetch()
    {
        _fetchedAt = _time.GetTimestamp();
        return _fetch = Task.Run(FetchAsync);
    }

    private async Task RefreshAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(Current is null ? TimeSpan.FromSeconds(2) : Refresh, _time, _stop.Token);
                Task fetch;
                lock (_asking) fetch = _fetch.IsCompleted ? Fetch() : _fetch;
                await fetch;
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task FetchAsync()
    {
        try
        {
            using var discovery = JsonDocument.Parse(await _http.GetStringAsync(new Uri(_authority, ".well-known/openid-configuration"), _stop.Token));
            var issuer = discovery.RootElement.GetProperty("issuer").GetString();
            var address = new Uri(_authority, discovery.RootElement.GetProperty("jwks_uri").GetString());
            if (_authority.Scheme == Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttps)
                throw new InvalidOperationException("its keys are not behind https.");

            if (discovery.RootElement.TryGetProperty("introspection_endpoint", out var ask) && ask.GetString() is { Length: > 0 } endpoint &&
                new Uri(_authority, endpoint) is var asked && (_authority.Scheme != Uri.UriSchemeHttps || asked.Scheme == Uri.UriSchemeHttps))
                Volatile.Write(ref _introspection, asked);

            var before = Current;
            var set = TokenKeySet.FromJwks(await _http.GetStringAsync(address, _stop.Token), issuer, before?.Version ?? 1);

            // A key that is gone must not go on vouching for remembered tokens.
            if (before is not null && before.Keys.Any(key => set.Lacks(key.KeyId)))
                set = new TokenKeySet(set.Keys, set.Algorithms, issuer: issuer, version: before.Version + 1);
            Volatile.Write(ref _current, set);
            if (before is null) AuthorityKeysLog.KeysLive(_logger, _authority, set.Keys.Count);
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
        }
        catch (Exception failure)
        {
            AuthorityKeysLog.KeysNotFetched(_logger, _authority, failure.Message);
        }
    }
}

internal static partial class AuthorityKeysLog
{
    [LoggerMessage(1201, LogLevel.Information, "The keys of {Authority} are live: {Count}")]
    public static partial void KeysLive(ILogger logger, Uri authority, int count);

    [LoggerMessage(1202, LogLevel.Warning, "The keys of {Authority} could not be fetched: {Reason}")]
    public static partial void KeysNotFetched(ILogger logger, Uri authority, string reason);
}
