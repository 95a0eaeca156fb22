using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Tollgate.ServiceDefaults.Internal;

/// <summary>What a gateway proves itself with on the internal port: <c>tgw_</c> and 256 random bits.</summary>
public static class GatewayToken
{
    private const string Prefix = "tgw_";

    public static string New() => Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>What the control plane keeps of it: SHA-256, 64 lower-case hex digits.</summary>
    public static string Sha256(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <summary>Refuses calls without one of the accepted tokens. Compares digests in fixed time, and all of them.</summary>
    internal static async ValueTask<object?> Require(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        var accepted = ((IOptionsMonitor<GatewayTokenOptions>)http.RequestServices.GetService(typeof(IOptionsMonitor<GatewayTokenOptions>))!).CurrentValue;
        return IsShown(http.Request, accepted.GatewayTokenSha256, mostCharacters: 256)
            ? await next(call)
            : Refuse(http, "Send a gateway token that this control plane accepts: Authorization: Bearer tgw_…");
    }

    /// <summary>401 with its challenge.</summary>
    public static object Refuse(HttpContext http, string sentence)
    {
        http.Response.Headers.WWWAuthenticate = "Bearer realm=\"tollgate-internal\"";
        return Problems.Unauthorized("gateway-token", sentence);
    }

    /// <summary>Whether a request shows one of the tokens with these digests. All of them are compared, in fixed time.</summary>
    public static bool IsShown(HttpRequest request, string[] accepted, int mostCharacters)
    {
        const string scheme = "Bearer ";
        var authorization = request.Headers.Authorization.ToString();
        if (!authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) || authorization.Length > mostCharacters) return false;
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(authorization[scheme.Length..].Trim()), digest);
        var found = false;
        foreach (var hex in accepted)
            found |= hex.Length == 64 && CryptographicOperations.FixedTimeEquals(Convert.FromHexString(hex), digest);
        return found;
    }
}
