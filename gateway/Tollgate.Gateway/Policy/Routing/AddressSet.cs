using System.Net;

namespace Tollgate.Gateway.Policy.Routing;

/// <summary>Addresses, held as ranges that do not touch: the size of a network costs nothing.</summary>
internal sealed class AddressSet
{
    private readonly AddressRange[] _v4;
    private readonly AddressRange[] _v6;

    public AddressSet(IEnumerable<AddressRange> ranges)
    {
        var byFamily = ranges.ToLookup(range => range.IsV6);
        _v4 = Join(byFamily[false]);
        _v6 = Join(byFamily[true]);
    }

    public bool IsEmpty => _v4.Length == 0 && _v6.Length == 0;

    public bool Contains(IPAddress address)
    {
        var number = AddressRange.NumberOf(address, out var isV6);
        var ranges = isV6 ? _v6 : _v4;
        var low = 0;
        var high = ranges.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (number < ranges[middle].From) high = middle - 1;
            else if (number > ranges[middle].To) low = middle + 1;
            else return true;
        }

        return false;
    }

    private static AddressRange[] Join(IEnumerable<AddressRange> ranges)
    {
        var joined = new List<AddressRange>();
        foreach (var range in ranges.OrderBy(range => range.From))
            if (joined.Count > 0 && range.From <= joined[^1].To) joined[^1] = joined[^1] with { To = UInt128.Max(joined[^1].To, range.To) };
            else joined.Add(range);
        return [.. joined];
    }
}
