using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Tollgate.Gateway.Aggregates;

/// <summary>
/// A JSONPath (RFC 9535, and the spellings that Ocelot's files use: without <c>$</c>, filters in round brackets): names, indexes, slices, wildcards,
/// unions, descent and filters by comparison.
/// </summary>
internal sealed class JsonPath
{
    private readonly List<Step> _steps;

    private JsonPath(List<Step> steps) => _steps = steps;

    public static bool TryParse(string text, out JsonPath path)
    {
        try
        {
            var reader = new Reader(text.Trim());
            path = new JsonPath(reader.Steps(isRoot: true));
            return reader.IsAtEnd;
        }
        catch (FormatException)
        {
            path = new JsonPath([]);
            return false;
        }
    }

    /// <summary>Every value that the path names, in the document's order.</summary>
    public List<JsonElement> Select(JsonElement root) => Select(_steps, root, root);

    private static List<JsonElement> Select(List<Step> steps, JsonElement from, JsonElement root)
    {
        List<JsonElement> found = [from];
        foreach (var step in steps)
        {
            var next = new List<JsonElement>();
            foreach (var element in found)
            {
                if (step.Descends) Descend(step, element, root, next);
                else step.Apply(element, root, next);
            }

            found = next;
        }

        return found;
    }

    private static void Descend(Step step, JsonElement element, JsonElement root, List<JsonElement> found)
    {
        step.Apply(element, root, found);
        if (element.ValueKind == JsonValueKind.Object)
            foreach (var member in element.EnumerateObject()) Descend(step, member.Value, root, found);
        else if (element.ValueKind == JsonValueKind.Array)
            foreach (var item in element.EnumerateArray()) Descend(step, item, root, found);
    }

    private sealed record Step(bool Descends, List<Selector> Selectors)
    {
        public void Apply(JsonElement element, JsonElement root, List<JsonElement> found)
        {
            foreach (var selector in Selectors) selector.Apply(element, root, found);
        }
    }

    private abstract record Selector
    {
        public abstract void Apply(JsonElement element, JsonElement root, List<JsonElement> found);
    }

