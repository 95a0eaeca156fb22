using Microsoft.AspNetCore.Http;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>A feature of calls that the gateway makes for another one, and of that one: which one it is. What its caller proved, it proved for all of them.</summary>
/// <param name="isProven">The other one's own route asked for the proof already.</param>
internal sealed class OuterCall(HttpContext context, bool isProven)
{
    private readonly Lock _asking = new();
    private Task<bool>? _isFirst = isProven ? Task.FromResult(true) : null;

    public HttpContext Context => context;

    public Task<bool> IsFirst(Func<Task<bool>> isFirst)
    {
        lock (_asking) return _isFirst ??= isFirst();
    }
}
