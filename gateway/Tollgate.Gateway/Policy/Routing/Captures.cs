using System.Runtime.CompilerServices;

namespace Tollgate.Gateway.Policy.Routing;

/// <summary>Where the values of a template's placeholders stand in the path and query of a call. Held in place: matching allocates nothing.</summary>
internal struct Captures
{
    public const int Capacity = 16;

    private Slots _slots;

    public readonly Capture this[int index] => _slots[index];

    public void Set(int index, int start, int length, bool inQuery) => _slots[index] = new Capture(start, length, inQuery);

    [InlineArray(Capacity)]
    private struct Slots
    {
        private Capture _first;
    }
}

/// <param name="InQuery">Counted from the query's first character after <c>?</c> instead of the path's.</param>
internal readonly record struct Capture(int Start, int Length, bool InQuery)
{
    public ReadOnlySpan<char> In(ReadOnlySpan<char> path, ReadOnlySpan<char> query) => (InQuery ? query : path).Slice(Start, Length);
}
