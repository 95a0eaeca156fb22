namespace Tollgate.Gateway.Policy.Limits;

/// <summary>Units of closed leases on their way back to the bucket that they came from. Of two buckets the later is worth more. The counter's gate guards it.</summary>
internal struct Returns
{
    public long Units { get; private set; }
    public long Bucket { get; private set; }

    public void Add(long units, long bucket)
    {
        if (units == 0 || (Units > 0 && bucket < Bucket))
            return;
        Units = (bucket == Bucket ? Units : 0) + units;
        Bucket = bucket;
    }

    public void Clear() => Units = 0;
}
