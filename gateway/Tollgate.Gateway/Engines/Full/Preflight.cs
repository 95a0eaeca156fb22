using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Edge;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// A browser's question whether a page may make a call (a CORS preflight). It carries no credential, so it is answered before any is asked for, and
/// costs the caller nothing.
/// </summary>
internal static class Preflight
{
    public static bool IsOne(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.AccessControlRequestMethod.Count == 1 && request.Headers.Origin.Count == 1;

    /// <summary>The answer; null where the route leaves such questions to its service.</summary>
    public static Task? Answer(Exchange exchange)
    {
        var asked = exchange.Context.Request.Headers;
        ref var call = ref exchange.Call;
        var captures = default(Captures);
        var method = asked.AccessControlRequestMethod.ToString();
        if (!exchange.Policy.Routes.TryMatch(call.Host, method, call.Path, call.Query, out var route, ref captures, exchange) || route.Edge?.Cors is not { } cors) return null;
        if (route.Addresses is { } addresses && !addresses.Admit(call.Remote)) return exchange.RefuseAsync(Verdict.Refuse(Refusal.IpNotAllowed));

        var origin = asked.Origin.ToString();
        var wanted = asked.AccessControlRequestHeaders.ToString();
        if (!cors.AllowsOrigin(origin) || !cors.AllowsRequest(method, wanted)) return exchange.RefuseAsync(Verdict.Refuse(Refusal.OriginNotAllowed));

        exchange.Outcome = "preflight";
        var response = exchange.Context.Response;
        response.StatusCode = StatusCodes.Status204NoContent;
        OwnHeaders.Write(exchange, response.Headers);
        EdgeHeaders.Allow(origin, cors, response.Headers);
        response.Headers.Remove("Access-Control-Expose-Headers");
        response.Headers.AccessControlAllowMethods = method;
        if (wanted.Length > 0) response.Headers.AccessControlAllowHeaders = wanted;
        response.Headers.AccessControlMaxAge = cors.MaxAge;
        EdgeHeaders.AddVary(response.Headers, "Access-Control-Request-Method");
        EdgeHeaders.AddVary(response.Headers, "Access-Control-Request-Headers");
        return Task.CompletedTask;
    }
}
