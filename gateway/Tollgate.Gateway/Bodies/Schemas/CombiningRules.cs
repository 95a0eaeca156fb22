using System.Text.Json;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary>The schema <c>false</c>: nothing keeps it.</summary>
internal sealed class Never : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check) => check.Fail("nothing may be here.", isOfShape: true);

    public static bool Is(SchemaNode schema) => schema.Rules is [Never];
}

/// <summary><c>allOf</c> and <c>$ref</c>.</summary>
internal sealed class AllOfRule(SchemaNode[] schemas) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        var holds = true;
        foreach (var schema in schemas)
        {
            holds &= schema.Holds(value, check);
            if (!holds && check.IsQuiet) break;
        }

        return holds;
    }
}

/// <summary><c>$dynamicRef</c> and <c>$recursiveRef</c>: the outermost of the resources that the way led through says what is meant.</summary>
internal sealed class DynamicRule(Dictionary<SchemaResource, SchemaNode> byResource, SchemaNode otherwise) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        foreach (var resource in check.Way)
            if (byResource.TryGetValue(resource, out var schema)) return schema.Holds(value, check);
        return otherwise.Holds(value, check);
    }
}

/// <summary><c>anyOf</c>.</summary>
internal sealed class AnyOfRule(SchemaNode[] schemas) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        var holds = false;
        foreach (var schema in schemas)
        {
            holds |= check.Asks(schema, value);
            if (holds && check.Seen is null) break;    // else each that fits says what it has seen
        }

        return holds || check.FailAll(schemas, value);
    }
}

/// <summary><c>oneOf</c>.</summary>
internal sealed class OneOfRule(SchemaNode[] schemas) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        var fitting = 0;
        foreach (var schema in schemas)
            if (check.Asks(schema, value) && ++fitting > 1) break;
        return fitting switch
        {
            0 => check.FailAll(schemas, value),
            1 => true,
            _ => check.Fail("the value fits more than one of the alternatives."),
        };
    }
}

/// <summary><c>not</c>.</summary>
internal sealed class NotRule(SchemaNode schema) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check) => !check.AsksApart(schema, value) || check.Fail("the value is one that is excluded.");
}

/// <summary><c>if</c>, <c>then</c>, <c>else</c>.</summary>
internal sealed class IfRule(SchemaNode condition, SchemaNode? then, SchemaNode? otherwise) : SchemaRule
{
    public override bool Holds(JsonElement value, SchemaCheck check) => (check.Asks(condition, value) ? then : otherwise)?.Holds(value, check) ?? true;
}
