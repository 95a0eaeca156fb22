using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Balancing;

/// <summary>
/// Which host has the calls of a session, by the value of the service's own cookie. Shared by all routes that name the same cookie; a session that rests
/// for the expiry is forgotten.
/// </summary>
internal sealed class StickySessions(string cookie, int capacity = 100_000)
{
    private const int LongestValue = 128;

    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);

    /// <summary>Milliseconds, of the newest configuration.</summary>
    public long ExpiryMs { get; set; } = 1_200_000;

    public int Choose(Upstream upstream, ICallHeaders? headers, long nowUnixMs)
    {
        if (ValueOf(headers?.Header("Cookie")) is not { } value) return upstream.Next();

        if (_sessions.TryGetValue(value, out var session) && nowUnixMs < session.UntilUnixMs)
            for (var i = 0; i < upstream.Destinations.Length; i++)
                if (upstream.Destinations[i].Authority == session.Authority)
                {
                    _sessions[value] = session with { UntilUnixMs = nowUnixMs + ExpiryMs };
                    return i;
                }

        var turn = upstream.Next();
        if (session is null && _sessions.Count >= capacity) MakeRoom(nowUnixMs);
        _sessions[value] = new Session(upstream.Destinations[turn].Authority, nowUnixMs + ExpiryMs);
        return turn;
    }

    private void MakeRoom(long nowUnixMs)
    {
        foreach (var (value, session) in _sessions)
            if (nowUnixMs >= session.UntilUnixMs)
                _sessions.TryRemove(value, out _);
        if (_sessions.Count >= capacity * 3L / 4) _sessions.Clear();
    }

    private string? ValueOf(string? cookies)
    {
        if (cookies is null) return null;
        foreach (var part in cookies.AsSpan().Split(';'))
        {
            var pair = cookies.AsSpan(part).Trim();
            if (pair.Length <= cookie.Length + 1 || pair[cookie.Length] != '=' || !pair.StartsWith(cookie, StringComparison.Ordinal)) continue;
            var value = pair[(cookie.Length + 1)..].ToString();
            return value.Length <= LongestValue ? value : Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(value)));
        }

        return null;
    }

    private sealed record Session(string Authority, long UntilUnixMs);
}
