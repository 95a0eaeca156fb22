using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary>Turns a schema and all that it refers to into rules. What cannot be read is a mistake with its place: a rule that is written and not kept would be worse than none.</summary>
/// <param name="entry">The schema that began it all.</param>
internal sealed class SchemaCompiler(SchemaDocument document, JsonNode entry, List<string> mistakes)
{
    private static readonly string[] Types = ["string", "number", "integer", "boolean", "object", "array", "null"];

    /// <param name="at">Where it stands, as a JSON pointer.</param>
    public SchemaNode NodeOf(JsonNode? schema, string at)
    {
        if (schema is null) return Mistaken(at, "a schema is expected here.");
        var node = document.NodeOf(schema, out var isNew);
        if (!isNew) return node;
        if (schema is JsonValue always && always.TryGetValue<bool>(out var everything)) node.Rules = everything ? [] : [new Never()];
        else if (schema is JsonObject json) Fill(node, new Words(json, at, mistakes));
        else return Mistaken(at, "a schema is expected here.");
        return node;
    }

    private void Fill(SchemaNode node, Words words)
    {
        var rules = new List<SchemaRule>();
        var references = References(words);
        if (references.Length > 0) rules.Add(new AllOfRule(references));
        if (references.Length == 0 || !document.IsOldDraft)
        {
            AddValueRules(words, rules);
            AddObjectRules(words, rules);
            AddListRules(words, rules);
            AddCombiningRules(words, rules);
            if (words["unevaluatedProperties"] is { } members) rules.Add(new OtherMembersRule(NodeOf(members, words.At("unevaluatedProperties"))));
            if (words["unevaluatedItems"] is { } items) rules.Add(new OtherItemsRule(NodeOf(items, words.At("unevaluatedItems"))));
        }

        node.Rules = [.. rules];
        node.AsksWhatWasSeen = rules.Exists(rule => rule is OtherMembersRule or OtherItemsRule);
    }

    private SchemaNode[] References(Words words)
    {
        var schemas = new List<SchemaNode>();
        foreach (var name in new[] { "$ref", "$dynamicRef", "$recursiveRef" })
        {
            if (words.Text(name) is not { } reference) continue;
            if (document.Find(reference, words.Schema, entry) is { } target) schemas.Add(name == "$ref" ? NodeOf(target, reference) : DynamicNodeOf(target, name, reference));
            else if (reference.StartsWith('#')) words.Mistake(name, $"\"{reference}\" leads nowhere.");
            else words.Mistake(name, $"\"{reference}\" is another document: put what it holds into this one.");
        }

        return [.. schemas];
    }

    // A reference that leads to an anchor of its kind leads on to the outermost one on the way to it.
    private SchemaNode DynamicNodeOf(JsonNode target, string word, string reference)
    {
        var node = NodeOf(target, reference);
        var owner = document.OwnerOf(target);
        var anchor = reference[(reference.IndexOf('#') + 1)..];
        var others = word == "$recursiveRef"
            ? owner.IsRecursive && ReferenceEquals(owner.Root, target) ? document.RecursiveAnchors() : []
            : owner.DynamicAnchors.TryGetValue(anchor, out var own) && ReferenceEquals(own, target) ? document.DynamicAnchors(anchor) : [];
        var byResource = others.ToDictionary(other => other.Resource, other => NodeOf(other.Schema, reference));
        return byResource.Count < 2 ? node : new SchemaNode { Rules = [new DynamicRule(byResource, node)] };
    }

