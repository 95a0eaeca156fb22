using System.Text.Json;
using Tollgate.Billing.Rating;
using Tollgate.Billing.Storage;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Billing.Catalogue;

/// <summary>What a plan version promises and asks for. Once published it never changes.</summary>
/// <param name="Currency">ISO 4217 code of all its prices.</param>
/// <param name="Limits">Units in sliding windows.</param>
/// <param name="Quotas">Units per calendar period.</param>
public sealed record PlanTerms(
    string Currency,
    IReadOnlyList<Price> Prices,
    IReadOnlyList<RateLimit> Limits,
    IReadOnlyList<PlanQuota> Quotas,
    LedgerLoss OnLedgerLoss = LedgerLoss.FairShare)
{
    /// <summary>Alike in every price, limit and quota.</summary>
    internal bool IsSameAs(PlanTerms other) =>
        JsonSerializer.Serialize(this, BillingJson.Default.PlanTerms) == JsonSerializer.Serialize(other, BillingJson.Default.PlanTerms);
}

/// <summary>At most <paramref name="Units"/> units a period; the period begins at each subscription's own anchor.</summary>
/// <param name="Hard">True: refused beyond it. False: admitted, and billed by the prices.</param>
public sealed record PlanQuota(string Name, long Units, QuotaPeriod Period, bool Hard);
