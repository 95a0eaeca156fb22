namespace Tollgate.Gateway.Ocelot;

/// <summary>One mistake in a configuration file, and where it stands.</summary>
/// <param name="Line">1 for the first line.</param>
/// <param name="Property">Path of the property, such as <c>Routes[2].UpstreamPathTemplate</c>; empty for the file as a whole.</param>
public sealed record ConfigurationError(string File, int Line, string Property, string Sentence)
{
    public override string ToString() => Property.Length == 0 ? $"{File}:{Line}: {Sentence}" : $"{File}:{Line} {Property}: {Sentence}";
}

/// <summary>A configuration that cannot go live, with everything that is wrong with it.</summary>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationError> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<ConfigurationError> Errors { get; } = errors;
}
