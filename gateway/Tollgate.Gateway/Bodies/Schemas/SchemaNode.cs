using System.Text.Json;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary>A schema: rules that a value must all keep.</summary>
internal sealed class SchemaNode
{
    /// <summary>In the order in which they are asked: those of what is not evaluated come last.</summary>
    public SchemaRule[] Rules { get; set; } = [];

    /// <summary>Whether a rule asks which members and items the others have looked at.</summary>
    public bool AsksWhatWasSeen { get; set; }

    /// <summary>Where it stands; null = no reference of the document asks for that.</summary>
    public SchemaResource? Resource { get; init; }

    public bool Holds(JsonElement value, SchemaCheck check)
    {
        var enters = Resource is not null && (check.Way.Count == 0 || check.Way[^1] != Resource);
        if (enters) check.Way.Add(Resource!);
        var holds = Keeps(value, check);
        if (enters) check.Way.RemoveAt(check.Way.Count - 1);
        return holds;
    }

    private bool Keeps(JsonElement value, SchemaCheck check)
    {
        if (!check.TryDescend())
        {
            check.Ascend();
            return check.Fail("the value is nested too deeply for its schema.");
        }

        var outer = check.Seen;
        check.Seen = outer is not null || AsksWhatWasSeen ? new Evaluated() : null;
        var holds = true;
        foreach (var rule in Rules)
        {
            holds &= rule.Holds(value, check);
            if (!holds && check.IsQuiet) break;
        }

        if (holds && outer is not null) outer.Add(check.Seen!);
        check.Seen = outer;
        check.Ascend();
        return holds;
    }
}

/// <summary>One rule of a schema. A rule about another kind of value holds.</summary>
internal abstract class SchemaRule
{
    /// <summary>Whether the value keeps the rule; says why not.</summary>
    public abstract bool Holds(JsonElement value, SchemaCheck check);
}
