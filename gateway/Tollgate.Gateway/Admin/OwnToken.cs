using System.Net;
using System.Security.Cryptography;
using System.Text;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway.Admin;

/// <summary>
/// Guards what the internal port tells of callers: it asks for the gateway's own token, <c>Authorization: Bearer tgw_…</c>. A gateway that was given none
/// answers to its own machine alone.
/// </summary>
internal static class OwnToken
{
    public static T RequireOwnToken<T>(this T endpoint, string? token) where T : IEndpointConventionBuilder =>
        endpoint.AddEndpointFilter((call, next) => IsAllowed(call.HttpContext, token) ? next(call) : new ValueTask<object?>(Refuse(call.HttpContext, token)));

    private static bool IsAllowed(HttpContext http, string? token)
    {
        if (token is null) return http.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address);
        const string scheme = "Bearer ";
        var sent = http.Request.Headers.Authorization.ToString();
        return sent.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) && sent.Length < 512 &&
            CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(sent[scheme.Length..].Trim())), SHA256.HashData(Encoding.UTF8.GetBytes(token)));
    }

    private static object Refuse(HttpContext http, string? token)
    {
        if (token is null) return Problems.Forbidden("gateway-token", "Ask from the gateway's own machine, or start it with --Gateway:Token.");
        http.Response.Headers.WWWAuthenticate = "Bearer realm=\"tollgate-internal\"";
        return Problems.Unauthorized("gateway-token", "Send the gateway's token: Authorization: Bearer tgw_…");
    }
}
