using System.Globalization;
using System.Text;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>The live counters that apply to a caller, rate limits first. Made at the first call, dropped when it has been idle for long.</summary>
internal sealed class CounterSet
{
    private readonly string?[] _items;
    private readonly string?[] _concurrencyItems;

    public CounterSet(Counter[] counters, ConcurrencyCounter[] concurrency)
    {
        Counters = counters;
        Concurrency = concurrency;
        Quotas = counters.OfType<QuotaCounter>().ToArray();
        _items = counters.Select(counter => counter.IsShadow ? null : $"\"{HeaderName(counter.Name)}\";r=").ToArray();
        _concurrencyItems = concurrency.Select(counter => counter.IsShadow ? null : $"\"{HeaderName(counter.Name)}\";r=").ToArray();
        var items = counters.Where(counter => !counter.IsShadow).Select(PolicyItem)
            .Concat(concurrency.Where(counter => !counter.IsShadow).Select(PolicyItem)).ToArray();
        Policy = items.Length == 0 ? null : string.Join(", ", items);
    }

    public Counter[] Counters { get; }
    public ConcurrencyCounter[] Concurrency { get; }
    public QuotaCounter[] Quotas { get; }

    /// <summary>The <c>RateLimit-Policy</c> value; null when nothing is limited.</summary>
    public string? Policy { get; }

    /// <summary>Set by every call, cleared by the housekeeping.</summary>
    public bool Touched { get; set; }

    /// <summary>How often in a row the housekeeping found it untouched.</summary>
    public int IdleRounds { get; set; }

    /// <summary>The same by the counters' own clock.</summary>
    public string? Describe() => Counters.Length == 0 ? null : Describe(Counters[0].NowUs);

    /// <summary>The <c>RateLimit</c> value of this moment; null when nothing is limited.</summary>
    public string? Describe(long nowUs)
    {
        if (Policy is null)
            return null;
        Span<char> buffer = stackalloc char[1024];
        var length = 0;
        for (var i = 0; i < Counters.Length; i++)
        {
            if (_items[i] is not { } item)
                continue;
            var counter = Counters[i];
            if (!buffer[length..].TryWrite(CultureInfo.InvariantCulture, $"{(length == 0 ? "" : ", ")}{item}{counter.Remaining(nowUs)};t={counter.ResetSeconds(nowUs)}", out var written))
                break;    // whole items only
            length += written;
        }
        for (var i = 0; i < Concurrency.Length; i++)
        {
            if (_concurrencyItems[i] is not { } item)
                continue;
            if (!buffer[length..].TryWrite(CultureInfo.InvariantCulture, $"{(length == 0 ? "" : ", ")}{item}{Concurrency[i].Remaining}", out var written))
                break;
            length += written;
        }
        return new string(buffer[..length]);
    }

    /// <summary>The names in a set of places, as a structured list: counters first.</summary>
    public string Names(ulong places)
    {
        var names = new StringBuilder();
        for (var i = 0; i < Counters.Length + Concurrency.Length && i < 64; i++)
        {
            if ((places & (1UL << i)) == 0)
                continue;
            names.Append(names.Length == 0 ? "\"" : ", \"").Append(HeaderName(NameAt(i))).Append('"');
        }
        return names.ToString();
    }

    public string NameAt(int place) => place < Counters.Length ? Counters[place].Name : Concurrency[place - Counters.Length].Name;

    private static string PolicyItem(Counter counter) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{HeaderName(counter.Name)}\";q={counter.Limit};w={WindowSeconds(counter)}");

    private static string PolicyItem(ConcurrencyCounter counter) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{HeaderName(counter.Name)}\";q={counter.Definition.Calls};qu=\"concurrent-requests\"");

    private static long WindowSeconds(Counter counter) => counter switch
    {
        RateCounter rate => Math.Max(1, (rate.Definition.WindowMs + 999) / 1000),
        QuotaCounter quota => quota.Definition.Period switch
        {
            Contracts.Feeds.QuotaPeriod.Day => 86_400,
            Contracts.Feeds.QuotaPeriod.Week => 604_800,
            _ => 2_592_000,    // 30 days: the header knows no calendar
        },
        _ => 1,
    };

    /// <summary>A name is a string of RFC 9651: what is not a plain letter, digit or mark becomes <c>-</c>.</summary>
    private static string HeaderName(string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var c in name.AsSpan(0, Math.Min(name.Length, 46)))
            text.Append(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ' ' ? c : '-');
        return text.ToString();
    }
}
