using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Tollgate.Identity.Keys;

/// <summary>What a person asked of a key, tidied and judged.</summary>
internal sealed class KeyTerms
{
    public const int MaxEntries = 50;
    public const int MaxScopeLength = 100;

    // scope-token of RFC 6749 §3.3: visible ASCII but quote and backslash.
    private static readonly SearchValues<char> ScopeCharacters =
        SearchValues.Create([.. Enumerable.Range(0x21, 0x7e - 0x20).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);

    public KeyTerms(IssueKeyRequest request, DateTimeOffset now)
    {
        var errors = new Dictionary<string, string>();
        Name = request.Name?.Trim() ?? "";
        if (Name.Length == 0) errors["name"] = "Give the key a name, such as the place where it will be used.";
        else if (Name.Length > IssueKeyRequest.MaxNameLength) errors["name"] = $"A name has at most {IssueKeyRequest.MaxNameLength} characters.";
        else if (!OneLine.Is(Name)) errors["name"] = "A name is written on one line.";

        Expires = request.Expires;
        if (Expires <= now) errors["expires"] = "Choose a moment in the future, or let the key live until it is revoked.";

        Scopes = Tidy(request.Scopes);
        if (Scopes?.Length > MaxEntries) errors["scopes"] = $"A key names at most {MaxEntries} scopes.";
        else if (Scopes?.FirstOrDefault(s => s.Length > MaxScopeLength || s.AsSpan().ContainsAnyExcept(ScopeCharacters)) is { } scope)
            errors["scopes"] = $"“{Shorten(scope)}” is no scope: up to {MaxScopeLength} visible ASCII characters, without spaces, quotes and backslashes.";

        Networks = Tidy(request.Networks);
        if (Networks?.Length > MaxEntries) errors["networks"] = $"A key names at most {MaxEntries} networks.";
        else if (Networks is not null)
        {
            for (var i = 0; i < Networks.Length; i++)
            {
                var (network, wrong) = ReadNetwork(Networks[i]);
                if (wrong is null) Networks[i] = network!;
                else errors["networks"] = wrong;
            }
        }

        Errors = errors;
    }

    /// <param name="request">A key that was made elsewhere.</param>
    public KeyTerms(ImportKeyRequest request, DateTimeOffset now) : this(request.Terms, now)
    {
        var errors = new Dictionary<string, string>(Errors);
        Sha256 = request.Sha256?.Trim().ToLowerInvariant() ?? "";
        if (Sha256.Length != 64 || !Sha256.All(char.IsAsciiHexDigitLower))
            errors["sha256"] = "Send the SHA-256 digest of the key's UTF-8 text: 64 hexadecimal digits.";
        LastFour = request.LastFour?.Trim() ?? "";
        if (LastFour.Length > 4 || LastFour.Any(c => c is < '!' or > '~')) errors["lastFour"] = "Send the last one to four characters of the key, or nothing.";
        Errors = errors;
    }

    public string Name { get; }

    /// <summary>Of an imported key; null for a new one.</summary>
    public string? Sha256 { get; }

    public string LastFour { get; } = "";
    public DateTimeOffset? Expires { get; }
    public string[]? Scopes { get; }
    public string[]? Networks { get; }
    public IReadOnlyDictionary<string, string> Errors { get; }

    private static string[]? Tidy(IReadOnlyList<string>? entries) =>
        entries?.Select(e => e?.Trim() ?? "").Where(e => e.Length > 0).Distinct().Take(MaxEntries + 1).ToArray() is { Length: > 0 } tidy ? tidy : null;

    /// <summary>A network in its one spelling, or what is wrong with it. A bare address is a network of one.</summary>
    private static (string? Network, string? Wrong) ReadNetwork(string text)
    {
        const string example = "such as 203.0.113.0/24 or 2001:db8::/32";
        var slash = text.IndexOf('/');
        var address = slash < 0 ? text : text[..slash];
        // IPAddress.Parse also takes "10" and "0x0a.1": only the dotted and colon forms are meant here.
        if (!IPAddress.TryParse(address, out var ip) || address.Contains('%')
            || (ip.AddressFamily == AddressFamily.InterNetwork && ip.ToString() != address))
            return (null, $"“{Shorten(text)}” is neither an address nor a range, {example}.");

        if (slash < 0) return ($"{ip}/{(ip.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)}", null);
        var bits = ip.GetAddressBytes();
        var written = text[(slash + 1)..];
        if (!int.TryParse(written, System.Globalization.NumberStyles.None, null, out var length) || length > bits.Length * 8)
            return (null, $"“{Shorten(text)}” has no prefix length between 0 and {bits.Length * 8}, {example}.");

        for (var i = 0; i < bits.Length; i++) bits[i] &= (byte)(0xff << Math.Clamp(8 * (i + 1) - length, 0, 8));
        var network = $"{new IPAddress(bits)}/{length}";
        return new IPAddress(bits).Equals(ip) ? (network, null) : (null, $"“{Shorten(text)}” names one address of a range: write {network} for the whole of it.");
    }

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
