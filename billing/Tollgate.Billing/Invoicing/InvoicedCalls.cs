using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Metering;
using Tollgate.Billing.Rating;
using Tollgate.Billing.Storage;
using Tollgate.Contracts;
using Tollgate.Contracts.Explain;

namespace Tollgate.Billing.Invoicing;

/// <summary>Finds the line of an invoice that a call's units are on.</summary>
public sealed class InvoicedCalls(IDbContextFactory<BillingDb> databases)
{
    private const string Draft = "draft";

    /// <summary>Adds the line to what the gateway said of a call; a call that was not metered, or came with a test key, is on none, and one whose usage has not arrived yet is on none so far.</summary>
    public async Task<CallExplanation> CompleteAsync(CallExplanation call, CancellationToken cancel) =>
        call is { Plan: { } plan, MeteredUnits: not null, Caller: not { Test: true } } && await LineAsync(plan.Subscription, call.Arrived, cancel) is { } line ? call with { InvoiceLine = line } : call;

    /// <summary>The line that the usage of a moment is on: of several tiers, the one that the period had come to by the end of that minute.</summary>
    private async Task<InvoiceLineExplanation?> LineAsync(SubscriptionId subscription, DateTimeOffset at, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var known = await db.Subscriptions.AsNoTracking().Where(s => s.Id == subscription).Select(s => new { s.Organisation, s.Application }).SingleOrDefaultAsync(cancel);
        if (known is null) return null;
        var billed = (await db.BilledAsync(known.Organisation, new UsageFilter(known.Application), at, cancel)).SingleOrDefault(one => one.Id == subscription);
        if (billed?.Stretches.LastOrDefault(one => one.From <= at && at < one.To) is not { Version: var version }) return null;

        var endOfMinute = DateTimeOffset.FromUnixTimeMilliseconds(at.ToUnixTimeMilliseconds() / UsageMinutes.MinuteMs * UsageMinutes.MinuteMs) + TimeSpan.FromMilliseconds(UsageMinutes.MinuteMs);
        var until = await UnitsAsync(billed with { Period = billed.Period with { To = endOfMinute } });
        var whole = await UnitsAsync(billed);
        if (version.Rate(Price.DefaultMeter, until).LastOrDefault(rated => rated.Quantity > 0) is not { } reached) return null;
        var line = version.Rate(Price.DefaultMeter, whole).FirstOrDefault(rated => rated.Description == reached.Description) ?? reached;
        return new InvoiceLineExplanation(
            version.Title, line.Description, line.Quantity, line.UnitPrice, version.Currency.Round(line.Amount), version.Currency.Code, billed.Period.From, billed.Period.To, Draft);

        async Task<decimal> UnitsAsync(BilledSubscription part) =>
            (await db.UsageAsync(part, long.MaxValue, UsageBucket.Hour, cancel)).Where(usage => usage.Version == version.Id && usage.Meter == Price.DefaultMeter).Sum(usage => (decimal)usage.Units);
    }
}
