namespace Tollgate.Gateway.Consumers;

/// <summary>The consumers file cannot be used: file, line and property, and a sentence that says what to do.</summary>
internal sealed class ConsumersFileException(string file, int line, string property, string sentence)
    : FormatException($"{file}({line}){(property.Length == 0 ? "" : $": {property}")}: {sentence}")
{
    public string File { get; } = file;
    public int Line { get; } = line;
    public string Property { get; } = property;
}
