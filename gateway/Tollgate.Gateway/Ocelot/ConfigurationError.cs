namespace Tollgate.Gateway.Ocelot;

/// <summary>One mistake in a configuration file, and where it stands.</summary>
/// <param name="Line">1 for the first line.</param>
/// <param name="Property">Path of the property, such as <c>Routes[2].UpstreamPathTemplate</c>; empty for the file as a whole.</param>
public sealed record ConfigurationError(string File, int Line, string Property, string Sentence)
{
    private const int MostAlike = 3;

    /// <summary>As a person reads them: one line each, but one alone for many places of a file where the same is written.</summary>
    public static IEnumerable<string> Lines(IEnumerable<ConfigurationError> mistakes)
    {
        foreach (var alike in mistakes.GroupBy(mistake => (mistake.File, mistake.Sentence, Name: mistake.Property[(mistake.Property.LastIndexOf('.') + 1)..])))
        {
            var all = alike.ToArray();
            if (all.Length <= MostAlike)
            {
                foreach (var mistake in all) yield return mistake.ToString();
                continue;
            }

            var lines = all.Skip(1).Select(mistake => mistake.Line).Distinct().ToArray();
            yield return $"{all[0]} The same in {all.Length - 1} other places: {(lines.Length == 1 ? "line" : "lines")} {string.Join(", ", lines.Take(8))}{(lines.Length > 8 ? $" and {lines.Length - 8} more" : "")}.";
        }
    }

    public override string ToString() => Property.Length == 0 ? $"{File}:{Line}: {Sentence}" : $"{File}:{Line} {Property}: {Sentence}";
}

/// <summary>A configuration that cannot go live, with everything that is wrong with it.</summary>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationError> errors) : Exception(string.Join(Environment.NewLine, ConfigurationError.Lines(errors)))
{
    public IReadOnlyList<ConfigurationError> Errors { get; } = errors;

    /// <summary>What else was found: for who mends the errors, and would meet these next.</summary>
    public IReadOnlyList<ConfigurationError> Warnings { get; init; } = [];

    internal IReadOnlyList<OcelotRoute> Routes { get; init; } = [];
}
