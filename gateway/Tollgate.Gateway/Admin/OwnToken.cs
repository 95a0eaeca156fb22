using System.Net;
using Tollgate.ServiceDefaults;
using Tollgate.ServiceDefaults.Internal;

namespace Tollgate.Gateway.Admin;

/// <summary>
/// Guards what the internal port tells of callers: it asks for the gateway's own token, <c>Authorization: Bearer tgw_…</c>. A gateway that was given none
/// answers to its own machine alone.
/// </summary>
internal static class OwnToken
{
    public static T RequireOwnToken<T>(this T endpoint, string? token) where T : IEndpointConventionBuilder
    {
        string[]? accepted = token is null ? null : [GatewayToken.Sha256(token)];
        return endpoint.AddEndpointFilter((call, next) => IsAllowed(call.HttpContext, accepted) ? next(call) : new ValueTask<object?>(Refuse(call.HttpContext, accepted)));
    }

    private static bool IsAllowed(HttpContext http, string[]? accepted) => accepted is null
        ? http.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        : GatewayToken.IsShown(http.Request, accepted, mostCharacters: 511);

    private static object Refuse(HttpContext http, string[]? accepted) => accepted is null
        ? Problems.Forbidden("gateway-token", "Ask from the gateway's own machine, or start it with --Gateway:Token.")
        : GatewayToken.Refuse(http, "Send the gateway's token: Authorization: Bearer tgw_…");
}
