namespace Tollgate.Gateway.Policy.Limits;

/// <summary>Whether a counter was used since the housekeeping last came by. The counter's gate guards it.</summary>
internal struct Idleness
{
    private long _leftBefore;
    private bool _isUsed;

    public void NoteUsed() => _isUsed = true;

    /// <summary>Looks at the lease in hand. True = nothing was spent of it since the last time.</summary>
    public bool IsIdle(Lease lease)
    {
        var left = lease.Left;
        var isSame = left == _leftBefore;
        _isUsed |= !isSame;
        _leftBefore = left;
        return isSame && left > 0;
    }

    /// <summary>Whether anything was asked or spent since the last time.</summary>
    public bool TakeUsed()
    {
        var isUsed = _isUsed;
        _isUsed = false;
        return isUsed;
    }
}
