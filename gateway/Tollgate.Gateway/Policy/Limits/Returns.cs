namespace Tollgate.Gateway.Policy.Limits;

/// <summary>Units of leases that the ledger is to hear of, in the bucket that they were granted in. Of two buckets the later is worth more. The counter's gate guards it.</summary>
internal struct Returns
{
    public long Units { get; private set; }
    public long Bucket { get; private set; }

    /// <summary>Whether units of the bucket would be kept.</summary>
    public readonly bool Takes(long bucket) => Units == 0 || bucket >= Bucket;

    public void Add(long units, long bucket)
    {
        if (units == 0 || !Takes(bucket))
            return;
        Units = (bucket == Bucket ? Units : 0) + units;
        Bucket = bucket;
    }

    public void Clear() => Units = 0;
}
