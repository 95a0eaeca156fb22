using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Balancing;

/// <summary>
/// The hosts that a route's calls go to, how one of them is chosen, and which are left alone. Outlives a reload of the configuration that leaves it as it
/// was, and so keeps its turn and what it knows of its hosts.
/// </summary>
internal sealed class Upstream
{
    private const int SlowStartStepMs = 1000;
    private const int MostTurns = 4096;

    private readonly Lock _changing = new();
    private readonly StickySessions? _sessions;
    private readonly CancellationTokenSource _retired = new();
    private Destination[] _destinations;
    private HashRing? _ring;
    private View _view;
    private uint _turn = uint.MaxValue;

    public Upstream(Destination[] destinations, BalancingOptions? options = null, StickySessions? sessions = null)
    {
        Options = options ?? new BalancingOptions();
        _sessions = sessions;
        _destinations = Number(destinations);
        _view = Look(0);
        if (Options.Policy == BalancingPolicy.Hash) _ring = new HashRing(destinations);
    }

    public BalancingOptions Options { get; }

    public Destination[] Destinations => Volatile.Read(ref _destinations);

    /// <summary>Told of a host that takes no connection, and answers when it does again by <see cref="Readmit"/>. Without it, time alone brings a host back.</summary>
    public Action<Upstream, Destination>? Lost { get; set; }

    /// <summary>Cancelled when no configuration names the upstream any more.</summary>
    public CancellationToken Retired => _retired.Token;

    public void Retire() => _retired.Cancel();

    /// <summary>Other hosts take the place of those there are; what is known of one that stays is kept. Calls under way end where they are.</summary>
    public void Replace(IReadOnlyList<Destination> next)
    {
        lock (_changing)
        {
            var known = _destinations;
            var destinations = Number([.. next.Select(host =>
                Array.Find(known, old => old.Authority == host.Authority && old.Scheme == host.Scheme && old.Weight == host.Weight && old.Priority == host.Priority) ?? host)]);
            if (Options.Policy == BalancingPolicy.Hash) _ring = new HashRing(destinations);
            Volatile.Write(ref _destinations, destinations);
            Volatile.Write(ref _view, Look(0));
        }
    }

    /// <summary>A host for a call, which is then under way there until <see cref="Destination.End"/>. Null = there is none that may have it, or none left to try.</summary>
    public Destination? Choose(ref Placement call)
    {
        var view = Volatile.Read(ref _view);
        if (call.NowUnixMs >= view.ValidUntilMs) view = Refresh(call.NowUnixMs);

        if (Options.Policy is BalancingPolicy.LeastCalls or BalancingPolicy.LeastRequests)
            lock (_changing)
                return Begin(FewestCalls(view, call.Tried, ++_turn) ?? Other(call.Tried), ref call);
        return Begin(Choose(view, ref call) ?? Other(call.Tried), ref call);
    }

    /// <summary>Whether any host is well, and not asked for want of a better one.</summary>
    public bool HasWell(long nowUnixMs)
    {
        foreach (var host in Destinations)
            if (host.IsWell(nowUnixMs))
                return true;
        return false;
    }

    /// <summary>The next in strict turns, also under parallel calls.</summary>
    public Destination? Next(ulong tried = 0) => Next(Volatile.Read(ref _view), tried);

    /// <summary>The host of a session, if it may have calls.</summary>
    public Destination? Find(string authority, ulong tried)
    {
        foreach (var host in Volatile.Read(ref _view).Usable)
            if (host.Authority == authority && !Placement.Holds(tried, host))
                return host;
        return null;
    }

    /// <summary>How a host took a call.</summary>
    public void Tell(Destination host, CallOutcome outcome, long nowUnixMs)
    {
        switch (outcome)
        {
            case CallOutcome.Good:
                host.Succeed();
                return;
            case CallOutcome.NoConnection:
                Eject(host, unreachable: true, nowUnixMs);
                return;
            case CallOutcome.Failed:
                if (host.Fail() >= Options.Passive.Failures) Eject(host, unreachable: false, nowUnixMs);
                return;
        }
    }

    /// <summary>What the answer of a host says of it.</summary>
    public CallOutcome Judge(int status) => Options.Passive.Statuses.Contains(status) ? CallOutcome.Failed : CallOutcome.Good;

    /// <summary>A host takes connections again, or is to be tried.</summary>
    public void Readmit(Destination host, long nowUnixMs) => Change(host, nowUnixMs, () =>
    {
        host.IsUnreachable = false;
        host.EjectedUntilMs = 0;
    });

    public void Drain(Destination host, bool draining, long nowUnixMs) => Change(host, nowUnixMs, () => host.IsDraining = draining);

    public void Mark(Destination host, bool down, long nowUnixMs) => Change(host, nowUnixMs, () => host.IsDown = down);

    /// <summary>How long a host that takes no connection is left alone before it is asked again.</summary>
    public long PauseMs(Destination host) =>
        Math.Min(Options.Passive.LongestEjectionMs, Options.Passive.EjectionMs << Math.Min(Math.Max(0, host.Ejections - 1), 16));

