using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Policy.FileLimits;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>The headers that the gateway itself writes on every answer: the request id, and where the call left its limits.</summary>
internal static class OwnHeaders
{
    public static void Write(Exchange exchange, IHeaderDictionary headers)
    {
        headers["X-Request-Id"] = exchange.RequestId;
        if (exchange.Engine.Hsts is { } hsts && exchange.Trail.Proto == "https") headers.StrictTransportSecurity = hsts;
        ref var admission = ref exchange.Admission;
        if (admission.Route?.Edge is { } edge) EdgeHeaders.Write(exchange, edge, headers);
        if (admission.FileRate is { Answer: RateAnswer.Admitted, Rule.Tells: true }) PlainAnswer.Tell(headers, in admission.FileRate);
        if (admission.Standing.ShadowRefusals is { } shadow) headers["RateLimit-Shadow"] = shadow;
        if (admission.Entitlement is null || admission.Standing.Policy is not { } policy) return;
        headers["RateLimit-Policy"] = policy;
        if (admission.Standing.Describe() is { } standing) headers["RateLimit"] = standing;
    }
}
