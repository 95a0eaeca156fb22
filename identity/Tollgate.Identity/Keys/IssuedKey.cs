namespace Tollgate.Identity.Keys;

/// <summary>A new key. <paramref name="Secret"/> is the key itself: shown to its owner now, and never again to anyone.</summary>
public sealed record IssuedKey(string Secret, KeyView View)
{
    /// <summary>Leaves the secret out, so that no log or exception message carries it.</summary>
    public override string ToString() => $"IssuedKey {View.Prefix}… {View.Id}";
}