    private Destination? Choose(View view, ref Placement call)
    {
        switch (Options.Policy)
        {
            case BalancingPolicy.First:
                foreach (var host in view.Usable)
                    if (!Placement.Holds(call.Tried, host))
                        return host;
                return null;
            case BalancingPolicy.Random:
                return view.Turns.Length == 0 ? null : From(view, (uint)Random.Shared.Next(view.Turns.Length), call.Tried);
            case BalancingPolicy.TwoChoices:
                return LessBusy(view, call.Tried);
            case BalancingPolicy.Hash when _ring is { } ring:
                return ring.Find(Options.Hash!, in call, view.Usable) ?? Next(view, call.Tried);
            case BalancingPolicy.Cookie:
                return ByCookie(view, ref call);
            case BalancingPolicy.Sticky when _sessions is not null && Destinations.Length > 1:
                return _sessions.Choose(this, in call);
            case BalancingPolicy.Custom when Options.Chooser is { } chooser:
                var tried = call.Tried;
                return chooser.Choose(tried == 0 ? view.Usable : [.. view.Usable.Where(host => !Placement.Holds(tried, host))], call.Headers) ?? Next(view, tried);
            default:
                return Next(view, call.Tried);
        }
    }

    private Destination? Next(View view, ulong tried)
    {
        var turns = view.Turns;
        if (turns.Length == 1 && tried == 0) return turns[0];
        return turns.Length == 0 ? null : From(view, Interlocked.Increment(ref _turn), tried);
    }

    private static Destination? From(View view, uint turn, ulong tried)
    {
        var turns = view.Turns;
        var at = turn % (uint)turns.Length;
        if (tried == 0) return turns[at];
        for (var i = 0u; i < turns.Length; i++)
            if (turns[(at + i) % (uint)turns.Length] is var host && !Placement.Holds(tried, host))
                return host;
        return null;
    }

    private Destination? LessBusy(View view, ulong tried)
    {
        if (view.Turns.Length < 2 || tried != 0) return Next(view, tried);
        var one = view.Turns[Random.Shared.Next(view.Turns.Length)];
        var two = view.Turns[Random.Shared.Next(view.Turns.Length)];
        return (long)one.Running * two.Weight <= (long)two.Running * one.Weight ? one : two;
    }

    // The fewest calls for its weight; of those with equally few the one whose turn it is, so that an idle upstream follows the weights. A host that starts slowly has no
    // more than its turns: it has the fewest calls because it starts.
    private Destination? FewestCalls(View view, ulong tried, uint turn)
    {
        var isOcelots = Options.Policy == BalancingPolicy.LeastCalls && !view.IsWeighted;    // ties go to the first of the list
        var best = isOcelots ? null : From(view, turn, tried);
        for (var k = 0u; k < view.Usable.Length; k++)
        {
            var host = view.Usable[isOcelots ? k : (turn + k) % (uint)view.Usable.Length];
            if (Placement.Holds(tried, host) || ReferenceEquals(host, best)) continue;
            if (best is null || (long)host.Running * best.Weight < (long)best.Running * host.Weight && !view.Starts(host)) best = host;
        }

        return best;
    }

    private Destination? ByCookie(View view, ref Placement call)
    {
        var cookie = Options.Cookie!;
        if (CookieValue.Of(call.Headers?.Header("Cookie"), cookie.Name) is { IsEmpty: false } id)
            foreach (var host in view.Usable)
                if (id.Span.SequenceEqual(host.Id) && !Placement.Holds(call.Tried, host))
                {
                    call.Affinity = null;
                    return host;
                }

        var next = Next(view, call.Tried);
        call.Affinity = next is null ? null : cookie;
        return next;
    }

    // Nobody who is well is left: then one who was not may be better than nobody. Who drains was told to have no more.
    private Destination? Other(ulong tried)
    {
        Destination? best = null;
        foreach (var host in Destinations)
            if (!host.IsDraining && !Placement.Holds(tried, host) && (best is null || host.Priority < best.Priority))
                best = host;
        return best;
    }

    private static Destination? Begin(Destination? host, ref Placement call)
    {
        if (host is null) return null;
        host.Begin();
        call.Tried |= Placement.Bit(host);
        return host;
    }

    private void Eject(Destination host, bool unreachable, long nowUnixMs)
    {
        lock (_changing)
        {
            if (host.IsEjected(nowUnixMs)) return;
            if (!unreachable && IsEnough(nowUnixMs)) return;

            // Who served as long as it was last left alone begins anew.
            var lastMs = PauseMs(host);
            host.Ejections = host.Ejections > 0 && nowUnixMs - host.BackSinceMs > lastMs ? 1 : host.Ejections + 1;
            host.Succeed();
            if (unreachable && Lost is not null) host.IsUnreachable = true;
            else host.EjectedUntilMs = nowUnixMs + PauseMs(host);
            Volatile.Write(ref _view, Look(nowUnixMs));
        }

        Lost?.Invoke(this, host);
    }

