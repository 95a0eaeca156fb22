using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Gateway.Balancing;

/// <summary>
/// Which host has the calls of a session, by the value of the service's own cookie. Shared by all routes that name the same cookie; a session that rests
/// for the expiry is forgotten, and one whose host is away moves to another.
/// </summary>
internal sealed class StickySessions(string cookie, int capacity = 100_000)
{
    private const int LongestValue = 128;

    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);

    /// <summary>Milliseconds, of the newest configuration.</summary>
    public long ExpiryMs { get; set; } = 1_200_000;

    public Destination? Choose(Upstream upstream, in Placement call)
    {
        var found = CookieValue.Of(call.Headers?.Header("Cookie"), cookie);
        if (found.IsEmpty) return upstream.Next(call.Tried);

        var value = found.Length <= LongestValue ? found.ToString() : Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(found.ToString())));
        if (_sessions.TryGetValue(value, out var session) && call.NowUnixMs < session.UntilUnixMs && upstream.Find(session.Authority, call.Tried) is { } host)
        {
            _sessions[value] = session with { UntilUnixMs = call.NowUnixMs + ExpiryMs };
            return host;
        }

        if (upstream.Next(call.Tried) is not { } next) return null;
        if (session is null && _sessions.Count >= capacity) MakeRoom(call.NowUnixMs);
        _sessions[value] = new Session(next.Authority, call.NowUnixMs + ExpiryMs);
        return next;
    }

    private void MakeRoom(long nowUnixMs)
    {
        foreach (var (value, session) in _sessions)
            if (nowUnixMs >= session.UntilUnixMs)
                _sessions.TryRemove(value, out _);
        if (_sessions.Count >= capacity * 3L / 4) _sessions.Clear();
    }

    private sealed record Session(string Authority, long UntilUnixMs);
}
