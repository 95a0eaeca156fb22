namespace Tollgate.Host;

/// <summary>
/// Where options come from: the command line, then the environment. Options in a section are environment variables as they are
/// (<c>ConnectionStrings__Postgres</c>); the few that stand alone need a prefix there (<c>TOLLGATE_ROLES</c>), lest a stranger's <c>DATA</c> be ours.
/// </summary>
internal static class Settings
{
    private static readonly string[] Sections =
        ["Billing", "ConnectionStrings", "ControlPlane", "Gateway", "Identity", "Listen", "Logging", "Mail", "Portal", "TrustedProxies"];

    private static readonly string[] Alone = ["roles", "config", "consumers", "data", "demo", "urls"];

    public static IConfigurationRoot Read(string[] args)
    {
        var commandLine = new ConfigurationBuilder().AddCommandLine(args).Build();
        foreach (var section in commandLine.GetChildren())
            if (!IsKnown(section.Key)) throw new HostOptionsException($"There is no option --{section.Key}. {Guess(section.Key)}All of them: Tollgate.Host --help");
        foreach (var arg in args)
            if (!arg.StartsWith('-') && !IsValueOf(args, arg)) throw new HostOptionsException($"'{arg}' is not an option. All of them: Tollgate.Host --help");

        return new ConfigurationBuilder()
            .AddInMemoryCollection(Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
                .Select(variable => KeyValuePair.Create(((string)variable.Key).Replace("__", ":"), (string?)variable.Value))
                .Where(variable => variable.Key.Contains(':') && IsKnown(variable.Key.Split(':')[0])))
            .AddEnvironmentVariables("TOLLGATE_")
            .AddCommandLine(args)
            .Build();
    }

    /// <summary>Whether an option's first word is one of ours.</summary>
    public static bool IsKnown(string word) =>
        Sections.Contains(word, StringComparer.OrdinalIgnoreCase) || Alone.Contains(word, StringComparer.OrdinalIgnoreCase);

    private static bool IsValueOf(string[] args, string value)
    {
        var at = Array.IndexOf(args, value);
        return at > 0 && args[at - 1].StartsWith("--", StringComparison.Ordinal) && !args[at - 1].Contains('=');
    }

    private static string Guess(string word) =>
        Sections.Concat(Alone).FirstOrDefault(known => known.StartsWith(word[..Math.Min(3, word.Length)], StringComparison.OrdinalIgnoreCase)) is { } near
            ? $"Did you mean --{near}? " : "";
}
