using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Tollgate.Gateway.Policy.Credentials;

namespace Tollgate.Gateway.Policy.Transforms;

/// <summary>
/// Takes a value out of a token: <c>Claims[type] > value</c>, or a part of it: <c>Claims[type] > value[index] > delimiter</c>. Several claims of a type
/// are one value, joined with a comma.
/// </summary>
internal sealed class ClaimInstruction
{
    private readonly string[] _names;
    private readonly string? _delimiter;
    private readonly int _index;

    private ClaimInstruction(string target, string claim, string? delimiter, int index)
    {
        Target = target;
        _names = ClaimNames.Of(claim);
        _delimiter = delimiter;
        _index = index;
    }

    /// <summary>The claim, header, parameter or placeholder that gets the value.</summary>
    public string Target { get; }

    public static bool TryParse(string target, string text, [NotNullWhen(true)] out ClaimInstruction? instruction)
    {
        instruction = null;
        var parts = text.Split('>', 3);
        if (parts.Length < 2 || !TryReadIndex(parts[0], "Claims", out var claim)) return false;

        // As in Ocelot, a part is meant where an index and a delimiter are written, and the whole value otherwise.
        var delimiter = parts.Length == 3 ? parts[2].Trim() : "";
        if (delimiter.Length == 0 || !TryReadIndex(parts[1], "value", out var number))
        {
            if (!parts[1].TrimStart().StartsWith("value", StringComparison.OrdinalIgnoreCase)) return false;
            instruction = new ClaimInstruction(target, claim, null, 0);
            return true;
        }

        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var index)) return false;
        instruction = new ClaimInstruction(target, claim, delimiter, index);
        return true;
    }

    /// <summary>False when the token has no such claim, or no such part of it, or nothing in it.</summary>
    public bool TryRead(in ClaimSet claims, [NotNullWhen(true)] out string? value)
    {
        value = null;
        foreach (var claim in claims.All)
            if (Array.IndexOf(_names, claim.Key) >= 0)
                value = value is null ? claim.Value : $"{value},{claim.Value}";

        if (value is not null && _delimiter is not null)
        {
            var parts = value.Split(_delimiter);
            value = _index < parts.Length ? parts[_index] : null;
        }

        return !string.IsNullOrEmpty(value);
    }

    private static bool TryReadIndex(string text, string word, out string index)
    {
        text = text.Trim();
        index = "";
        if (!text.StartsWith(word, StringComparison.OrdinalIgnoreCase) || text.Length < word.Length + 3 || text[word.Length] != '[' || text[^1] != ']') return false;
        index = text[(word.Length + 1)..^1];
        return true;
    }
}
