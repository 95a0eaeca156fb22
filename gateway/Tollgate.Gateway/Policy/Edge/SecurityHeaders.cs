namespace Tollgate.Gateway.Policy.Edge;

/// <summary>Headers that tell browsers to be careful with an answer, and those that tell strangers too much.</summary>
internal sealed class SecurityHeaders
{
    private static readonly (string Name, string Value)[] Defaults =
    [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ];

    private static readonly string[] Telling = ["Server", "X-Powered-By", "X-AspNet-Version", "X-AspNetMvc-Version"];

    /// <param name="written">By name, beside or in the place of the defaults; an empty value takes the header away.</param>
    public SecurityHeaders(IReadOnlyList<KeyValuePair<string, string>> written)
    {
        var named = written.Select(header => header.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        Added = [.. Defaults.Where(header => !named.Contains(header.Name))];
        Set = [.. written.Where(header => header.Value.Length > 0).Select(header => (header.Key, header.Value))];
        Removed = [.. Telling.Where(name => !named.Contains(name)), .. written.Where(header => header.Value.Length == 0).Select(header => header.Key)];
    }

    /// <summary>Where the service says nothing of the name.</summary>
    public (string Name, string Value)[] Added { get; }

    /// <summary>Whatever the service says.</summary>
    public (string Name, string Value)[] Set { get; }

    public string[] Removed { get; }
}
