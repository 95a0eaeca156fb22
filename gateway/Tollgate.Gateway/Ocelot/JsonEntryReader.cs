using System.Globalization;
using System.Text;
using System.Text.Json;
using Tollgate.Gateway.Compatibility;

namespace Tollgate.Gateway.Ocelot;

/// <summary>
/// Reads a configuration file into <see cref="JsonEntry"/>s: comments and trailing commas are fine, keys are kept as they are written
/// (also with a colon, which .NET configuration would split), <c>${NAME}</c> in text values is filled in.
/// </summary>
internal ref struct JsonEntryReader
{
    private readonly string _file;
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly Func<string, string?> _variable;
    private readonly List<ConfigurationError> _errors;
    private Utf8JsonReader _reader;
    private int _line = 1;
    private int _counted;

    private JsonEntryReader(string file, ReadOnlySpan<byte> bytes, Func<string, string?> variable, List<ConfigurationError> errors)
    {
        _file = file;
        _bytes = bytes;
        _variable = variable;
        _errors = errors;
        _reader = new Utf8JsonReader(bytes, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 64 });
    }

    /// <summary>The file's root object, or null with the reason among the errors.</summary>
    public static JsonEntry? Read(string file, ReadOnlySpan<byte> bytes, Func<string, string?> variable, List<ConfigurationError> errors)
    {
        bytes = Utf8Of(bytes);
        var reader = new JsonEntryReader(file, bytes, variable, errors);
        try
        {
            reader._reader.Read();
            var root = reader.Value("");
            while (reader._reader.Read())
            {
            }

            if (root.Kind == JsonEntryKind.Object) return root;
            errors.Add(root.Error("expected an object with \"Routes\" here."));
        }
        catch (JsonException broken)
        {
            var line = (int)(broken.LineNumber ?? 0) + 1;
            errors.Add(new ConfigurationError(file, line, reader._path, $"not valid JSON: {Sentence(broken.Message)}"));
        }

        return null;
    }

    // As .NET configuration reads a file: by its mark, else as UTF-8, where what is none becomes U+FFFD. Much of it stands in comments.
    private static ReadOnlySpan<byte> Utf8Of(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
        else if (bytes.StartsWith(Encoding.Unicode.Preamble)) return Encoding.UTF8.GetBytes(Encoding.Unicode.GetString(bytes[2..]));
        else if (bytes.StartsWith(Encoding.BigEndianUnicode.Preamble)) return Encoding.UTF8.GetBytes(Encoding.BigEndianUnicode.GetString(bytes[2..]));
        return System.Text.Unicode.Utf8.IsValid(bytes) ? bytes : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes));
    }

    private string _path = "";

    private JsonEntry Value(string path)
    {
        _path = path;
        var line = Line();
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var entry = new JsonEntry(_file, line, path, JsonEntryKind.Object);
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
                {
                    var name = _reader.GetString()!;
                    var member = path.Length == 0 ? name : $"{path}.{name}";
                    _path = member;
                    var nameLine = Line();
                    _reader.Read();
                    var value = Value(member);
                    if (entry.Members.Exists(m => m.Key.Equals(name, StringComparison.OrdinalIgnoreCase)))
                        _errors.Add(new ConfigurationError(_file, nameLine, member, "written twice in one object."));
                    else
                        entry.Members.Add(new(name, value));
                }

                _path = path;
                return entry;

            case JsonTokenType.StartArray:
                var list = new JsonEntry(_file, line, path, JsonEntryKind.Array);
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
                    list.Items.Add(Value($"{path}[{list.Items.Count.ToString(CultureInfo.InvariantCulture)}]"));
                _path = path;
                return list;

            case JsonTokenType.String:
                var text = _reader.GetString()!;
                if (text.Contains('\uFFFD') && PropertyBook.IsRead(path)) _errors.Add(new ConfigurationError(_file, line, path, "has text that is not UTF-8."));
                return new JsonEntry(_file, line, path, JsonEntryKind.Scalar) { Text = FillIn(text, line, path), IsText = true };

            case JsonTokenType.Null:
                return new JsonEntry(_file, line, path, JsonEntryKind.Null);

            default:
                return new JsonEntry(_file, line, path, JsonEntryKind.Scalar) { Text = Encoding.UTF8.GetString(_reader.ValueSpan) };
        }
    }

    private int Line()
    {
        var at = (int)_reader.TokenStartIndex;
        if (at <= _counted) return _line;
        _line += _bytes[_counted..at].Count((byte)'\n');
        _counted = at;
        return _line;
    }

    private readonly string FillIn(string text, int line, string path)
    {
        var open = text.IndexOf("${", StringComparison.Ordinal);
        if (open < 0) return text;

        var filled = new StringBuilder();
        var from = 0;
        while (open >= 0)
        {
            var close = text.IndexOf('}', open);
            if (close < 0) break;
            var name = text[(open + 2)..close];
            if (name.Length > 0 && name.AsSpan().IndexOfAnyExcept(NameCharacters) < 0)
            {
                // What nobody reads may say what it likes.
                var value = _variable(name) ?? (PropertyBook.IsRead(path) ? null : $"${{{name}}}");
                if (value is null) _errors.Add(new ConfigurationError(_file, line, path, $"the variable ${{{name}}} is not set."));
                filled.Append(text, from, open - from).Append(value);
                from = close + 1;
                open = text.IndexOf("${", from, StringComparison.Ordinal);
            }
            else
            {
                open = text.IndexOf("${", open + 2, StringComparison.Ordinal);
            }
        }

        return filled.Append(text, from, text.Length - from).ToString();
    }

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    // The runtime adds "LineNumber: … | BytePositionInLine: …", which counts from 0 and would contradict ours.
    private static string Sentence(string message)
    {
        var cut = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return cut < 0 ? message : message[..cut];
    }
}
