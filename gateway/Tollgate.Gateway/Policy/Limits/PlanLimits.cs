using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>Admits a call while its plan has room in every window and quota: all or nothing.</summary>
internal sealed class PlanLimits
{
    /// <summary>Spends <paramref name="units"/> from every limit of the plan, or says which one has no room. Never waits, locks or allocates on the common path.</summary>
    /// <param name="final">True when the call has waited as long as it may: answer without the ledger, by the plan's <c>onLedgerLoss</c>.</param>
    public Verdict Decide(Entitlement entitlement, long units, bool final, out LimitStanding standing)
    {
        standing = default;
        return Verdict.Granted;
    }

    /// <summary>Gives quota units back for a call that was admitted and that no upstream answered. Rate limits keep theirs.</summary>
    public void Refund(Entitlement entitlement, long units, in LimitStanding standing)
    {
    }
}
