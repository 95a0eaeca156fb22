namespace Tollgate.Identity.OAuth.Keys;

/// <summary>The keys of the moment.</summary>
/// <param name="Signer">The one that signs.</param>
/// <param name="Published">All whose signatures count, announced ones included, the newest first.</param>
/// <param name="FreshUntil">When to look again.</param>
internal sealed record KeySet(KeyPair Signer, IReadOnlyList<KeyPair> Published, DateTimeOffset FreshUntil)
{
    public KeyPair? Find(string kid) => Published.FirstOrDefault(k => k.Kid == kid);
}