    private void AddValueRules(Words words, List<SchemaRule> rules)
    {
        var isNullable = document.IsOpenApi && words.Flag("nullable");
        if (words["type"] is { } written)
        {
            JsonTypes types = 0;
            foreach (var name in written is JsonArray several ? several.Select(one => one?.ToString() ?? "") : [written.ToString()])
                if (Types.Contains(name)) types |= Enum.Parse<JsonTypes>(name, ignoreCase: true);
                else words.Mistake("type", $"\"{name}\" is not a type.");
            rules.Add(new TypeRule(isNullable ? types | JsonTypes.Null : types));
        }

        if (words.Has("const")) rules.Add(new ChoiceRule([Element(words["const"])]));
        if (words["enum"] is JsonArray values) rules.Add(new ChoiceRule(values.Select(Element).Concat(isNullable ? [Element(null)] : [])));
        else if (words.Has("enum")) words.Mistake("enum", "a list is expected here.");

        var format = words.Text("format");
        AddNumberRule(words, format is null ? null : SchemaFormat.OfNumbers(format), rules);
        var pattern = words.Text("pattern");
        var text = new TextRule
        {
            Shortest = words.Count("minLength") ?? 0,
            Longest = words.Count("maxLength") ?? int.MaxValue,
            Pattern = pattern is null ? null : PatternOf(words, "pattern", pattern),
            Format = format is null ? null : SchemaFormat.OfTexts(format),
        };
        if (text is not { Shortest: 0, Longest: int.MaxValue, Pattern: null, Format: null }) rules.Add(text);
    }

    // Until draft 4, and in OpenAPI 3.0, the exclusive bounds were flags of the others.
    private static void AddNumberRule(Words words, (decimal Least, decimal Most)? bounds, List<SchemaRule> rules)
    {
        var least = words.Number("minimum");
        var most = words.Number("maximum");
        var (isAbove, isBelow) = (words.Flag("exclusiveMinimum"), words.Flag("exclusiveMaximum"));
        if (bounds is { } format)
            rules.Add(new NumberRule { Least = new JsonNumber(format.Least, (double)format.Least), Most = new JsonNumber(format.Most, (double)format.Most) });
        var step = words.Number("multipleOf");
        if (step is { Near: <= 0 }) words.Mistake("multipleOf", "a number above 0 is expected here.");
        var rule = new NumberRule
        {
            Least = isAbove ? null : least,
            Most = isBelow ? null : most,
            Above = isAbove ? least : words.IsFlag("exclusiveMinimum") ? null : words.Number("exclusiveMinimum"),
            Below = isBelow ? most : words.IsFlag("exclusiveMaximum") ? null : words.Number("exclusiveMaximum"),
            MultipleOf = step is { Near: > 0 } ? step : null,
        };
        if (rule is not { Least: null, Most: null, Above: null, Below: null, MultipleOf: null }) rules.Add(rule);
    }

    private void AddObjectRules(Words words, List<SchemaRule> rules)
    {
        var properties = words.Object("properties");
        var required = words["required"] is JsonArray names ? names.Select(name => name?.ToString() ?? "").Distinct().Select(name => Required(name, properties)).ToArray() : [];
        var (least, most) = (words.Count("minProperties") ?? 0, words.Count("maxProperties") ?? int.MaxValue);
        if (required.Length > 0 || least > 0 || most < int.MaxValue) rules.Add(new MembersRule(required, least, most));

        var patterns = new List<(SchemaPattern, SchemaNode)>();
        foreach (var (pattern, schema) in words.Object("patternProperties") ?? [])
            if (PatternOf(words, "patternProperties", pattern) is { } compiled) patterns.Add((compiled, NodeOf(schema, words.At("patternProperties", pattern))));
        var others = words["additionalProperties"] is { } additional ? NodeOf(additional, words.At("additionalProperties")) : null;
        if (properties is not null || patterns.Count > 0 || others is not null) rules.Add(new PropertiesRule(Map(words, "properties"), patterns, others));

        if (words["propertyNames"] is { } ofNames) rules.Add(new NamesRule(NodeOf(ofNames, words.At("propertyNames"))));
        var companions = Companions(words, "dependentRequired").Concat(Companions(words, "dependencies")).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        if (companions.Count > 0) rules.Add(new CompanionsRule(companions));
        foreach (var name in new[] { "dependentSchemas", "dependencies" })
            if (Map(words, name, schema => schema is not JsonArray) is { Count: > 0 } dependent) rules.Add(new DependentRule(dependent));
    }

