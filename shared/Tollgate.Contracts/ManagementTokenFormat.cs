using System.Buffers;
using System.Security.Cryptography;

namespace Tollgate.Contracts;

/// <summary>
/// What a token of the management API looks like: <c>tg_pat_</c>, 8 characters that name it, 32 of randomness (190 bits) and 6 of CRC-32 over all
/// before them, with underscores between. Secret scanners know it by its beginning and need no look-up to turn garbage away.
/// </summary>
public static class ManagementTokenFormat
{
    public const string Mark = "tg_pat_";

    /// <summary>Length of a whole token.</summary>
    public const int Length = IdAt + IdLength + 1 + RandomLength + 1 + ChecksumLength;

    private const int IdAt = 7;
    private const int IdLength = 8;
    private const int RandomLength = 32;
    private const int ChecksumLength = 6;

    private static readonly SearchValues<char> Base62 = SearchValues.Create(ApiKeyFormat.Alphabet);

    /// <summary>A new token. This is the only moment at which it exists in full: store its digest.</summary>
    public static string Generate()
    {
        Span<char> token = stackalloc char[Length];
        Mark.CopyTo(token);
        RandomNumberGenerator.GetItems(ApiKeyFormat.Alphabet, token.Slice(IdAt, IdLength));
        token[IdAt + IdLength] = '_';
        RandomNumberGenerator.GetItems(ApiKeyFormat.Alphabet, token.Slice(IdAt + IdLength + 1, RandomLength));
        token[^(ChecksumLength + 1)] = '_';
        ApiKeyFormat.WriteChecksum(token[..^(ChecksumLength + 1)], token[^ChecksumLength..]);
        return new string(token);
    }

    /// <summary>Whether the text has the shape and checksum of a token. Says nothing of whether such a token was ever issued.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> token)
    {
        if (token.Length != Length || !token.StartsWith(Mark) || token[IdAt + IdLength] != '_' || token[^(ChecksumLength + 1)] != '_'
            || token.Slice(IdAt, IdLength).ContainsAnyExcept(Base62)
            || token.Slice(IdAt + IdLength + 1, RandomLength).ContainsAnyExcept(Base62))
            return false;

        Span<char> expected = stackalloc char[ChecksumLength];
        ApiKeyFormat.WriteChecksum(token[..^(ChecksumLength + 1)], expected);
        return expected.SequenceEqual(token[^ChecksumLength..]);
    }

    /// <summary>The part that names a well-formed token and may be shown, such as <c>tg_pat_ab12cd34</c>.</summary>
    public static string Prefix(ReadOnlySpan<char> token) => new(token[..(IdAt + IdLength)]);
}
