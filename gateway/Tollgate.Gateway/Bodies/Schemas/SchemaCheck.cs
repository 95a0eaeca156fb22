using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary>One body on its way through a schema: where in it the rules are, what they found, and which members and items they have looked at.</summary>
internal sealed class SchemaCheck(string start, List<Violation> violations, bool isAnswer)
{
    private const int MostViolations = 20;
    private const int Deepest = 512;

    private readonly List<(string? Name, int Item)> _path = [];
    private int _quiet;
    private int _depth;

    /// <summary>Whether the service wrote the body, and not the caller.</summary>
    public bool IsAnswer => isAnswer;

    /// <summary>The resources of the schema that the way to the rules led through, the outermost first; kept where a reference depends on it.</summary>
    public List<SchemaResource> Way { get; private init; } = [];

    /// <summary>What was looked at of the value that the rules are at; null = nobody asks.</summary>
    public Evaluated? Seen { get; set; }

    /// <summary>Whether it is enough to know that something is wrong.</summary>
    public bool IsQuiet => _quiet > 0 || violations.Count >= MostViolations;

    /// <summary>Goes one schema deeper; false = a schema refers to itself without end.</summary>
    public bool TryDescend() => ++_depth <= Deepest;

    public void Ascend() => _depth--;

    /// <summary>Says what is wrong with the value that the rules are at.</summary>
    public bool Fail(string detail, bool isOfShape = false)
    {
        if (!IsQuiet) violations.Add(new Violation(Pointer(), detail, isOfShape));
        return false;
    }

    /// <summary>Says that no alternative fits, and what is wrong by the one that was plainly meant: the one that nothing but values keeps from fitting.</summary>
    public bool FailAll(SchemaNode[] alternatives, JsonElement value)
    {
        if (IsQuiet) return false;
        Fail("the value fits none of the alternatives.");
        violations.AddRange(MeantBy(alternatives, value).Take(MostViolations - violations.Count));
        return false;
    }

    /// <summary>Says what is wrong with one of its members.</summary>
    public bool FailAt(string member, string detail)
    {
        _path.Add((member, 0));
        Fail(detail, isOfShape: true);
        _path.RemoveAt(_path.Count - 1);
        return false;
    }

    public bool HoldsIn(string member, SchemaNode schema, JsonElement value) => HoldsIn((member, 0), schema, value);

    public bool HoldsIn(int item, SchemaNode schema, JsonElement value) => HoldsIn((null, item), schema, value);

    /// <summary>Whether a schema holds, without a word about why not.</summary>
    public bool Asks(SchemaNode schema, JsonElement value)
    {
        _quiet++;
        var holds = schema.Holds(value, this);
        _quiet--;
        return holds;
    }

    /// <summary>The same of a schema whose look at the value does not count as having seen any of it.</summary>
    public bool AsksApart(SchemaNode schema, JsonElement value)
    {
        var seen = Seen;
        Seen = null;
        var holds = Asks(schema, value);
        Seen = seen;
        return holds;
    }

    private List<Violation> MeantBy(SchemaNode[] alternatives, JsonElement value)
    {
        List<Violation> meant = [];
        var (fewest, isAlone) = (int.MaxValue, false);
        foreach (var alternative in alternatives)
        {
            List<Violation> found = [];
            alternative.Holds(value, new SchemaCheck(Pointer(), found, isAnswer) { _depth = _depth, Way = [.. Way] });
            var ofShape = found.Count(violation => violation.IsOfShape);
            isAlone = ofShape < fewest || ofShape > fewest && isAlone;
            if (ofShape >= fewest) continue;
            (fewest, meant) = (ofShape, found);
        }

        return isAlone ? meant : [];
    }

    private bool HoldsIn((string?, int) step, SchemaNode schema, JsonElement value)
    {
        var seen = Seen;
        Seen = null;
        _path.Add(step);
        var holds = schema.Holds(value, this);
        _path.RemoveAt(_path.Count - 1);
        Seen = seen;
        return holds;
    }

    private string Pointer()
    {
        var pointer = new StringBuilder(start);
        foreach (var (name, item) in _path)
        {
            pointer.Append('/');
            if (name is null) pointer.Append(item.ToString(CultureInfo.InvariantCulture));
            else pointer.Append(name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
        }

        return pointer.ToString();
    }
}

/// <summary>Members and items of one value that some rule has looked at; the others are for <c>unevaluatedProperties</c> and <c>unevaluatedItems</c>.</summary>
internal sealed class Evaluated
{
    private readonly HashSet<string> _members = new(StringComparer.Ordinal);
    private readonly HashSet<int> _items = [];

    public void Add(string member) => _members.Add(member);

    public void Add(int item) => _items.Add(item);

    public void Add(Evaluated others)
    {
        _members.UnionWith(others._members);
        _items.UnionWith(others._items);
    }

    public bool Has(string member) => _members.Contains(member);

    public bool Has(int item) => _items.Contains(item);
}
