using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>The usual prefix of a key in four bytes: live or test, then four characters of seven bits each.</summary>
internal static class ShownPrefix
{
    private const uint Used = 1u << 31;
    private const uint Test = 1u << 30;

    public static bool TryPack(string prefix, out uint packed)
    {
        packed = 0;
        var isTest = prefix.StartsWith(ApiKeyFormat.TestPrefix, StringComparison.Ordinal);
        if (prefix.Length != ApiKeyFormat.ShownLength || !isTest && !prefix.StartsWith(ApiKeyFormat.LivePrefix, StringComparison.Ordinal))
            return false;
        foreach (var shown in prefix.AsSpan(ApiKeyFormat.LivePrefix.Length))
        {
            if (shown > 127)
                return false;
            packed = (packed << 7) | shown;
        }

        packed |= Used | (isTest ? Test : 0);
        return true;
    }

    /// <summary>Empty when nothing was packed.</summary>
    public static string Unpack(uint packed) => packed == 0
        ? ""
        : string.Concat(
            (packed & Test) != 0 ? ApiKeyFormat.TestPrefix : ApiKeyFormat.LivePrefix,
            [(char)((packed >> 21) & 127), (char)((packed >> 14) & 127), (char)((packed >> 7) & 127), (char)(packed & 127)]);
}
