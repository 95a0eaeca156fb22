using System.Text.Json;
using Tollgate.Billing.Rating;
using Tollgate.Billing.Storage;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Billing.Catalogue;

/// <summary>What a plan version promises and asks for. Once published it never changes.</summary>
/// <param name="Currency">ISO 4217 code of all its prices.</param>
/// <param name="Limits">Units in sliding windows.</param>
/// <param name="Quotas">Units per calendar period.</param>
/// <param name="Concurrency">Calls under way at a time.</param>
/// <param name="SpendCap">What the calls of a month may cost at most, the fee aside; beyond it they are refused. Gateways hear of it as units.</param>
public sealed record PlanTerms(
    string Currency,
    IReadOnlyList<Price> Prices,
    IReadOnlyList<RateLimit> Limits,
    IReadOnlyList<PlanQuota> Quotas,
    LedgerLoss OnLedgerLoss = LedgerLoss.FairShare,
    IReadOnlyList<ConcurrencyLimit>? Concurrency = null,
    decimal? SpendCap = null)
{
    /// <summary>Alike in every price, limit and quota.</summary>
    internal bool IsSameAs(PlanTerms other) =>
        JsonSerializer.Serialize(this, BillingJson.Default.PlanTerms) == JsonSerializer.Serialize(other, BillingJson.Default.PlanTerms);
}

/// <summary>At most <paramref name="Units"/> units a period; the period begins at each subscription's own anchor.</summary>
/// <param name="Hard">True: refused beyond it. False: admitted, and billed by the prices.</param>
/// <param name="Shadow">Evaluated and reported, not enforced.</param>
public sealed record PlanQuota(string Name, long Units, QuotaPeriod Period, bool Hard, bool Shadow = false);
