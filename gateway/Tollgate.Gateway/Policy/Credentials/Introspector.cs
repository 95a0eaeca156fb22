using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>How a gateway proves itself to an issuer that it asks about tokens.</summary>
/// <param name="Endpoint">Null = what the authority's discovery document says.</param>
internal sealed record IntrospectionOptions(string? Endpoint, string ClientId, string ClientSecret);

/// <summary>
/// Asks an issuer about tokens that only it can read (RFC 7662). A good one is remembered for a minute at most, a bad one for a few seconds; both are bounded,
/// and so are the questions under way. A token that is being asked about is asked about once.
/// </summary>
internal sealed class Introspector : IDisposable
{
    private const int MostAtOnce = 64;
    private const int LargestAnswer = 64 * 1024;
    private const long RememberGoodMs = 60_000;
    private const long RememberBadMs = 5_000;
    private const long AwayMs = 1_000;

    private readonly IntrospectionOptions _options;
    private readonly Func<Uri?> _discovered;
    private readonly string? _issuer;
    private readonly string? _audience;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly int _capacity;
    private readonly HttpClient _http;
    private readonly ConcurrentDictionary<TokenDigest, Task> _asking = new();
    private ConcurrentDictionary<TokenDigest, Word> _known = new();
    private int _count;
    private long _awayUntilUnixMs;
    private bool _saidAway;

