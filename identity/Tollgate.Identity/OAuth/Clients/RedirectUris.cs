using System.Net;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>Where a client may have people led back to. Compared as strings; the port alone is free on a loopback address (RFC 8252 §7.3).</summary>
internal static class RedirectUris
{
    private static readonly string[] NeverSchemes = ["javascript", "data", "file", "vbscript", "about", "blob"];

    /// <summary>The rest of a sentence that begins with the address; null = nothing.</summary>
    /// <param name="isHttps">Whether the issuer is on https: then its clients are too, but for loopback addresses.</param>
    public static string? WhatIsWrongWith(string uri, bool isHttps)
    {
        if (uri.Length > InputLimits.RedirectUri) return $"is longer than {InputLimits.RedirectUri} characters.";
        if (uri.Any(c => c is <= ' ' or > '~' or '\\' or '"' or '<' or '>') || !Uri.TryCreate(uri, UriKind.Absolute, out var parsed))
            return "is no absolute address.";
        if (uri.Contains('#')) return "has a fragment.";
        if (uri.Contains('*')) return "has a wildcard: addresses are compared as they are.";
        if (parsed.UserInfo.Length > 0) return "names a user.";
        if (NeverSchemes.Contains(parsed.Scheme)) return "has a scheme that leads nowhere safe.";
        if (parsed.Scheme is "http" && isHttps && !parsed.IsLoopback) return "is on http: use https.";
        return parsed.Scheme is "http" or "https" || parsed.Scheme.Contains('.') ? null : "has a scheme of its own without a dot, such as com.example.app.";
    }

    public static bool Allows(OAuthClient client, string uri) => client.RedirectUris.Any(registered => registered == uri || (client.IsPublic && IsSameButPort(registered, uri)));

    private static bool IsSameButPort(string registered, string uri) =>
        Uri.TryCreate(registered, UriKind.Absolute, out var one) && one.Scheme == "http" && IPAddress.TryParse(one.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip)
        && WithoutPort(registered, one) is { } left && Uri.TryCreate(uri, UriKind.Absolute, out var other) && WithoutPort(uri, other) == left;

    /// <summary>The text with its port cut out, nothing else read into it.</summary>
    private static string? WithoutPort(string text, Uri uri)
    {
        var start = $"http://{uri.Host}";
        if (!text.StartsWith(start, StringComparison.Ordinal)) return null;
        var rest = text[start.Length..];
        if (rest is [':', .. var port])
        {
            var digits = port.TakeWhile(char.IsAsciiDigit).Count();
            if (digits is 0 or > 5) return null;
            rest = port[digits..];
        }

        return rest.Length == 0 || rest[0] is '/' or '?' ? start + rest : null;
    }
}
