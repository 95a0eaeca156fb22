using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Identity.SecondFactor;

/// <summary>The codes for the day when the authenticator is lost: 80 bits each, in groups of four, without letters that look alike.</summary>
internal static class RecoveryCodes
{
    public const int Count = 10;
    private const string Alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    private const int Length = 16;

    public static IReadOnlyList<string> New() => [.. Enumerable.Range(0, Count).Select(_ => One())];

    /// <summary>How a code is kept. The account is in it, so that equal codes of two people look different.</summary>
    public static string Digest(Guid account, string code)
    {
        var tidy = new string([.. code.ToUpperInvariant().Where(char.IsAsciiLetterOrDigit).Take(Length + 1)]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{account:N}:{tidy}")));
    }

    private static string One()
    {
        var code = RandomNumberGenerator.GetString(Alphabet, Length);
        return string.Join('-', Enumerable.Range(0, Length / 4).Select(i => code.Substring(i * 4, 4)));
    }
}
