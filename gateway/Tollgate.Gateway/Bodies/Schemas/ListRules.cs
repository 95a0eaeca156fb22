using System.Text.Json;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary><c>minItems</c>, <c>maxItems</c>, <c>uniqueItems</c>.</summary>
internal sealed class ListSizeRule(int least, int most, bool unique) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.Array) return true;
        var length = value.GetArrayLength();
        var holds = true;
        if (length < least) holds = check.Fail("the list has too few items.");
        if (length > most) holds = check.Fail("the list has too many items.");
        if (!unique) return holds;
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in value.EnumerateArray())
            if (!known.Add(CanonicalValue.Of(item)))
                return check.Fail("the list has the same item twice.");
        return holds;
    }
}

/// <summary><c>prefixItems</c> and <c>items</c>; of older drafts a list of <c>items</c>, and <c>additionalItems</c>.</summary>
internal sealed class ItemsRule(SchemaNode[] first, SchemaNode? others) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.Array) return true;
        var holds = true;
        var at = 0;
        foreach (var item in value.EnumerateArray())
        {
            if ((at < first.Length ? first[at] : others) is not { } schema) break;
            check.Seen?.Add(at);
            holds &= check.HoldsIn(at++, schema, item);
            if (!holds && check.IsQuiet) break;
        }

        return holds;
    }
}

/// <summary><c>contains</c>, <c>minContains</c>, <c>maxContains</c>.</summary>
internal sealed class ContainsRule(SchemaNode schema, int least, int most) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.Array) return true;
        var (found, at) = (0, 0);
        foreach (var item in value.EnumerateArray())
        {
            if (check.AsksApart(schema, item))
            {
                found++;
                check.Seen?.Add(at);
            }

            at++;
        }

        return found < least ? check.Fail("the list lacks an item that it must have.")
            : found <= most || check.Fail("the list has too many items of one kind.");
    }
}

/// <summary><c>unevaluatedItems</c>.</summary>
internal sealed class OtherItemsRule(SchemaNode schema) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.Array) return true;
        var (holds, at) = (true, 0);
        foreach (var item in value.EnumerateArray())
        {
            if (!check.Seen!.Has(at))
            {
                holds &= check.HoldsIn(at, schema, item);
                check.Seen.Add(at);
            }

            at++;
        }

        return holds;
    }
}
