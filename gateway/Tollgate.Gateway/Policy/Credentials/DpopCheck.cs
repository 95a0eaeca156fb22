using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// Whether a token is shown by the holder of the key that it is bound to (RFC 9449 §7). One that is bound is nobody's else, so it is not taken as a bearer
/// token, and one that is not bound proves nothing.
/// </summary>
internal static class DpopCheck
{
    private static readonly int LongestSeconds = (int)(DpopProof.OldAtMost + DpopProof.Skew + DpopProof.Skew).TotalSeconds;

    public static Verdict Decide(TokenIdentity token, ReadOnlySpan<char> text, in CallFacts call, ref Admission admission, ProofGuard proofs, bool final)
    {
        if (!BearerToken.IsBoundScheme(call.Authorization)) return Verdict.Refuse(Refusal.TokenBound);
        if (token.BoundTo is null) return Verdict.Refuse(Refusal.InvalidCredentials);
        if (admission.IsProven) return Verdict.Granted;
        if (admission.Proof is null && Show(token, text, in call, ref admission, proofs) is { IsGranted: false } wrong) return wrong;

        if (!admission.Proof!.IsCompleted && !final) return Verdict.Pending(admission.Proof, Verdict.LedgerMs);
        if (admission.Proof is { IsCompleted: true, Result: false }) return Verdict.Refuse(Refusal.DpopProofInvalid);
        admission.IsProven = true;
        return Verdict.Granted;
    }

    private static Verdict Show(TokenIdentity token, ReadOnlySpan<char> text, in CallFacts call, ref Admission admission, ProofGuard proofs)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(call.ArrivedUnixMs);
        if (call.Headers is not { Address: { } address } headers || DpopProof.Read(headers.Header(DpopProof.Header), out _) is not { } proof
            || proof.Thumbprint != token.BoundTo || proof.Refute(call.Method, address, now, text) is not null)
            return Verdict.Refuse(Refusal.DpopProofInvalid);

        var (jti, made) = (proof.Jti, proof.Made.ToUnixTimeSeconds());
        admission.Proof = headers.IsFirst(() => proofs.IsFirst(proof.Thumbprint, jti, made, now.ToUnixTimeSeconds(), LongestSeconds));
        return Verdict.Granted;
    }
}
