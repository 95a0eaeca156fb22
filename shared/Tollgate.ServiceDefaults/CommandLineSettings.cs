using System.Collections;
using Microsoft.Extensions.Configuration;

namespace Tollgate.ServiceDefaults;

/// <summary>
/// Where an executable's options come from: the command line (<c>--name value</c>, <c>--name=value</c>), then the environment. Options in a section
/// are environment variables as they are (<c>ConnectionStrings__Postgres</c>); the few that stand alone need a prefix there (<c>TOLLGATE_ROLES</c>),
/// lest a stranger's <c>DATA</c> be ours. A word that nobody knows is refused, not ignored.
/// </summary>
/// <param name="program">Name of the executable, for the sentence that says where help is.</param>
/// <param name="sections">First words of options with a colon.</param>
/// <param name="alone">Options without one.</param>
public sealed class CommandLineSettings(string program, IReadOnlyCollection<string> sections, IReadOnlyCollection<string> alone)
{
    private const string Prefix = "TOLLGATE_";

    /// <summary>The options of this start.</summary>
    /// <exception cref="SettingsException">Something on the command line is no option, or lacks its value.</exception>
    public IConfigurationRoot Read(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            var equals = args[i].IndexOf('=');
            if (!args[i].StartsWith("--", StringComparison.Ordinal)) throw new SettingsException($"'{args[i]}' is not an option. {Help}");
            var name = equals < 0 ? args[i][2..] : args[i][2..equals];
            if (!IsKnown(name)) throw new SettingsException($"There is no option --{name}. {Guess(name)}{Help}");
            if (equals < 0 && ++i == args.Length) throw new SettingsException($"--{name} needs a value. {Help}");
        }

        return new ConfigurationBuilder()
            .AddInMemoryCollection(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .Select(variable => KeyValuePair.Create(((string)variable.Key).Replace("__", ":"), (string?)variable.Value))
                .Where(variable => variable.Key.Contains(':') && IsKnown(variable.Key)))
            .AddEnvironmentVariables(Prefix)
            .AddCommandLine(args)
            .Build();
    }

    /// <summary>Whether this is an option of ours, by its first word.</summary>
    public bool IsKnown(string option) => option.IndexOf(':') is var colon and > 0
        ? sections.Contains(option[..colon], StringComparer.OrdinalIgnoreCase)
        : alone.Contains(option, StringComparer.OrdinalIgnoreCase);

    private string Help => $"{program} --help says what can be written.";

    private string Guess(string name) =>
        sections.Select(section => section + ":…").Concat(alone)
            .FirstOrDefault(known => known.StartsWith(name[..Math.Min(3, name.Length)], StringComparison.OrdinalIgnoreCase)) is { } near
            ? $"Did you mean --{near}? " : "";
}

/// <summary>The process was started with something that it cannot do. The message is for the person who did, and says what to write instead.</summary>
public sealed class SettingsException(string message) : Exception(message);
