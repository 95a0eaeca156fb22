using System.Globalization;
using System.Text.Json.Nodes;

namespace Tollgate.Gateway.Bodies;

/// <summary>One change to a JSON body. What a change does not find it leaves alone.</summary>
internal abstract record BodyChange
{
    /// <summary>The body after the change: another root where the change is to the whole.</summary>
    public abstract JsonNode? Apply(JsonNode? body);

    /// <summary>Calls a member by another name, in its place.</summary>
    public sealed record Rename(BodyPath Path, string To) : BodyChange
    {
        public override JsonNode? Apply(JsonNode? body)
        {
            foreach (var (parent, name) in Path.MembersIn(body))
            {
                if (!parent.TryGetPropertyValue(name, out var value) || name == To) continue;
                var at = parent.IndexOf(name);
                parent.Remove(name);
                if (parent.ContainsKey(To)) parent[To] = value;
                else parent.Insert(Math.Min(at, parent.Count), To, value);
            }

            return body;
        }
    }

    /// <summary>Gives an object a member that it has not; with <paramref name="Replace"/> also one that it has.</summary>
    public sealed record Add(BodyPath Path, JsonNode? Value, bool Replace) : BodyChange
    {
        public override JsonNode? Apply(JsonNode? body)
        {
            foreach (var (parent, name) in Path.MembersIn(body))
                if (Replace || !parent.ContainsKey(name))
                    parent[name] = Value?.DeepClone();
            if (!Replace) return body;
            foreach (var (list, places) in Path.ItemsIn(body))
                foreach (var place in places)
                    list[place] = Value?.DeepClone();
            return body;
        }
    }

    public sealed record Remove(BodyPath Path) : BodyChange
    {
        public override JsonNode? Apply(JsonNode? body)
        {
            foreach (var (parent, name) in Path.MembersIn(body)) parent.Remove(name);
            foreach (var (list, places) in Path.ItemsIn(body))
                foreach (var place in places.OrderDescending())
                    list.RemoveAt(place);
            return body;
        }
    }

    /// <summary>Puts the whole body into an object under a name.</summary>
    public sealed record Wrap(string Name) : BodyChange
    {
        public override JsonNode? Apply(JsonNode? body) => new JsonObject { [Name] = body };
    }

    /// <summary>Takes one member for the whole body.</summary>
    public sealed record Unwrap(string Name) : BodyChange
    {
        public override JsonNode? Apply(JsonNode? body)
        {
            if (body is not JsonObject whole || !whole.TryGetPropertyValue(Name, out var inner)) return body;
            whole.Remove(Name);
            return inner;
        }
    }
}

/// <summary>Where a member stands: a JSON pointer (RFC 6901), in which <c>*</c> is every item of a list or every member of an object.</summary>
internal sealed record BodyPath
{
    private readonly string[] _steps;

    private BodyPath(string[] steps) => _steps = steps;

    /// <summary>Null = not a pointer to a member.</summary>
    public static BodyPath? Parse(string text) =>
        text.Length > 1 && text[0] == '/' ? new BodyPath([.. text[1..].Split('/').Select(step => step.Replace("~1", "/").Replace("~0", "~"))]) : null;

    /// <summary>The objects that the last step is a member of, or would be.</summary>
    public IEnumerable<(JsonObject Parent, string Name)> MembersIn(JsonNode? body)
    {
        var last = _steps[^1];
        return [.. ParentsIn(body).OfType<JsonObject>().SelectMany(parent => last == "*" ? parent.Select(member => (parent, member.Key)) : [(parent, last)])];
    }

    /// <summary>The lists that the last step is a place in, with the places that there are.</summary>
    public IEnumerable<(JsonArray List, int[] Places)> ItemsIn(JsonNode? body)
    {
        var last = _steps[^1];
        if (last != "*" && !int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out _)) return [];
        return [.. ParentsIn(body).OfType<JsonArray>().Select(list => (list, last == "*" ? [.. Enumerable.Range(0, list.Count)] : PlacesIn(list, last)))];
    }

    private static int[] PlacesIn(JsonArray list, string step) =>
        int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var place) && place < list.Count ? [place] : [];

    private List<JsonNode?> ParentsIn(JsonNode? body)
    {
        var at = new List<JsonNode?> { body };
        for (var i = 0; i < _steps.Length - 1; i++) at = [.. at.SelectMany(node => Step(node, _steps[i]))];
        return at;
    }

    private static IEnumerable<JsonNode?> Step(JsonNode? node, string step) => node switch
    {
        JsonArray list when step == "*" => list,
        JsonArray list => PlacesIn(list, step).Select(place => list[place]),
        JsonObject parent when step == "*" => parent.Select(member => member.Value),
        JsonObject parent => parent.TryGetPropertyValue(step, out var value) ? [value] : [],
        _ => [],
    };
}
