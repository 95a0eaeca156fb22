using Microsoft.AspNetCore.Http.Features;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Where a caller sent a call, as it wrote the address itself: what the gateway was told of its own address, else what the call and trusted proxies say.</summary>
internal static class PublicAddress
{
    /// <summary>Without a slash at its end.</summary>
    public static string Origin(Exchange exchange)
    {
        if (exchange.Engine.Listening.PublicUrl is { } told) return told;
        ref var trail = ref exchange.Trail;
        return $"{trail.Proto}://{(trail.Host.Length > 0 ? trail.Host : exchange.Call.Host)}";
    }

    /// <summary>Without a query.</summary>
    public static string Of(Exchange exchange)
    {
        var path = exchange.Call.Path;
        if (exchange.Context.Features.Get<OuterCall>() is { } outer && outer.Context.Features.Get<IHttpRequestFeature>() is { } asked) CanonicalTarget.TrySplit(asked.RawTarget, out path, out _);
        return Origin(exchange) + path;
    }
}
