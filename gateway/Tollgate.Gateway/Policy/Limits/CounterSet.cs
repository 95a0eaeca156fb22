using System.Globalization;
using System.Text;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>The live counters of one subscription, rate limits first. Made at its first call, dropped when it has been idle for long.</summary>
internal sealed class CounterSet
{
    private readonly string[] _items;
    private readonly List<Entitlement> _users = [];

    public CounterSet(Counter[] counters)
    {
        Counters = counters;
        Quotas = counters.OfType<QuotaCounter>().ToArray();
        _items = counters.Select(counter => $"\"{HeaderName(counter.Name)}\";r=").ToArray();
        Policy = counters.Length == 0 ? null : string.Join(", ", counters.Select(PolicyItem));
    }

    public Counter[] Counters { get; }
    public QuotaCounter[] Quotas { get; }

    /// <summary>The <c>RateLimit-Policy</c> value; null when nothing is limited.</summary>
    public string? Policy { get; }

    /// <summary>Set by every call, cleared by the housekeeping.</summary>
    public bool Touched { get; set; }

    /// <summary>How often in a row the housekeeping found it untouched.</summary>
    public int IdleRounds { get; set; }

    /// <summary>Remembers who holds this set, so that it can be let go.</summary>
    public void AddUser(Entitlement entitlement)
    {
        lock (_users)
            _users.Add(entitlement);
    }

    public void LetGo()
    {
        lock (_users)
        {
            foreach (var user in _users)
                user.ForgetCounters(this);
        }
    }

    /// <summary>The same by the counters' own clock.</summary>
    public string? Describe() => Counters.Length == 0 ? null : Describe(Counters[0].NowUs);

    /// <summary>The <c>RateLimit</c> value of this moment; null when nothing is limited.</summary>
    public string? Describe(long nowUs)
    {
        if (Counters.Length == 0)
            return null;
        Span<char> buffer = stackalloc char[512];
        var length = 0;
        for (var i = 0; i < Counters.Length; i++)
        {
            var counter = Counters[i];
            var rest = buffer[length..];
            if (!rest.TryWrite(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ", ")}{_items[i]}{counter.Remaining(nowUs)};t={counter.ResetSeconds(nowUs)}", out var written))
                break;    // whole items only
            length += written;
        }
        return new string(buffer[..length]);
    }

    private static string PolicyItem(Counter counter) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{HeaderName(counter.Name)}\";q={counter.Limit};w={WindowSeconds(counter)}");

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
        foreach (var c in name.AsSpan(0, Math.Min(name.Length, 40)))
            text.Append(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ' ' ? c : '-');
        return text.ToString();
    }
}
