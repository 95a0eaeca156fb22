using Tollgate.Contracts;

namespace Tollgate.Billing.Invoicing;

/// <summary>
/// What the running periods come to so far, in one currency. Computed from the books each time it is asked for and stored nowhere:
/// a draft on paper would be a second truth that every batch had to correct, and the numbers take a handful of indexed sums.
/// </summary>
/// <param name="MinorUnits">Decimals of the currency.</param>
/// <param name="From">Start of the earliest period on it.</param>
/// <param name="To">End of the latest period on it.</param>
/// <param name="AsOf">When it was computed.</param>
public sealed record DraftInvoice(
    OrganisationId Organisation, string Currency, int MinorUnits, DateTimeOffset From, DateTimeOffset To,
    IReadOnlyList<DraftGroup> Groups, decimal Total, DateTimeOffset AsOf);

/// <summary>The lines of one subscription.</summary>
/// <param name="Plan">Title and version of the plan it is on now, or was on last.</param>
public sealed record DraftGroup(
    SubscriptionId Subscription, AppId Application, string ProductName, string ProductTitle, string Plan, BillingPeriod Period,
    IReadOnlyList<DraftLine> Lines, decimal Subtotal);

/// <summary>One line: the amount is the quantity at the unit price, rounded here and nowhere else.</summary>
/// <param name="Plan">Title and version of the plan whose price it is.</param>
/// <param name="Quantity">Units; for a fee, the share of the period (1 = all of it).</param>
/// <param name="From">Since when that version was in force within the period.</param>
public sealed record DraftLine(
    DraftLineKind Kind, string Plan, string Description, decimal Quantity, decimal UnitPrice, decimal Amount, DateTimeOffset From, DateTimeOffset To);

/// <summary>What a line is for.</summary>
public enum DraftLineKind
{
    /// <summary>A recurring fee, in advance.</summary>
    Fee,

    /// <summary>Units of a meter.</summary>
    Usage,
}

/// <summary>What a draft comes to, in short.</summary>
public sealed record RunningCost(string Currency, int MinorUnits, decimal Fees, decimal Usage, decimal Total);

/// <summary>What usage cost over time, in one currency. Over the running period it sums up to the usage lines of the draft, to the cent.</summary>
public sealed record CostSeries(string Currency, int MinorUnits, IReadOnlyList<CostPoint> Points);

/// <param name="Cost">What the bucket's units add to the invoice; 0 while they fall into an allowance.</param>
public sealed record CostPoint(DateTimeOffset At, decimal Units, decimal Cost);
