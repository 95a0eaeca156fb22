using Microsoft.AspNetCore.Http;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>A feature of calls that the gateway makes for another one: which one that is. What its caller proved, it proved for all of them.</summary>
internal sealed class OuterCall(HttpContext context)
{
    private readonly Lock _asking = new();
    private bool? _isFirst;

    public HttpContext Context => context;

    public bool IsFirst(Func<bool> isFirst)
    {
        lock (_asking) return _isFirst ??= isFirst();
    }
}
