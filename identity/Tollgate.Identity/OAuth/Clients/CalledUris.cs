using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>Where this server itself calls a client.</summary>
internal static class CalledUris
{
    /// <summary>The rest of a sentence that begins with the address; null = nothing.</summary>
    public static string? WhatIsWrongWith(string uri, bool isHttps) =>
        uri.Length > InputLimits.RedirectUri || !Uri.TryCreate(uri, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https")
            || parsed.UserInfo.Length > 0 || uri.Contains('#')
            ? "is no http or https address without user and fragment."
            : isHttps && parsed.Scheme != "https" ? "is on http: use https." : null;
}
