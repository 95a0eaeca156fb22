namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>Reads <c>Authorization: Bearer …</c> (RFC 6750 §2.1; the scheme's name ignores case, RFC 9110 §11.1).</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";

    public static bool TryRead(string? authorization, out ReadOnlySpan<char> token)
    {
        token = default;
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return false;
        token = authorization.AsSpan(Scheme.Length).Trim(' ');
        return token.Length > 0;
    }
}
