using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
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

    // Words of a Connection header that name no header to drop.
    private static readonly FrozenSet<string> Options = new[] { "close", "keep-alive", "upgrade", "te", "http2-settings" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool Ends(string name) => name[0] == ':' || EndHere.Contains(name);

    /// <summary>Whether a header could pass for the gateway's own word on who calls. Many upstreams take <c>_</c> for <c>-</c>.</summary>
    public static bool SpeaksOfConsumers(string name)
    {
        const string ours = "X-Consumer-";
        if (name.Length <= ours.Length || (name[0] | 0x20) != 'x') return false;
        if (name.StartsWith(ours, StringComparison.OrdinalIgnoreCase)) return true;
        return name.Contains('_') && name.Replace('_', '-').StartsWith(ours, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether a header tells of proxies before this one, beside those that are written anew: only a trusted proxy may.</summary>
    public static bool SpeaksOfForwarding(string name)
    {
        if (name.Length < 9 || (name[0] | 0x20) != 'x') return false;
        return IsSo(name) || name.Contains('_') && IsSo(name.Replace('_', '-'));

        static bool IsSo(string name) => name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase) || name.Equals("X-Real-IP", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether a header carries a key of the caller's.</summary>
    public static bool IsKey(string name) =>
        name.Length == 9 && (name.Equals("X-Api-Key", StringComparison.OrdinalIgnoreCase) || name.Contains('_') && name.Replace('_', '-').Equals("X-Api-Key", StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a header is the proof that belongs to a token.</summary>
    public static bool IsProof(string name) => name.Length == 4 && name.Equals("DPoP", StringComparison.OrdinalIgnoreCase);

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

    /// <summary>Takes away what the service's <c>Connection</c> header says is for this hop alone; the header itself was not copied.</summary>
    public static void Drop(HttpResponseMessage answer, IHeaderDictionary headers)
    {
        if (!answer.Headers.NonValidated.TryGetValues("Connection", out var connection) || NamedBy(new StringValues([.. connection])) is not { } names) return;
        foreach (var name in names) headers.Remove(name);
    }
}
