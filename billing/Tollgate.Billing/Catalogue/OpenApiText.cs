using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace Tollgate.Billing.Catalogue;

/// <summary>An OpenAPI document as people write it: JSON or YAML.</summary>
public static class OpenApiText
{
    /// <exception cref="YamlException">It is neither.</exception>
    public static string ToJson(string document)
    {
        if (document.AsSpan().TrimStart().StartsWith("{")) return document;

        // Aliases would let a small document unfold into a huge one; OpenAPI has $ref for what they do.
        var parser = new Parser(new StringReader(document));
        while (parser.MoveNext())
            if (parser.Current is AnchorAlias alias)
                throw new YamlException(alias.Start, alias.End, "aliases (*name) are not read; use $ref.");

        var graph = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize(new StringReader(document));
        return new SerializerBuilder().JsonCompatible().Build().Serialize(graph);
    }
}
