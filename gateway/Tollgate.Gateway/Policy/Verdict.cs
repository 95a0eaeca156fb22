namespace Tollgate.Gateway.Policy;

/// <summary>What a step of the policy says of a call.</summary>
internal readonly struct Verdict
{
    private Verdict(VerdictKind kind, Refusal refusal, int retryAfterSeconds, Task? arrival, int patienceMs = 0)
    {
        Kind = kind;
        Refusal = refusal;
        RetryAfterSeconds = retryAfterSeconds;
        Arrival = arrival;
        PatienceMs = patienceMs;
    }

    public VerdictKind Kind { get; }
    public Refusal Refusal { get; }

    /// <summary>Whole seconds after which the caller gets in; 0 = not known. Sent as <c>Retry-After</c> (RFC 9110 §10.2.3).</summary>
    public int RetryAfterSeconds { get; }

    /// <summary>Of a pending verdict: completes, and never faults, once the step is worth asking again.</summary>
    public Task? Arrival { get; }

    /// <summary>Of a pending verdict: how long the call may wait, in milliseconds since it arrived, before it is decided without.</summary>
    public int PatienceMs { get; }

    public bool IsGranted => Kind == VerdictKind.Granted;

    public static Verdict Granted => default;

    public static Verdict Refuse(Refusal refusal, int retryAfterSeconds = 0) => new(VerdictKind.Refused, refusal, retryAfterSeconds, null);

    /// <summary>
    /// Something is on its way (a lease, a key set). The engine parks the call until it arrives and asks again, every <see cref="StepMs"/> at the
    /// latest, because what is waited for may turn out to be away; <paramref name="patienceMs"/> in all.
    /// </summary>
    public static Verdict Pending(Task arrival, int patienceMs = StepMs) => new(VerdictKind.Pending, Refusal.None, 0, arrival, patienceMs);

    /// <summary>How long a call waits before it looks again, and at most for something that is away.</summary>
    public const int StepMs = 50;

    /// <summary>How long a call waits for a ledger that answers, but slowly: longer than for one that is away, because the plan may well allow it.</summary>
    public const int LedgerMs = 500;

    /// <summary>How long a call waits for the issuer of a token that only the issuer can read.</summary>
    public const int IssuerMs = 2000;

    /// <summary>How long a call waits for a service that is looked for: once, for the first who calls it.</summary>
    public const int ServiceMs = 3000;

    /// <summary>How long a call waits for a lost counter to be counted again: once in the life of a counter.</summary>
    public const int RebuildMs = 2000;
}

internal enum VerdictKind : byte
{
    Granted,
    Refused,
    Pending,
}
