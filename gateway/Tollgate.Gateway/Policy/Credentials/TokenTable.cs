using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// Tokens that were verified lately, by digest: a signature is checked once a minute, not once a call. Bounded; what is forgotten is verified again.
/// </summary>
internal sealed class TokenTable(int capacity = 100_000)
{
    private const int LongestToken = 8192;
    private const long RememberMs = 60_000;

    private ConcurrentDictionary<Digest, Remembered> _remembered = new();
    private int _count;

    /// <summary>Whether one of the providers vouches for the token. Pending while its keys are on their way, unless <paramref name="final"/>.</summary>
    public Verdict Authenticate(ReadOnlySpan<char> text, TokenProvider[] providers, long nowUnixMs, bool final, out TokenIdentity? identity)
    {
        identity = null;
        if (providers.Length == 0 || text.Length > LongestToken || !Ascii.IsValid(text)) return Verdict.Refuse(Refusal.InvalidCredentials);

        var digest = Digest.Of(text);
        if (_remembered.TryGetValue(digest, out var remembered) && nowUnixMs < remembered.UntilUnixMs && Array.IndexOf(providers, remembered.Identity.Provider) >= 0 &&
            remembered.KeysVersion == remembered.Identity.Provider.KeysVersion)
        {
            identity = remembered.Identity;
            return nowUnixMs < identity.ExpiresUnixMs ? Verdict.Granted : Verdict.Refuse(Refusal.TokenExpired);
        }

        return Verify(text.ToString(), digest, providers, nowUnixMs, final, out identity);
    }

    private Verdict Verify(string text, Digest digest, TokenProvider[] providers, long nowUnixMs, bool final, out TokenIdentity? identity)
    {
        identity = null;
        var refusal = Refusal.InvalidCredentials;
        Task? arrival = null;
        foreach (var provider in providers)
        {
            var keysVersion = provider.KeysVersion;
            switch (provider.Verify(text, nowUnixMs, out identity, out var keys))
            {
                case TokenVerification.Valid:
                    Remember(digest, new Remembered(identity!, Math.Min(identity!.ExpiresUnixMs, nowUnixMs + RememberMs), keysVersion));
                    return Verdict.Granted;
                case TokenVerification.Expired:
                    refusal = Refusal.TokenExpired;
                    break;
                case TokenVerification.KeysOnTheirWay:
                    arrival ??= keys;
                    break;
            }
        }

        if (arrival is null || refusal == Refusal.TokenExpired) return Verdict.Refuse(refusal);
        return final ? Verdict.Refuse(Refusal.NotReady, 1) : Verdict.Pending(arrival);
    }

    private void Remember(Digest digest, Remembered token)
    {
        if (Interlocked.Increment(ref _count) > capacity)
        {
            _remembered = new();
            _count = 1;
        }

        _remembered[digest] = token;
    }

    private sealed record Remembered(TokenIdentity Identity, long UntilUnixMs, int KeysVersion);

    /// <summary>SHA-256: a token is a secret and is not kept, and no other may pass for it.</summary>
    private readonly record struct Digest(ulong A, ulong B, ulong C, ulong D)
    {
        public static Digest Of(ReadOnlySpan<char> text)
        {
            Span<byte> ascii = stackalloc byte[LongestToken];
            var length = Encoding.ASCII.GetBytes(text, ascii);
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(ascii[..length], hash);
            return new(
                BinaryPrimitives.ReadUInt64LittleEndian(hash), BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]),
                BinaryPrimitives.ReadUInt64LittleEndian(hash[16..]), BinaryPrimitives.ReadUInt64LittleEndian(hash[24..]));
        }

        public override int GetHashCode() => (int)A;
    }
}
