namespace Tollgate.Gateway.Policy;

/// <summary>What a step of the policy says of a call.</summary>
internal readonly struct Verdict
{
    private Verdict(VerdictKind kind, Refusal refusal, int retryAfterSeconds, Task? arrival)
    {
        Kind = kind;
        Refusal = refusal;
        RetryAfterSeconds = retryAfterSeconds;
        Arrival = arrival;
    }

    public VerdictKind Kind { get; }
    public Refusal Refusal { get; }

    /// <summary>Whole seconds after which the caller gets in; 0 = not known. Sent as <c>Retry-After</c> (RFC 9110 §10.2.3).</summary>
    public int RetryAfterSeconds { get; }

    /// <summary>Of a pending verdict: completes, and never faults, once the step is worth asking again.</summary>
    public Task? Arrival { get; }

    public bool IsGranted => Kind == VerdictKind.Granted;

    public static Verdict Granted => default;

    public static Verdict Refuse(Refusal refusal, int retryAfterSeconds = 0) => new(VerdictKind.Refused, refusal, retryAfterSeconds, null);

    /// <summary>Something is on its way (a lease, a key set). The engine parks the call until it arrives, at most 50 ms, and asks again.</summary>
    public static Verdict Pending(Task arrival) => new(VerdictKind.Pending, Refusal.None, 0, arrival);
}

internal enum VerdictKind : byte
{
    Granted,
    Refused,
    Pending,
}
