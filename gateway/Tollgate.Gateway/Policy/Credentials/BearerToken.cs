namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>Reads <c>Authorization: Bearer …</c> (RFC 6750 §2.1) and <c>Authorization: DPoP …</c> (RFC 9449 §7.1); a scheme's name ignores case (RFC 9110 §11.1).</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";
    private const string BoundScheme = "DPoP ";

    public static bool TryRead(string? authorization, out ReadOnlySpan<char> token) => TryRead(authorization, Scheme, out token);

    /// <summary>A token with whose key the caller proves to be its holder.</summary>
    public static bool TryReadBound(string? authorization, out ReadOnlySpan<char> token) => TryRead(authorization, BoundScheme, out token);

    /// <summary>Whether a header has the scheme of tokens that are bound to a key.</summary>
    public static bool IsBoundScheme(string? authorization) => authorization is not null && authorization.StartsWith(BoundScheme, StringComparison.OrdinalIgnoreCase);

    private static bool TryRead(string? authorization, string scheme, out ReadOnlySpan<char> token)
    {
        token = default;
        if (authorization is null || !authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return false;
        token = authorization.AsSpan(scheme.Length).Trim(' ');
        return token.Length > 0;
    }
}
