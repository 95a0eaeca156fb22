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
    public int Rank => 0;
    public bool IsAway => false;

    public ValueTask<LedgerAnswer> AskWindowAsync(string key, long limit, long windowMs, LedgerAsk ask) =>
        new(InWindow(key, windowMs, (window, nowUs) => window.Ask(nowUs, limit, ask)));

    public ValueTask<long?> TellWindowAsync(string key, long windowMs, IReadOnlyList<SpentUnits> spent) =>
        new(InWindow(key, windowMs, (window, nowUs) =>
        {
            foreach (var (ageMs, units) in spent)
                window.Count(units, nowUs - (ageMs * 1000));
            return (long?)(nowUs / 1000 / Window.BucketMs(windowMs));
        }));

    public ValueTask<LedgerAnswer> AskQuotaAsync(string key, string node, long limit, bool hard, LedgerAsk ask)
    {
        if (!_quotas.TryGetValue(key, out var account))
            return new(new LedgerAnswer(LedgerOutcome.NeedsBase));
        lock (account)
            return new(account.Ask(node, limit, hard, ask));
    }

    public ValueTask<long?> JoinQuotaAsync(string key, string node, QuotaPart part, long lifetimeMs)
    {
        var account = _quotas.GetOrAdd(key, static (_, made) => made, new QuotaAccount { DropAtUs = _clock.NowUs + (lifetimeMs * 1000) });
        lock (account)
            return new(account.Join(node, part));
    }

    public ValueTask<bool> ResetAsync(string key, bool quota, Guid? order = null)
    {
        if (!quota)
            _windows.TryRemove(key, out _);
        else if (_quotas.TryGetValue(key, out var account))
        {
            lock (account)
                account.Reset();
        }
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

    private T InWindow<T>(string key, long windowMs, Func<Window, long, T> act)
    {
        while (true)
        {
            if (!_windows.TryGetValue(key, out var window))
                window = _windows.GetOrAdd(key, static (_, ms) => new Window(ms), windowMs);
            lock (window)
            {
                // Tidy may have dropped it between the look-up and the lock; what is counted there would be lost.
                if (_windows.TryGetValue(key, out var held) && ReferenceEquals(held, window))
                    return act(window, _clock.NowUs);
            }
        }
    }

    /// <summary>What one quota has used in one period, by node. <see cref="LedgerScripts.Quota"/> says the same in Lua.</summary>
    private sealed class QuotaAccount
    {
        private readonly Dictionary<string, long> _granted = [];
        private readonly Dictionary<string, long> _counted = [];
        private long? _total;
        private long _reset;

        public long DropAtUs { get; init; }

        private long Used => _granted.Values.Sum() + Math.Max(0, (_total ?? 0) - _counted.Values.Sum()) - _reset;

        public LedgerAnswer Ask(string node, long limit, bool hard, in LedgerAsk ask)
        {
            if (!_granted.TryGetValue(node, out var mine))
                return new LedgerAnswer(LedgerOutcome.NeedsBase);

            mine += ask.Debt - ask.Returned;
            _granted[node] = mine;
            var room = Math.Max(0, limit - Used);
            if (hard && room < ask.Need)
                return new LedgerAnswer(LedgerOutcome.Refused, 0, room);

            var grant = ask.Need == 0 ? 0 : ask.GrantFrom(room);
            _granted[node] = mine + grant;
            return new LedgerAnswer(LedgerOutcome.Granted, grant, Math.Max(0, room - grant));
        }

        public long Join(string node, in QuotaPart part)
        {
            var isKnown = _granted.TryGetValue(node, out var mine);
            if (part.Total < 0 && (_total is null || (!isKnown && part.Counted > 0)))
                return part.Total;
            if (part.KeepsOlder && isKnown)
                return mine;
            _granted[node] = part.Granted;
            if (!isKnown && part.Counted > 0)
                _counted[node] = part.Counted;
            if (_total is null || (part.Counted > 0 && part.Total > _total))
                _total = part.Total;
            return part.Granted;
        }

        public void Reset() => _reset += Math.Max(0, Used);
    }
}
