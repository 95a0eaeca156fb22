using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>A call that wants to open a WebSocket. What makes its answers itself cannot take one: over HTTP/2 any 2xx would say that it is open (RFC 8441 §5).</summary>
internal static class SocketRequest
{
    public static bool IsOne(HttpContext context) =>
        HttpMethods.IsConnect(context.Request.Method) ||
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } && context.Request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase);
}