    /// <param name="discovered">The endpoint that the authority names; asked when the options name none.</param>
    public Introspector(IntrospectionOptions options, Func<Uri?> discovered, string? issuer, string? audience, TimeProvider time, ILogger logger, int capacity = 50_000)
    {
        (_options, _discovered, _issuer, _audience, _time, _logger, _capacity) = (options, discovered, issuer, audience, time, logger, capacity);
        _http = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(2), PooledConnectionLifetime = TimeSpan.FromMinutes(2) })
        {
            Timeout = TimeSpan.FromSeconds(5),
            MaxResponseContentBufferSize = LargestAnswer,
        };
        // RFC 6749 §2.3.1: id and secret are form-encoded before they are joined.
        var pair = $"{Uri.EscapeDataString(options.ClientId)}:{Uri.EscapeDataString(options.ClientSecret)}";
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    public TokenVerification Ask(TokenProvider provider, string token, TokenDigest digest, long nowUnixMs, out TokenIdentity? identity, out Task? arrival)
    {
        identity = null;
        arrival = null;
        if (_known.TryGetValue(digest, out var word) && nowUnixMs < word.UntilUnixMs)
        {
            identity = word.Identity;
            return identity is null ? TokenVerification.Invalid : nowUnixMs < identity.ExpiresUnixMs ? TokenVerification.Valid : TokenVerification.Expired;
        }

        if (_asking.TryGetValue(digest, out arrival)) return TokenVerification.IssuerAsked;
        if (nowUnixMs < Interlocked.Read(ref _awayUntilUnixMs) || _asking.Count >= MostAtOnce || Endpoint is not { } endpoint) return TokenVerification.IssuerAway;

        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        arrival = _asking.GetOrAdd(digest, asked.Task);
        if (!ReferenceEquals(arrival, asked.Task)) return TokenVerification.IssuerAsked;
        if (_known.TryGetValue(digest, out word) && nowUnixMs < word.UntilUnixMs)
        {
            // Answered between our two looks: the call asks us again at once.
            _asking.TryRemove(digest, out _);
            asked.SetResult();
            return TokenVerification.IssuerAsked;
        }

        _ = AskAsync(provider, endpoint, token, digest, asked);
        return TokenVerification.IssuerAsked;
    }

    public void Dispose() => _http.Dispose();

    private Uri? Endpoint => _options.Endpoint is { } told ? new Uri(told) : _discovered();

    private async Task AskAsync(TokenProvider provider, Uri endpoint, string token, TokenDigest digest, TaskCompletionSource asked)
    {
        try
        {
            using var form = new FormUrlEncodedContent([new("token", token), new("token_type_hint", "access_token")]);
            using var answer = await _http.PostAsync(endpoint, form).ConfigureAwait(false);
            if (!answer.IsSuccessStatusCode) throw new HttpRequestException($"it answered {(int)answer.StatusCode}");
            using var document = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync().ConfigureAwait(false));
            var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
            var identity = Read(provider, document.RootElement);
            Remember(digest, new Word(identity, identity is null ? now + RememberBadMs : Math.Min(identity.ExpiresUnixMs, now + RememberGoodMs)));
            if (_saidAway) IntrospectorLog.Back(_logger, endpoint);
            _saidAway = false;
        }
        catch (Exception failure)
        {
            Interlocked.Exchange(ref _awayUntilUnixMs, _time.GetUtcNow().ToUnixTimeMilliseconds() + AwayMs);
            if (!_saidAway) IntrospectorLog.Away(_logger, endpoint, failure.Message);
            _saidAway = true;
        }
        finally
        {
            _asking.TryRemove(digest, out _);
            asked.SetResult();
        }
    }

    /// <summary>Null: not active, or not for us.</summary>
    private TokenIdentity? Read(TokenProvider provider, JsonElement said)
    {
        if (said.ValueKind != JsonValueKind.Object || !said.TryGetProperty("active", out var active) || active.ValueKind != JsonValueKind.True) return null;
        var issuer = Text(said, "iss");
        if (_issuer is not null && issuer is not null && issuer != _issuer) return null;
        if (_audience is not null && !Texts(said, "aud").Contains(_audience)) return null;
        if (!TryReadBinding(said, out var boundTo)) return null;
        if (Text(said, "token_use") is { } use && use.Contains("refresh", StringComparison.OrdinalIgnoreCase)) return null;

        var clientId = Text(said, "client_id");
        var claims = new List<KeyValuePair<string, string>>();
        foreach (var member in said.EnumerateObject())
            foreach (var value in Texts(said, member.Name))
                claims.Add(new(member.Name, value));
        return new TokenIdentity
        {
            Provider = provider,
            ClientId = clientId,
            ClientOfIssuer = clientId is null || (issuer ?? _issuer) is not { } of ? null : $"{of} {clientId}",
            Subject = Text(said, "sub"),
            Scopes = [.. Texts(said, "scope").SelectMany(scope => scope.Split(' ', StringSplitOptions.RemoveEmptyEntries))],
            IssuedUnixMs = Seconds(said, "iat") * 1000 ?? 0,
            ExpiresUnixMs = Seconds(said, "exp") * 1000 ?? _time.GetUtcNow().ToUnixTimeMilliseconds() + RememberGoodMs,
            Jti = Text(said, "jti"),
            BoundTo = boundTo,
            Claims = new ClaimSet([.. claims]),
        };
    }

    private static bool TryReadBinding(JsonElement said, out string? thumbprint)
    {
        thumbprint = null;
        return !said.TryGetProperty("cnf", out var cnf) || TokenProvider.TryReadBinding(cnf, out thumbprint);
    }

    private void Remember(TokenDigest digest, Word word)
    {
        if (Interlocked.Increment(ref _count) > _capacity)
        {
            _known = new();
            _count = 1;
        }

        _known[digest] = word;
    }

    private static string? Text(JsonElement said, string name) =>
        said.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    private static IEnumerable<string> Texts(JsonElement said, string name) => !said.TryGetProperty(name, out var value) ? [] : value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array => value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => [value.GetRawText()],
        _ => [],
    };

    private static long? Seconds(JsonElement said, string name) =>
        said.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) ? (long)Math.Clamp(seconds, 0, 253_402_300_799) : null;

    private sealed record Word(TokenIdentity? Identity, long UntilUnixMs);
}

internal static partial class IntrospectorLog
{
    [LoggerMessage(1203, LogLevel.Warning, "{Endpoint} cannot be asked about tokens ({Reason}); those that it has not vouched for lately are refused as not-ready until it can")]
    public static partial void Away(ILogger logger, Uri endpoint, string reason);

    [LoggerMessage(1204, LogLevel.Information, "{Endpoint} answers about tokens again")]
    public static partial void Back(ILogger logger, Uri endpoint);
}
