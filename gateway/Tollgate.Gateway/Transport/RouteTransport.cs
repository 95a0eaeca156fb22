using Yarp.ReverseProxy.Forwarder;

namespace Tollgate.Gateway.Transport;

/// <summary>What a route sends its calls with, where that is not what all the others use.</summary>
internal sealed class RouteTransport(HttpMessageInvoker client, Version version, HttpVersionPolicy policy, int activityMs, bool traces, IReadOnlyDictionary<string, string>? metadata)
{
    public HttpMessageInvoker Client { get; } = client;

    /// <summary>Time-outs are the exchange's own, as on every other route.</summary>
    public ForwarderRequestConfig RequestConfig { get; } = new()
    {
        Version = version,
        VersionPolicy = policy,
        ActivityTimeout = activityMs > 0 ? TimeSpan.FromMilliseconds(activityMs) : TimeSpan.FromHours(1),
    };

    /// <summary>Whether the service is told the trace that the call belongs to, also when the caller named none.</summary>
    public bool Traces { get; } = traces;

    /// <summary>For delegating handlers; null = there are none.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; } = metadata;
}
