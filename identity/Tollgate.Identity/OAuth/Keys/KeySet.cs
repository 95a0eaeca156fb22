namespace Tollgate.Identity.OAuth.Keys;

/// <summary>The keys of the moment.</summary>
/// <param name="Signers">The one that signs, for each algorithm.</param>
/// <param name="Published">All whose signatures count, announced ones included, the newest first.</param>
/// <param name="FreshUntil">When to look again.</param>
internal sealed record KeySet(IReadOnlyDictionary<string, KeyPair> Signers, IReadOnlyList<KeyPair> Published, DateTimeOffset FreshUntil)
{
    public KeyPair? Find(string kid) => Published.FirstOrDefault(k => k.Kid == kid);

    public KeyPair Signer(string? algorithm) => Signers[algorithm ?? Algorithms.Rs256];
}
