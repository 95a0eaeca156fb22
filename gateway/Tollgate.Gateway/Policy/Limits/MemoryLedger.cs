using System.Collections.Concurrent;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>The ledger of a process that shares its limits with nobody. Answers at once.</summary>
/// <param name="nodes">Spenders that share it; more than one only in tests, which play a cluster within one process.</param>
internal sealed class MemoryLedger(TimeProvider time, int nodes = 1) : ILedger
{
    private readonly MonotonicClock _clock = new(time);
    private readonly ConcurrentDictionary<string, Window> _windows = new();
    private readonly ConcurrentDictionary<string, QuotaAccount> _quotas = new();

    public bool IsShared => nodes > 1;
    public int Nodes => nodes;
    public bool IsAway => false;

    public ValueTask<LedgerAnswer> AskWindowAsync(string key, long limit, long windowMs, LedgerAsk ask)
    {
        while (true)
        {
            if (!_windows.TryGetValue(key, out var window))
                window = _windows.GetOrAdd(key, static (_, ms) => new Window(ms), windowMs);
            lock (window)
            {
                // Tidy may have dropped it between the look-up and the lock; what is counted there would be lost.
                if (_windows.TryGetValue(key, out var held) && ReferenceEquals(held, window))
                    return new(window.Ask(_clock.NowUs, limit, ask));
            }
        }
    }

    public ValueTask<LedgerAnswer> AskQuotaAsync(string key, long limit, bool hard, LedgerAsk ask)
    {
        if (!_quotas.TryGetValue(key, out var account))
            return new(new LedgerAnswer(LedgerOutcome.NeedsBase));
        lock (account)
            return new(account.Ask(limit, hard, ask));
    }

    public ValueTask<bool> SeedQuotaAsync(string key, long units, long lifetimeMs)
    {
        _quotas.TryAdd(key, new QuotaAccount { Used = units, DropAtUs = _clock.NowUs + (lifetimeMs * 1000) });
        return new(true);
    }

    public void Tidy()
    {
        var now = _clock.NowUs;
        foreach (var (key, window) in _windows)
        {
            lock (window)
            {
                if (now - window.LastAskedUs > window.EmptyAfterUs)
                    _windows.TryRemove(KeyValuePair.Create(key, window));
            }
        }
        foreach (var (key, account) in _quotas)
        {
            if (now > account.DropAtUs)
                _quotas.TryRemove(KeyValuePair.Create(key, account));
        }
    }

    /// <summary>What one quota has used in one period. <see cref="LedgerScripts.Quota"/> says the same in Lua.</summary>
    private sealed class QuotaAccount
    {
        public long Used;
        public long DropAtUs;

        public LedgerAnswer Ask(long limit, bool hard, in LedgerAsk ask)
        {
            Used = Math.Max(0, Used - ask.Returned) + ask.Debt;
            var room = Math.Max(0, limit - Used);
            if (hard && room < ask.Need)
                return new LedgerAnswer(LedgerOutcome.Refused, 0, room);

            var grant = ask.Need == 0 ? 0 : ask.GrantFrom(room);
            Used += grant;
            return new LedgerAnswer(LedgerOutcome.Granted, grant, Math.Max(0, room - grant));
        }
    }
}
