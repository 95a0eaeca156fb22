using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Which headers of a call end here (RFC 9110 §7.6.1), and which are ours to write.</summary>
internal static class HopByHopHeaders
{
    private static readonly FrozenSet<string> EndHere = new[]
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate", "TE", "Transfer-Encoding", "Upgrade",
        "Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via", "X-Request-Id", "HTTP2-Settings", "X-Content-Length",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> OfConsumers = new[]
    {
        "X-Api-Key", "X-Consumer-Id", "X-Consumer-Application", "X-Consumer-Organisation", "X-Consumer-Plan",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    // Words of a Connection header that name no header to drop.
    private static readonly FrozenSet<string> Options = new[] { "close", "keep-alive", "upgrade", "te", "http2-settings" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool Ends(string name) => name[0] == ':' || EndHere.Contains(name);

    /// <summary>Whether a header could pass for the gateway's own word on who calls, or carries the caller's key.</summary>
    public static bool SpeaksOfConsumers(string name) => OfConsumers.Contains(name);

    /// <summary>Names that a <c>Connection</c> header adds to the list; null on the common path.</summary>
    public static HashSet<string>? NamedBy(StringValues connection)
    {
        if (connection.Count == 0 || connection.Count == 1 && Options.Contains(connection[0]!)) return null;

        HashSet<string>? names = null;
        foreach (var line in connection)
            foreach (var word in (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                if (!Options.Contains(word))
                    (names ??= new(StringComparer.OrdinalIgnoreCase)).Add(word);
        return names;
    }
}