    private bool IsEnough(long nowUnixMs)
    {
        var away = 0;
        foreach (var host in _destinations)
            if (host.IsEjected(nowUnixMs))
                away++;
        return (away + 1) * 100L > (long)_destinations.Length * Options.Passive.MaxEjectedPercent;
    }

    private void Change(Destination host, long nowUnixMs, Action change)
    {
        lock (_changing)
        {
            var was = host.IsWell(nowUnixMs);
            change();
            if (!was && host.IsWell(nowUnixMs)) host.BackSinceMs = nowUnixMs;
            Volatile.Write(ref _view, Look(nowUnixMs));
        }
    }

    private View Refresh(long nowUnixMs)
    {
        lock (_changing)
        {
            if (nowUnixMs < _view.ValidUntilMs) return _view;
            foreach (var host in _destinations)
                if (host.EjectedUntilMs != 0 && host.EjectedUntilMs <= nowUnixMs)
                {
                    host.BackSinceMs = nowUnixMs;
                    host.EjectedUntilMs = 0;
                }

            var view = Look(nowUnixMs);
            Volatile.Write(ref _view, view);
            return view;
        }
    }

    private View Look(long nowUnixMs)
    {
        var validUntil = long.MaxValue;
        var level = int.MaxValue;
        foreach (var host in _destinations)
        {
            if (host.EjectedUntilMs > nowUnixMs) validUntil = Math.Min(validUntil, host.EjectedUntilMs);
            if (host.IsWell(nowUnixMs)) level = Math.Min(level, host.Priority);
        }

        // Nobody is well: all are tried rather than nobody, as they come.
        var usable = _destinations.Where(host => host.IsWell(nowUnixMs) && host.Priority == level).ToArray();
        if (usable.Length == 0)
        {
            var able = _destinations.Where(host => !host.IsDraining).ToArray();
            usable = [.. able.Where(host => host.Priority == able.Min(other => other.Priority))];
        }

        var shares = new double[usable.Length];
        for (var i = 0; i < usable.Length; i++)
        {
            var host = usable[i];
            var served = nowUnixMs - host.BackSinceMs;
            var starts = Options.SlowStartMs > 0 && host.BackSinceMs > 0 && served < Options.SlowStartMs;
            if (starts) validUntil = Math.Min(validUntil, nowUnixMs + SlowStartStepMs);
            shares[i] = host.Weight * (starts ? Math.Max(0.1, (double)served / Options.SlowStartMs) : 1);
        }

        return new View(usable, shares, TurnsOf(usable, shares), validUntil);
    }

    // Smooth weighted turns, written out once: a heavy host's turns are spread, not bunched.
    private static Destination[] TurnsOf(Destination[] hosts, double[] shares)
    {
        if (hosts.Length < 2 || shares.All(share => share == shares[0])) return hosts;
        var smallest = shares.Min();
        var tenths = shares.Select(share => Math.Max(1, (int)Math.Round(share / smallest * 10))).ToArray();
        var divisor = tenths.Aggregate(Divisor);
        var weights = tenths.Select(weight => weight / divisor).ToArray();
        var total = weights.Sum();
        if (total > MostTurns)
        {
            weights = [.. weights.Select(weight => Math.Max(1, (int)((long)weight * MostTurns / total)))];
            total = weights.Sum();
        }

        var turns = new Destination[total];
        var current = new int[hosts.Length];
        for (var turn = 0; turn < total; turn++)
        {
            var best = 0;
            for (var i = 0; i < hosts.Length; i++)
            {
                current[i] += weights[i];
                if (current[i] > current[best]) best = i;
            }

            current[best] -= total;
            turns[turn] = hosts[best];
        }

        return turns;
    }

    private static int Divisor(int a, int b) => b == 0 ? a : Divisor(b, a % b);

    private static Destination[] Number(Destination[] hosts)
    {
        for (var i = 0; i < hosts.Length; i++) hosts[i].Index = i;
        return hosts;
    }

    /// <summary>Who may have calls, as of now: made when something about the hosts changes, so that a call only takes its turn.</summary>
    private sealed record View(Destination[] Usable, double[] Shares, Destination[] Turns, long ValidUntilMs)
    {
        public bool IsWeighted { get; } = Shares.Any(share => share != 1);

        private bool AnyStarts { get; } = Usable.Where((host, i) => Shares[i] < host.Weight).Any();

        /// <summary>Whether a host has not risen to its full share yet.</summary>
        public bool Starts(Destination host) => AnyStarts && Shares[Array.IndexOf(Usable, host)] < host.Weight;
    }
}

/// <summary>How a host took a call.</summary>
internal enum CallOutcome : byte
{
    Good,

    /// <summary>It answered what its upstream counts as a failure, or the connection was lost.</summary>
    Failed,

    /// <summary>It took no connection.</summary>
    NoConnection,

    /// <summary>Says nothing of the host: the caller went away, or was wrong.</summary>
    Untold,
}