    private sealed record Name(string Text) : Selector
    {
        public override void Apply(JsonElement element, JsonElement root, List<JsonElement> found)
        {
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty(Text, out var value)) found.Add(value);
        }
    }

    private sealed record Wildcard : Selector
    {
        public override void Apply(JsonElement element, JsonElement root, List<JsonElement> found)
        {
            if (element.ValueKind == JsonValueKind.Object)
                foreach (var member in element.EnumerateObject()) found.Add(member.Value);
            else if (element.ValueKind == JsonValueKind.Array)
                foreach (var item in element.EnumerateArray()) found.Add(item);
        }
    }

    private sealed record Index(int Place) : Selector
    {
        public override void Apply(JsonElement element, JsonElement root, List<JsonElement> found)
        {
            if (element.ValueKind != JsonValueKind.Array) return;
            var length = element.GetArrayLength();
            var at = Place < 0 ? length + Place : Place;
            if (at >= 0 && at < length) found.Add(element[at]);
        }
    }

    private sealed record Slice(int? Start, int? End, int Stride) : Selector
    {
        public override void Apply(JsonElement element, JsonElement root, List<JsonElement> found)
        {
            if (element.ValueKind != JsonValueKind.Array || Stride == 0) return;
            var length = element.GetArrayLength();
            int Place(int place) => place < 0 ? length + place : place;
            if (Stride > 0)
            {
                var end = Math.Min(Place(End ?? length), length);
                for (var i = Math.Max(Place(Start ?? 0), 0); i < end; i += Stride) found.Add(element[i]);
            }
            else
            {
                var end = End is { } written ? Math.Max(Place(written), -1) : -1;
                for (var i = Math.Min(Place(Start ?? length - 1), length - 1); i > end; i += Stride) found.Add(element[i]);
            }
        }
    }

    private sealed record Filter(Func<JsonElement, JsonElement, bool> Holds) : Selector
    {
        public override void Apply(JsonElement element, JsonElement root, List<JsonElement> found)
        {
            if (element.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in element.EnumerateArray())
                    if (Holds(item, root))
                        found.Add(item);
            }
            else if (element.ValueKind == JsonValueKind.Object)
            {
                foreach (var member in element.EnumerateObject())
                    if (Holds(member.Value, root))
                        found.Add(member.Value);
            }
        }
    }

    private sealed class Reader(string text)
    {
        private int _at;
        private int _depth;

        public bool IsAtEnd => _at == text.Length;

        private char Next => _at < text.Length ? text[_at] : '\0';

        public List<Step> Steps(bool isRoot)
        {
            var steps = new List<Step>();
            if (isRoot && Next == '$') _at++;
            else if (isRoot && Next is not ('.' or '[' or '\0')) steps.Add(new Step(false, [Dotted()]));    // a name may stand alone at the beginning
            while (Next is '.' or '[')
            {
                if (Next == '[')
                {
                    steps.Add(new Step(false, Bracket()));
                    continue;
                }

                _at++;
                var descends = Take('.');
                steps.Add(new Step(descends, descends && Next == '[' ? Bracket() : [Dotted()]));
            }

            return steps;
        }

        private Selector Dotted()
        {
            if (Take('*')) return new Wildcard();
            var start = _at;
            while (_at < text.Length && (char.IsLetterOrDigit(text[_at]) || text[_at] is '_' or '-' || text[_at] > 127)) _at++;
            return _at > start ? new Name(text[start.._at]) : throw new FormatException();
        }

        private List<Selector> Bracket()
        {
            _at++;
            var selectors = new List<Selector>();
            do
            {
                Blank();
                selectors.Add(Next switch
                {
                    '*' when Take('*') => new Wildcard(),
                    '\'' or '"' => new Name(Quoted()),
                    '?' => FilterSelector(),
                    _ => Places(),
                });
                Blank();
            }
            while (Take(','));
            return Take(']') ? selectors : throw new FormatException();
        }

        private Selector Places()
        {
            var start = Integer();
            Blank();
            if (!Take(':')) return start is { } place ? new Index(place) : throw new FormatException();
            Blank();
            var end = Integer();
            Blank();
            int? stride = null;
            if (Take(':'))
            {
                Blank();
                stride = Integer();
            }

            return new Slice(start, end, stride ?? 1);
        }

        private Filter FilterSelector()
        {
            _at++;
            Blank();
            return new Filter(Or());
        }

        private Func<JsonElement, JsonElement, bool> Or()
        {
            var left = And();
            for (Blank(); Take("||"); Blank())
            {
                var (first, second) = (left, And());
                left = (item, root) => first(item, root) || second(item, root);
            }

            return left;
        }

        private Func<JsonElement, JsonElement, bool> And()
        {
            var left = Term();
            for (Blank(); Take("&&"); Blank())
            {
                var (first, second) = (left, Term());
                left = (item, root) => first(item, root) && second(item, root);
            }

            return left;
        }

        private Func<JsonElement, JsonElement, bool> Term()
        {
            if (++_depth > 32) throw new FormatException();
            try
            {
                Blank();
                if (Take('!'))
                {
                    var inner = Term();
                    return (item, root) => !inner(item, root);
                }

                if (Take('('))
                {
                    var inner = Or();
                    Blank();
                    return Take(')') ? inner : throw new FormatException();
                }

                return Comparison();
            }
            finally
            {
                _depth--;
            }
        }

        private Func<JsonElement, JsonElement, bool> Comparison()
        {
            var left = Operand();
            Blank();
            foreach (var sign in new[] { "==", "!=", "<=", ">=", "<", ">" })
            {
                if (!Take(sign)) continue;
                Blank();
                var right = Operand();
                return (item, root) => Compare(left(item, root), sign, right(item, root));
            }

            return (item, root) => left(item, root) is not null;
        }

        private Func<JsonElement, JsonElement, JsonElement?> Operand()
        {
            if (Next is '@' or '$')
            {
                var fromRoot = Next == '$';
                _at++;
                var steps = Steps(isRoot: false);
                return (item, root) => Select(steps, fromRoot ? root : item, root) is [var first, ..] ? first : null;
            }

            var literal = Next is '\'' or '"' ? JsonSerializer.SerializeToElement(Quoted()) : Literal();
            return (_, _) => literal;
        }

        private JsonElement Literal()
        {
            var start = _at;
            while (_at < text.Length && (char.IsLetterOrDigit(text[_at]) || text[_at] is '.' or '-' or '+')) _at++;
            try
            {
                return JsonSerializer.Deserialize<JsonElement>(text[start.._at]);
            }
            catch (JsonException)
            {
                throw new FormatException();
            }
        }

        private string Quoted()
        {
            var quote = text[_at++];
            var value = new StringBuilder();
            while (Next != quote)
            {
                if (_at >= text.Length) throw new FormatException();
                if (Next == '\\') _at++;
                if (_at >= text.Length) throw new FormatException();
                value.Append(text[_at++]);
            }

            _at++;
            return value.ToString();
        }

        private int? Integer()
        {
            var start = _at;
            if (Next == '-') _at++;
            while (char.IsAsciiDigit(Next)) _at++;
            if (_at == start) return null;
            return int.TryParse(text[start.._at], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException();
        }

        private void Blank()
        {
            while (Next is ' ' or '\t') _at++;
        }

        private bool Take(char c)
        {
            if (Next != c) return false;
            _at++;
            return true;
        }

        private bool Take(string sign)
        {
            if (string.CompareOrdinal(text, _at, sign, 0, sign.Length) != 0) return false;
            _at += sign.Length;
            return true;
        }

        private static bool Compare(JsonElement? left, string sign, JsonElement? right)
        {
            if (left is not { } a || right is not { } b) return sign == "!=" ? left is null != right is null : sign == "==" && left is null && right is null;
            if (sign is "==" or "!=") return AreEqual(a, b) == (sign == "==");
            int order;
            if (a.ValueKind == JsonValueKind.Number && b.ValueKind == JsonValueKind.Number) order = a.GetDouble().CompareTo(b.GetDouble());
            else if (a.ValueKind == JsonValueKind.String && b.ValueKind == JsonValueKind.String) order = string.CompareOrdinal(a.GetString(), b.GetString());
            else return false;
            return sign switch { "<" => order < 0, ">" => order > 0, "<=" => order <= 0, _ => order >= 0 };
        }

        private static bool AreEqual(JsonElement a, JsonElement b) =>
            a.ValueKind == JsonValueKind.Number && b.ValueKind == JsonValueKind.Number ? a.GetDouble() == b.GetDouble() : JsonElement.DeepEquals(a, b);
    }
}
