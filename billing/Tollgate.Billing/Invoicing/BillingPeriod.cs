namespace Tollgate.Billing.Invoicing;

/// <summary>
/// One month from a subscription's anchor, half-open and in UTC. Counted from the anchor each time, so that 31 January is followed by
/// 28 (or 29) February and then by 31 March again.
/// </summary>
/// <param name="Index">0 for the first.</param>
public readonly record struct BillingPeriod(int Index, DateTimeOffset From, DateTimeOffset To)
{
    /// <summary>The period that holds a moment; before the anchor it is the first.</summary>
    public static BillingPeriod At(DateTimeOffset anchor, DateTimeOffset moment)
    {
        var (start, now) = (anchor.UtcDateTime, moment.UtcDateTime);
        var index = Math.Max(0, (now.Year - start.Year) * 12 + now.Month - start.Month);
        if (index > 0 && start.AddMonths(index) > now) index--;
        return new BillingPeriod(index, new DateTimeOffset(start.AddMonths(index)), new DateTimeOffset(start.AddMonths(index + 1)));
    }

    /// <summary>Since when usage falls into the period. What comes before the first, from a node whose clock is slow, is still owed.</summary>
    internal DateTimeOffset UsageFrom => Index == 0 ? DateTimeOffset.UnixEpoch : From;
}
