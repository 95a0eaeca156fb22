using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Storage;
using Tollgate.Contracts;
using Tollgate.Contracts.Usage;

namespace Tollgate.Billing.Metering;

/// <summary>A piece of usage as sums are made of: an hour where its sum holds, a minute everywhere else.</summary>
internal sealed class UsageSlice
{
    public SubscriptionId Subscription { get; init; }
    public long At { get; init; }
    public required string Meter { get; init; }
    public int Status { get; init; }
    public long Calls { get; init; }
    public long Units { get; init; }
}

/// <summary>Reads all that is committed, exactly, in one statement: so no rollup or batch can fall between two looks.</summary>
internal static class UsageSlices
{
    /// <summary>Usage in [from, to): hours where their sums hold, minutes of stale hours and of the two ends that are not whole hours.</summary>
    public static IQueryable<UsageSlice> Slices(this BillingDb db, List<SubscriptionId> subscriptions, long from, long to)
    {
        const long hourMs = UsageMinutes.HourMs;
        var firstHour = from + (hourMs - from % hourMs) % hourMs;
        var endHour = to - to % hourMs;
        if (firstHour >= endHour) return db.Minutes(subscriptions, from, to);

        var hours = db.UsageHours.Where(h => subscriptions.Contains(h.Subscription) && h.Hour >= firstHour && h.Hour < endHour
                && !db.StaleHours.Any(s => s.Subscription == h.Subscription && s.Hour == h.Hour))
            .Select(h => new UsageSlice { Subscription = h.Subscription, At = h.Hour, Meter = h.Meter, Status = h.Status, Calls = h.Calls, Units = h.Units });
        var stale =
            from s in db.StaleHours.Where(s => subscriptions.Contains(s.Subscription) && s.Hour >= firstHour && s.Hour < endHour)
            from m in db.UsageMinutes
            where m.Subscription == s.Subscription && m.Minute >= s.Hour && m.Minute < s.Hour + hourMs
            select new UsageSlice { Subscription = m.Subscription, At = m.Minute, Meter = m.Meter, Status = m.Status, Calls = m.Calls, Units = m.Units };
        var all = hours.Concat(stale);
        if (from < firstHour) all = all.Concat(db.Minutes(subscriptions, from, firstHour));
        if (endHour < to) all = all.Concat(db.Minutes(subscriptions, endHour, to));
        return all;
    }

    /// <summary>Without the calls with test keys: what is owed, and what live quotas count.</summary>
    public static IQueryable<UsageSlice> Live(this IQueryable<UsageSlice> slices) => slices.Where(slice => slice.Meter != Meters.Test);

    /// <summary>The calls with test keys alone.</summary>
    public static IQueryable<UsageSlice> Tests(this IQueryable<UsageSlice> slices) => slices.Where(slice => slice.Meter == Meters.Test);

    /// <summary>Usage in [from, to), minute by minute.</summary>
    public static IQueryable<UsageSlice> Minutes(this BillingDb db, List<SubscriptionId> subscriptions, long from, long to) =>
        db.UsageMinutes.Where(m => subscriptions.Contains(m.Subscription) && m.Minute >= from && m.Minute < to)
            .Select(m => new UsageSlice { Subscription = m.Subscription, At = m.Minute, Meter = m.Meter, Status = m.Status, Calls = m.Calls, Units = m.Units });
}
