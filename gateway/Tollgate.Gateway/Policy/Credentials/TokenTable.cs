using System.Collections.Concurrent;
using System.Text;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// Tokens that were verified lately, by digest: a signature is checked once a minute, not once a call. Bounded; what is forgotten is verified again.
/// </summary>
internal sealed class TokenTable(int capacity = 100_000)
{
    private const long RememberMs = 60_000;

    private ConcurrentDictionary<TokenDigest, Remembered> _remembered = new();
    private int _count;

    /// <summary>Whether a text has the form of a signed token (RFC 7515 §3.1): everything else is opaque to us.</summary>
    public static bool LooksSigned(ReadOnlySpan<char> text) => text.StartsWith("eyJ") && text.Count('.') == 2;

    /// <summary>Whether one of the providers vouches for the token. Pending while its keys, or its issuer's word, are on their way, unless <paramref name="final"/>.</summary>
    public Verdict Authenticate(ReadOnlySpan<char> text, TokenProvider[] providers, long nowUnixMs, bool final, out TokenIdentity? identity)
    {
        identity = null;
        if (providers.Length == 0 || text.Length > TokenDigest.LongestToken || !Ascii.IsValid(text)) return Verdict.Refuse(Refusal.InvalidCredentials);

        var digest = TokenDigest.Of(text);
        if (_remembered.TryGetValue(digest, out var remembered) && nowUnixMs < remembered.UntilUnixMs && Array.IndexOf(providers, remembered.Identity.Provider) >= 0 &&
            remembered.KeysVersion == remembered.Identity.Provider.KeysVersion)
        {
            identity = remembered.Identity;
            return nowUnixMs < identity.ExpiresUnixMs ? Verdict.Granted : Verdict.Refuse(Refusal.TokenExpired);
        }

        return Verify(text, digest, providers, nowUnixMs, final, out identity);
    }

    private Verdict Verify(ReadOnlySpan<char> span, TokenDigest digest, TokenProvider[] providers, long nowUnixMs, bool final, out TokenIdentity? identity)
    {
        identity = null;
        var isSigned = LooksSigned(span);
        var text = span.ToString();
        var refusal = Refusal.InvalidCredentials;
        var patienceMs = Verdict.StepMs;
        var isAway = false;
        var isKnown = false;
        Task? arrival = null;
        foreach (var provider in providers)
        {
            if (!isSigned || !provider.HasKeys) continue;
            var keysVersion = provider.KeysVersion;
            switch (provider.Verify(text, nowUnixMs, out identity, out var keys))
            {
                case TokenVerification.Valid:
                    Remember(digest, new Remembered(identity!, Math.Min(identity!.ExpiresUnixMs, nowUnixMs + RememberMs), keysVersion));
                    return Verdict.Granted;
                case TokenVerification.Expired:
                    return Verdict.Refuse(Refusal.TokenExpired);
                case TokenVerification.KeysOnTheirWay:
                    arrival ??= keys;
                    break;
                case TokenVerification.Invalid:
                    isKnown = true;
                    break;
            }
        }

        // Issuers are asked about what nobody here could read, and not about what another one signed.
        foreach (var provider in providers)
        {
            if (arrival is not null || isKnown || isSigned && provider.HasKeys) continue;
            switch (provider.Introspect(text, digest, nowUnixMs, out identity, out var word))
            {
                case TokenVerification.Valid:
                    return Verdict.Granted;    // remembered where it was asked for
                case TokenVerification.Expired:
                    refusal = Refusal.TokenExpired;
                    break;
                case TokenVerification.IssuerAsked:
                    arrival = word;
                    patienceMs = Verdict.IssuerMs;
                    break;
                case TokenVerification.IssuerAway:
                    isAway = true;
                    break;
            }
        }

        if (refusal == Refusal.TokenExpired) return Verdict.Refuse(refusal);
        if (arrival is null) return isAway ? Verdict.Refuse(Refusal.NotReady, 1) : Verdict.Refuse(refusal);
        return final ? Verdict.Refuse(Refusal.NotReady, 1) : Verdict.Pending(arrival, patienceMs);
    }

    private void Remember(TokenDigest digest, Remembered token)
    {
        if (Interlocked.Increment(ref _count) > capacity)
        {
            _remembered = new();
            _count = 1;
        }

        _remembered[digest] = token;
    }

    private sealed record Remembered(TokenIdentity Identity, long UntilUnixMs, int KeysVersion);
}
