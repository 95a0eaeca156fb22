using System.Text.Json;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary><c>required</c>, <c>minProperties</c>, <c>maxProperties</c>.</summary>
internal sealed class MembersRule(IReadOnlyList<RequiredMember> required, int least, int most) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.Object) return true;
        var holds = true;
        foreach (var member in required)
            if (!(check.IsAnswer ? member.IsOnlyWritten : member.IsOnlyRead) && !value.TryGetProperty(member.Name, out _))
                holds = check.FailAt(member.Name, $"the member \"{member.Name}\" is missing.");
        if (least == 0 && most == int.MaxValue) return holds;
        var count = value.GetPropertyCount();
        if (count < least) holds = check.Fail("the object has too few members.");
        if (count > most) holds = check.Fail("the object has too many members.");
        return holds;
    }
}

/// <param name="IsOnlyRead">Callers need not send it (OpenAPI's <c>readOnly</c>).</param>
/// <param name="IsOnlyWritten">Services need not answer it (OpenAPI's <c>writeOnly</c>).</param>
internal readonly record struct RequiredMember(string Name, bool IsOnlyRead, bool IsOnlyWritten);

/// <summary><c>properties</c>, <c>patternProperties</c>, <c>additionalProperties</c>.</summary>
internal sealed class PropertiesRule(IReadOnlyDictionary<string, SchemaNode> named, IReadOnlyList<(SchemaPattern Pattern, SchemaNode Schema)> patterns, SchemaNode? others) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.Object) return true;
        var holds = true;
        foreach (var member in value.EnumerateObject())
        {
            var name = member.Name;
            var isKnown = named.TryGetValue(name, out var schema);
            if (isKnown) holds &= check.HoldsIn(name, schema!, member.Value);
            foreach (var (pattern, patterned) in patterns)
            {
                if (pattern.IsIn(name) == false) continue;
                isKnown = true;
                holds &= check.HoldsIn(name, patterned, member.Value);
            }

            if (!isKnown && others is null) continue;
            check.Seen?.Add(name);
            if (!isKnown) holds &= Never.Is(others!) ? check.FailAt(name, $"the member \"{name}\" is not one that may be here.") : check.HoldsIn(name, others!, member.Value);
            if (!holds && check.IsQuiet) break;
        }

        return holds;
    }
}

/// <summary><c>propertyNames</c>.</summary>
internal sealed class NamesRule(SchemaNode schema) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.Object) return true;
        var holds = true;
        foreach (var member in value.EnumerateObject())
        {
            if (!check.AsksApart(schema, JsonSerializer.SerializeToElement(member.Name))) holds = check.FailAt(member.Name, $"the name \"{member.Name}\" does not have the form that is asked for here.");
            if (!holds && check.IsQuiet) break;
        }

        return holds;
    }
}

/// <summary><c>dependentRequired</c>: who has one member must have others.</summary>
internal sealed class CompanionsRule(IReadOnlyDictionary<string, string[]> companions) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.Object) return true;
        var holds = true;
        foreach (var (name, needed) in companions)
        {
            if (!value.TryGetProperty(name, out _)) continue;
            foreach (var other in needed)
                if (!value.TryGetProperty(other, out _)) holds = check.FailAt(other, $"the member \"{other}\" is missing: \"{name}\" needs it.");
        }

        return holds;
    }
}

/// <summary><c>dependentSchemas</c>: who has a member must keep a further schema.</summary>
internal sealed class DependentRule(IReadOnlyDictionary<string, SchemaNode> schemas) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.Object) return true;
        var holds = true;
        foreach (var (name, schema) in schemas)
            if (value.TryGetProperty(name, out _)) holds &= schema.Holds(value, check);
        return holds;
    }
}

/// <summary><c>unevaluatedProperties</c>.</summary>
internal sealed class OtherMembersRule(SchemaNode schema) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.Object) return true;
        var holds = true;
        foreach (var member in value.EnumerateObject())
        {
            if (check.Seen!.Has(member.Name)) continue;
            holds &= Never.Is(schema) ? check.FailAt(member.Name, $"the member \"{member.Name}\" is not one that may be here.") : check.HoldsIn(member.Name, schema, member.Value);
            check.Seen.Add(member.Name);
        }

        return holds;
    }
}
