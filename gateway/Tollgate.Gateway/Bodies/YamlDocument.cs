using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Tollgate.Gateway.Bodies;

/// <summary>Reads YAML as the JSON that it stands for, by the core schema of YAML 1.2: <c>yes</c> and <c>12:30</c> are text.</summary>
internal static partial class YamlDocument
{
    private const int Deepest = 128;

    public static bool IsNamed(string file) => Path.GetExtension(file).ToLowerInvariant() is ".yaml" or ".yml";

    /// <exception cref="YamlException">It cannot be read; with the place.</exception>
    public static JsonNode? Read(string text)
    {
        var parser = new Parser(new StringReader(text));
        try
        {
            return ReadAll(parser);
        }
        catch (Exception broken) when (broken is not YamlException and not OutOfMemoryException)
        {
            // What the parser stumbles over without a word of its own.
            var at = parser.Current?.End ?? Mark.Empty;
            throw new YamlException(at, at, "what follows is not YAML.", broken);
        }
    }

    private static JsonNode? ReadAll(Parser parser)
    {
        parser.Consume<StreamStart>();
        if (parser.Accept<StreamEnd>(out _)) return null;
        parser.Consume<DocumentStart>();
        var node = Read(parser, 0);
        parser.Consume<DocumentEnd>();
        if (!parser.Accept<StreamEnd>(out _)) throw new YamlException(parser.Current!.Start, parser.Current.End, "there is a second document.");
        return node;
    }

    private static JsonNode? Read(IParser parser, int depth)
    {
        if (depth > Deepest) throw new YamlException(parser.Current!.Start, parser.Current.End, "it is nested too deeply.");
        if (parser.TryConsume<Scalar>(out var scalar)) return Value(scalar);
        if (parser.TryConsume<SequenceStart>(out _))
        {
            var list = new JsonArray();
            while (!parser.TryConsume<SequenceEnd>(out _)) list.Add(Read(parser, depth + 1));
            return list;
        }

        if (parser.TryConsume<MappingStart>(out _))
        {
            var map = new JsonObject();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                var name = parser.Consume<Scalar>();
                if (map.ContainsKey(name.Value)) throw new YamlException(name.Start, name.End, $"\"{name.Value}\" is written twice.");
                map.Add(name.Value, Read(parser, depth + 1));
            }

            return map;
        }

        // An alias would let a small document unfold into a huge one; schemas have $ref for what they do.
        throw new YamlException(parser.Current!.Start, parser.Current.End, "aliases (*name) are not read; use $ref.");
    }

    private static JsonNode? Value(Scalar scalar)
    {
        var text = scalar.Value;
        if (scalar.Style != ScalarStyle.Plain || !scalar.Tag.IsEmpty) return JsonValue.Create(text);
        if (text is "" or "~" or "null" or "Null" or "NULL") return null;
        if (text is "true" or "True" or "TRUE") return JsonValue.Create(true);
        if (text is "false" or "False" or "FALSE") return JsonValue.Create(false);
        if (Number().IsMatch(text)) return JsonNode.Parse(JsonNumber(text));
        if (text.StartsWith("0x", StringComparison.Ordinal) && long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex)) return JsonValue.Create(hex);
        return JsonValue.Create(text);
    }

    // What YAML lets a number look like, and JSON does not: +1, 007, .5, 1. and 1.e3
    private static string JsonNumber(string text)
    {
        var sign = text[0] == '-' ? "-" : "";
        var digits = text.TrimStart('+', '-');
        var whole = digits.Length - digits.TrimStart("0123456789".ToCharArray()).Length;
        var rest = digits[whole..];
        var fraction = rest.StartsWith('.') && (rest.Length == 1 || !char.IsAsciiDigit(rest[1])) ? rest[1..] : rest;
        return $"{sign}{(digits[..whole].TrimStart('0') is { Length: > 0 } significant ? significant : "0")}{fraction}";
    }

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")]
    private static partial Regex Number();
}
