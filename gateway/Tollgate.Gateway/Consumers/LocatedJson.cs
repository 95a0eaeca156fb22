using System.Text;
using System.Text.Json;

namespace Tollgate.Gateway.Consumers;

/// <summary>A JSON value that knows its line in the file, so that an error can point there.</summary>
internal sealed class LocatedJson
{
    private LocatedJson(JsonTokenType kind, int line, string path)
    {
        Kind = kind;
        Line = line;
        Path = path;
    }

    public JsonTokenType Kind { get; }
    public int Line { get; }

    /// <summary>Such as <c>plans[0].limits[1].window</c>.</summary>
    public string Path { get; }

    public string Text { get; private init; } = "";
    public IReadOnlyList<LocatedJson> Items { get; private init; } = [];
    public IReadOnlyList<KeyValuePair<string, LocatedJson>> Properties { get; private init; } = [];

    public static LocatedJson Parse(ReadOnlySpan<byte> utf8, string file)
    {
        if (utf8.StartsWith(Encoding.UTF8.Preamble))
            utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        try
        {
            var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 32 });
            var lines = new LineCounter();
            reader.Read();
            var root = Read(ref reader, utf8, ref lines, "");
            reader.Read();    // anything but white space after the value is an error
            return root;
        }
        catch (JsonException error)
        {
            throw new ConsumersFileException(file, (int)(error.LineNumber ?? 0) + 1, error.Path is null or "$" ? "" : error.Path, Sentence(error.Message));
        }
        catch (InvalidOperationException error)    // a string that is not UTF-8
        {
            throw new ConsumersFileException(file, 1, "", Sentence(error.Message));
        }
    }

    private static LocatedJson Read(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8, ref LineCounter lines, string path)
    {
        var line = lines.At(utf8, (int)reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var properties = new List<KeyValuePair<string, LocatedJson>>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var name = reader.GetString()!;
                    reader.Read();
                    properties.Add(new(name, Read(ref reader, utf8, ref lines, path.Length == 0 ? name : $"{path}.{name}")));
                }
                return new LocatedJson(JsonTokenType.StartObject, line, path) { Properties = properties };

            case JsonTokenType.StartArray:
                var items = new List<LocatedJson>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    items.Add(Read(ref reader, utf8, ref lines, $"{path}[{items.Count}]"));
                return new LocatedJson(JsonTokenType.StartArray, line, path) { Items = items };

            case JsonTokenType.String:
                return new LocatedJson(JsonTokenType.String, line, path) { Text = reader.GetString()! };

            default:
                return new LocatedJson(reader.TokenType, line, path) { Text = Encoding.UTF8.GetString(reader.ValueSpan) };
        }
    }

    private static string Sentence(string message)
    {
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    private struct LineCounter
    {
        private int _position;
        private int _line;

        public int At(ReadOnlySpan<byte> utf8, int position)
        {
            _line += utf8[_position..position].Count((byte)'\n');
            _position = position;
            return _line + 1;
        }
    }
}
