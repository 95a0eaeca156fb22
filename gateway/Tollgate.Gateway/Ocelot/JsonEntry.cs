using System.Globalization;
using System.Text.Json.Nodes;

namespace Tollgate.Gateway.Ocelot;

internal enum JsonEntryKind : byte
{
    Null,
    Scalar,
    Object,
    Array,
}

/// <summary>A value of a configuration file that remembers its line. Property names ignore case; scalars are text, as in .NET configuration.</summary>
internal sealed class JsonEntry(string file, int line, string path, JsonEntryKind kind)
{
    public string File { get; } = file;
    public int Line { get; } = line;
    public string Path { get; } = path;
    public JsonEntryKind Kind { get; } = kind;

    /// <summary>Of a scalar, with <c>${NAME}</c> filled in: numbers and booleans as they are written.</summary>
    public string Text { get; init; } = "";

    /// <summary>Of a scalar: written in quotes.</summary>
    public bool IsText { get; init; }

    /// <summary>Of an object, in file order.</summary>
    public List<KeyValuePair<string, JsonEntry>> Members { get; } = [];

    /// <summary>Of an array.</summary>
    public List<JsonEntry> Items { get; } = [];

    /// <summary>Nothing is in it, of whatever form: .NET configuration sees no difference between an empty list, object and text.</summary>
    private bool IsEmpty => Members.Count == 0 && Items.Count == 0 && Text.Length == 0;

    public JsonEntry? this[string name]
    {
        get
        {
            foreach (var (key, value) in Members)
                if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
                    return value.Kind == JsonEntryKind.Null ? null : value;
            return null;
        }
    }

    /// <summary>A mistake at the property, or at the object that lacks it.</summary>
    public ConfigurationError Error(string property, string sentence) =>
        this[property] is { } entry
            ? new ConfigurationError(entry.File, entry.Line, entry.Path, sentence)
            : new ConfigurationError(File, Line, Path.Length == 0 ? property : $"{Path}.{property}", sentence);

    public ConfigurationError Error(string sentence) => new(File, Line, Path, sentence);

    /// <summary>The value as JSON again, its types as they are written.</summary>
    public JsonNode? ToNode() => Kind switch
    {
        JsonEntryKind.Object => new JsonObject(Members.Select(member => KeyValuePair.Create(member.Key, member.Value.ToNode()))),
        JsonEntryKind.Array => new JsonArray([.. Items.Select(item => item.ToNode())]),
        JsonEntryKind.Scalar => IsText ? JsonValue.Create(Text) : JsonNode.Parse(Text),
        _ => null,
    };

    public string? ReadText(string name, List<ConfigurationError> errors)
    {
        var entry = this[name];
        if (entry is null) return null;
        if (entry.Kind == JsonEntryKind.Scalar) return entry.Text;
        errors.Add(entry.Error("expected text here."));
        return null;
    }

    public long? ReadNumber(string name, long min, long max, List<ConfigurationError> errors)
    {
        var entry = this[name];
        if (entry is null) return null;
        if (entry.Kind == JsonEntryKind.Scalar && entry.Text.Length == 0) return null;
        if (entry.Kind == JsonEntryKind.Scalar &&
            long.TryParse(entry.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
            return number;
        errors.Add(entry.Error(min == int.MinValue && max == int.MaxValue
            ? "expected a whole number here."
            : $"expected a whole number from {min} to {max} here."));
        return null;
    }

    public bool? ReadFlag(string name, List<ConfigurationError> errors)
    {
        var entry = this[name];
        if (entry is null) return null;
        if (entry.Kind == JsonEntryKind.Scalar && entry.Text.Length == 0) return null;
        if (entry.Kind == JsonEntryKind.Scalar && bool.TryParse(entry.Text, out var flag)) return flag;
        errors.Add(entry.Error("expected true or false here."));
        return null;
    }

    /// <summary>A list of texts. One text stands for a list of one; empty text for none.</summary>
    public IReadOnlyList<string> ReadTexts(string name, List<ConfigurationError> errors)
    {
        var entry = this[name];
        if (entry is null) return [];
        if (entry.Kind == JsonEntryKind.Scalar) return entry.Text.Length == 0 ? [] : [entry.Text];
        if (entry.Kind != JsonEntryKind.Array)
        {
            if (!entry.IsEmpty) errors.Add(entry.Error("expected a list of texts here."));
            return [];
        }

        var texts = new List<string>(entry.Items.Count);
        foreach (var item in entry.Items)
            if (item.Kind == JsonEntryKind.Scalar) texts.Add(item.Text);
            else if (item.Kind != JsonEntryKind.Null) errors.Add(item.Error("expected text here."));
        return texts;
    }

    public JsonEntry? ReadObject(string name, List<ConfigurationError> errors)
    {
        var entry = this[name];
        if (entry is null or { Kind: JsonEntryKind.Object }) return entry;
        if (entry.IsEmpty) return null;
        errors.Add(entry.Error("expected an object here."));
        return null;
    }

    public IReadOnlyList<JsonEntry> ReadObjects(string name, List<ConfigurationError> errors)
    {
        var entry = this[name];
        if (entry is null) return [];
        if (entry.Kind != JsonEntryKind.Array)
        {
            if (!entry.IsEmpty) errors.Add(entry.Error("expected a list of objects here."));
            return [];
        }

        var objects = new List<JsonEntry>(entry.Items.Count);
        foreach (var item in entry.Items)
            if (item.Kind == JsonEntryKind.Object) objects.Add(item);
            else if (item.Kind != JsonEntryKind.Null) errors.Add(item.Error("expected an object here."));
        return objects;
    }
}
