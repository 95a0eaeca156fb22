namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// What the ledger last said of a counter: what was left, when spent units are free again, and, where it refused, until when callers are refused without
/// asking. Read by every call; written under the counter's gate.
/// </summary>
internal sealed class LastWord(ILedger ledger, MonotonicClock clock)
{
    private const long AskAgainAtLeastUs = 50_000;
    private const long AskAgainAtMostUs = 2_000_000;
    private const long FreshUs = 200_000;

    private Denial? _denial;
    private long _room = long.MinValue;
    private long _answeredAtUs = long.MinValue;
    private long _freeAtUs;

    /// <summary>What was left; <see cref="long.MinValue"/> = it has not said.</summary>
    public long Room => Volatile.Read(ref _room);

    /// <summary>When it last said anything; <see cref="long.MinValue"/> = never.</summary>
    public long AnsweredAtUs => Volatile.Read(ref _answeredAtUs);

    /// <summary>When the oldest spent units are free again.</summary>
    public long FreeAtUs => Volatile.Read(ref _freeAtUs);

    public bool IsDenial => Volatile.Read(ref _denial) is not null;

    /// <summary>Whether nobody else can have spent what was left since.</summary>
    public bool IsFresh(long nowUs) => Room != long.MinValue && (!ledger.IsShared || ledger.Nodes == 1 || nowUs - AnsweredAtUs <= FreshUs);

    /// <summary>Whether the units have no room, and for how long.</summary>
    public bool IsRefusing(long units, long nowUs, out long retryUs)
    {
        var denial = Volatile.Read(ref _denial);
        retryUs = denial is null ? 0 : denial.RetryAtUs - nowUs;
        return denial is not null && units >= denial.Units && nowUs < denial.AskAgainAtUs;
    }

    public void Note(in LedgerAnswer answer, long nowUs)
    {
        Volatile.Write(ref _room, answer.Room);
        Volatile.Write(ref _answeredAtUs, nowUs);
        if (answer.Outcome == LedgerOutcome.Granted)
            Volatile.Write(ref _freeAtUs, nowUs + answer.RetryUs);
    }

    /// <summary>From now on so many units are refused, until it is worth asking again.</summary>
    /// <param name="retryUs">When a caller gets in.</param>
    /// <param name="lateUs">Other nodes may be as busy as this one and have yet to tell: so much later.</param>
    public void Deny(in LedgerAnswer answer, long units, long retryUs, long lateUs, long nowUs)
    {
        var askAgainUs = retryUs;
        if (answer.TurnUs > 0)
        {
            askAgainUs = answer.TurnUs;
            retryUs = answer.Outcome == LedgerOutcome.Granted && answer.Room > 0 ? answer.TurnUs : Math.Max(retryUs, answer.TurnUs);
        }
        else if (ledger.IsShared)    // other nodes may return what they do not spend
            askAgainUs = Math.Min(retryUs, Math.Clamp(answer.BucketLeftUs, AskAgainAtLeastUs, AskAgainAtMostUs));
        if (lateUs > 0 && clock.WasHeldUp)
            retryUs += lateUs;
        Volatile.Write(ref _denial, new Denial(units, nowUs + askAgainUs, nowUs + retryUs));
    }

    /// <summary>There may be room again: who comes next asks.</summary>
    public void Admit() => Volatile.Write(ref _denial, null);

    /// <summary>Another period has begun, or another ledger.</summary>
    public void Forget()
    {
        Admit();
        Volatile.Write(ref _room, long.MinValue);
    }
}
