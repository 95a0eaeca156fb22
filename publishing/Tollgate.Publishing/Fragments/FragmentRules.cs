namespace Tollgate.Publishing.Fragments;

/// <summary>What a service may be called, and how much it may send.</summary>
public static class FragmentRules
{
    public const int NameLength = 63;

    /// <summary>Of a fragment, in bytes. A line of the feed holds it whole.</summary>
    public const int MostBytes = 256 * 1024;

    public const string NameSentence = "A service's name has 1 to 63 characters: a to z, 0 to 9 and hyphens, not at either end.";

    public static bool IsName(string name) =>
        name.Length is > 0 and <= NameLength && name.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9' or '-') && name[0] != '-' && name[^1] != '-';
}
