namespace Tollgate.Host;

/// <summary>Whether this process can do its work: what <c>/health/ready</c> says.</summary>
internal sealed class Readiness
{
    private volatile bool _isReady;

    public bool IsReady => _isReady;

    public void Ready() => _isReady = true;

    public void Stopping() => _isReady = false;
}