    private RequiredMember Required(string name, JsonObject? properties)
    {
        if (!document.IsOpenApi || properties?[name] is not JsonObject property) return new RequiredMember(name, false, false);
        if (property["$ref"]?.ToString() is { } reference && document.Find(reference, property, entry) is JsonObject target && property["readOnly"] is null && property["writeOnly"] is null) property = target;
        return new RequiredMember(name, IsTrue(property["readOnly"]), IsTrue(property["writeOnly"]));
    }

    private void AddListRules(Words words, List<SchemaRule> rules)
    {
        var (least, most, unique) = (words.Count("minItems") ?? 0, words.Count("maxItems") ?? int.MaxValue, words.Flag("uniqueItems"));
        if (least > 0 || most < int.MaxValue || unique) rules.Add(new ListSizeRule(least, most, unique));

        var isOldTuple = words["items"] is JsonArray;
        var first = List(words, isOldTuple ? "items" : "prefixItems");
        var rest = isOldTuple ? "additionalItems" : "items";
        var others = words[rest] is { } schema ? NodeOf(schema, words.At(rest)) : null;
        if (first.Length > 0 || others is not null) rules.Add(new ItemsRule(first, others));
        if (words["contains"] is { } contains) rules.Add(new ContainsRule(NodeOf(contains, words.At("contains")), words.Count("minContains") ?? 1, words.Count("maxContains") ?? int.MaxValue));
    }

    private void AddCombiningRules(Words words, List<SchemaRule> rules)
    {
        if (List(words, "allOf") is { Length: > 0 } all) rules.Add(new AllOfRule(all));
        if (List(words, "anyOf") is { Length: > 0 } any) rules.Add(new AnyOfRule(any));
        if (List(words, "oneOf") is { Length: > 0 } one) rules.Add(new OneOfRule(one));
        if (words["not"] is { } not) rules.Add(new NotRule(NodeOf(not, words.At("not"))));
        if (words["if"] is { } condition)
            rules.Add(new IfRule(
                NodeOf(condition, words.At("if")),
                words["then"] is { } then ? NodeOf(then, words.At("then")) : null,
                words["else"] is { } otherwise ? NodeOf(otherwise, words.At("else")) : null));
    }

    private SchemaNode[] List(Words words, string name)
    {
        if (words[name] is JsonArray schemas) return [.. schemas.Select((schema, i) => NodeOf(schema, words.At(name, $"{i}")))];
        if (words.Has(name)) words.Mistake(name, "a list of schemas is expected here.");
        return [];
    }

    private Dictionary<string, SchemaNode> Map(Words words, string name, Func<JsonNode?, bool>? isMeant = null) =>
        (words.Object(name) ?? []).Where(member => isMeant?.Invoke(member.Value) ?? true).ToDictionary(member => member.Key, member => NodeOf(member.Value, words.At(name, member.Key)), StringComparer.Ordinal);

    private static IEnumerable<KeyValuePair<string, string[]>> Companions(Words words, string name) =>
        (words.Object(name) ?? []).Where(member => member.Value is JsonArray).Select(member => KeyValuePair.Create(member.Key, ((JsonArray)member.Value!).Select(other => other?.ToString() ?? "").ToArray()));

    private static SchemaPattern? PatternOf(Words words, string name, string pattern)
    {
        if (SchemaPattern.Parse(pattern) is { } compiled) return compiled;
        words.Mistake(name, $"\"{pattern}\" is not a regular expression.");
        return null;
    }

    private SchemaNode Mistaken(string at, string sentence)
    {
        mistakes.Add($"at {(at.Length == 0 ? "/" : at)} {sentence}");
        return new SchemaNode();
    }

    private static bool IsTrue(JsonNode? node) => node is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    private static JsonElement Element(JsonNode? node) => JsonSerializer.SerializeToElement(node);
}
