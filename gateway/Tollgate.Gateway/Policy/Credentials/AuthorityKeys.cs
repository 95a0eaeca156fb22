using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// The keys of an OpenID provider, fetched in the background through its discovery document. The last good set stays in use while the provider is away, also
/// after a restart; a token with an unknown key causes one fetch, at most every ten seconds.
/// </summary>
internal sealed class AuthorityKeys : TokenKeys, IDisposable
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan BetweenAsks = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenFirstFetches = TimeSpan.FromSeconds(1);

    /// <summary>A provider that starts beside the gateway, or again, is not worth a warning.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private const int LargestDocument = 1 << 20;

    private readonly Uri _authority;
    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _asking = new();
    private readonly KeptAuthority? _kept;
    private bool _isConfirmed;
    private long? _awaySince;
    private bool _saidAway;
    private TokenKeySet? _current;
    private Uri? _introspection;
    private Task _fetch = Task.CompletedTask;
    private Task _asked = Task.CompletedTask;    // the fetch that a token with an unknown key caused
    private long? _askedAt;
    private long? _fetchedAt;

    /// <param name="keptIn">Folder in which the last good set is kept for the next start; null = it is not.</param>
    public AuthorityKeys(string authority, TimeProvider time, ILogger logger, string? keptIn = null)
    {
        _kept = keptIn is null ? null : new KeptAuthority(keptIn, authority);
        _authority = new Uri(authority.TrimEnd('/') + "/");
        _time = time;
        _logger = logger;
        _http = new HttpClient(new SocketsHttpHandler { UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(5), PooledConnectionLifetime = TimeSpan.FromMinutes(5), MaxAutomaticRedirections = 3 })
        {
            Timeout = TimeSpan.FromSeconds(10),
            MaxResponseContentBufferSize = LargestDocument,
        };
        if (_kept?.Read() is { } last)
        {
            (_current, _introspection) = (last.Keys, last.Introspection);
            AuthorityKeysLog.KeysFromDisk(_logger, _authority, last.Keys.Keys.Count);
        }

        _ = RefreshAsync(Fetch());
    }

    public override TokenKeySet? Current => Volatile.Read(ref _current);

    /// <summary>Where the provider says that it may be asked about tokens (RFC 8414 §2); null = it has not said.</summary>
    public Uri? IntrospectionEndpoint => Volatile.Read(ref _introspection);

    public override Task? AskFor(string? kid)
    {
        lock (_asking)
        {
            if (Current is null) return !_fetch.IsCompleted ? _fetch : HasPassed(BetweenFirstFetches, _fetchedAt) ? Fetch() : Task.CompletedTask;
            if (!_asked.IsCompleted) return _asked;

            // Keys that nobody has signed anything with can be named without end: only now and then is one of them looked for.
            if (!HasPassed(BetweenAsks, _askedAt)) return null;
            if (!_fetch.IsCompleted) return _fetch;
            _askedAt = _time.GetTimestamp();
            return _asked = Fetch();
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

    private async Task RefreshAsync(Task fetch)
    {
        try
        {
            while (true)
            {
                await fetch;
                await Task.Delay(_isConfirmed ? Refresh : TimeSpan.FromSeconds(2), _time, _stop.Token);
                lock (_asking) fetch = _fetch.IsCompleted ? Fetch() : _fetch;
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
            var jwks = await _http.GetStringAsync(address, _stop.Token);
            var set = TokenKeySet.FromJwks(jwks, issuer, before?.Version ?? 1);

            // A key that is gone must not go on vouching for remembered tokens.
            if (before is not null && before.Keys.Any(key => set.Lacks(key.KeyId)))
                set = new TokenKeySet(set.Keys, set.Algorithms, issuer: issuer, version: before.Version + 1, algorithmByKid: set.AlgorithmByKid);
            Volatile.Write(ref _current, set);
            if (!_isConfirmed) AuthorityKeysLog.KeysLive(_logger, _authority, set.Keys.Count);
            (_isConfirmed, _awaySince, _saidAway) = (true, null, false);
            _kept?.Write(issuer, jwks, IntrospectionEndpoint);
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
        }
        catch (Exception failure)
        {
            _awaySince ??= _time.GetTimestamp();
            if (_saidAway || !HasPassed(Patience, _awaySince)) return;
            AuthorityKeysLog.KeysNotFetched(_logger, _authority, failure.Message);
            _saidAway = true;
        }
    }
}

internal static partial class AuthorityKeysLog
{
    [LoggerMessage(1201, LogLevel.Information, "The keys of {Authority} are live: {Count}")]
    public static partial void KeysLive(ILogger logger, Uri authority, int count);

    [LoggerMessage(1205, LogLevel.Information, "The keys of {Authority} are those of its last answer until it gives another: {Count}")]
    public static partial void KeysFromDisk(ILogger logger, Uri authority, int count);

    [LoggerMessage(1202, LogLevel.Warning, "The keys of {Authority} could not be fetched: {Reason}")]
    public static partial void KeysNotFetched(ILogger logger, Uri authority, string reason);
}
