using Tollgate.Gateway.Policy.Limits;

namespace Tollgate.UnitTests.Limits;

/// <summary>Passes everything on to another ledger, but what a test has in mind.</summary>
internal abstract class PassingLedger(ILedger inner) : ILedger
{
    public bool IsShared => inner.IsShared;
    public int Nodes => inner.Nodes;
    public int Rank => inner.Rank;
    public bool IsAway => inner.IsAway;

    public virtual ValueTask<LedgerAnswer> AskWindowAsync(string key, long limit, long windowMs, LedgerAsk ask) => inner.AskWindowAsync(key, limit, windowMs, ask);

    public ValueTask<long?> TellWindowAsync(string key, long windowMs, IReadOnlyList<SpentUnits> spent) => inner.TellWindowAsync(key, windowMs, spent);

    public virtual ValueTask<LedgerAnswer> AskQuotaAsync(string key, string node, long limit, bool hard, LedgerAsk ask) => inner.AskQuotaAsync(key, node, limit, hard, ask);

    public ValueTask<long?> JoinQuotaAsync(string key, string node, QuotaPart part, long lifetimeMs) => inner.JoinQuotaAsync(key, node, part, lifetimeMs);

    public ValueTask<bool> ResetAsync(string key, bool quota, Guid? order = null) => inner.ResetAsync(key, quota, order);

    public void Tidy() => inner.Tidy();
}
