using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// <c>WWW-Authenticate</c> as the caller can use it (RFC 6750 §3, RFC 9449 §7.1): in the scheme that was tried, and with where to find out who gives tokens
/// (RFC 9728 §5.1).
/// </summary>
internal static class Challenges
{
    private const int LengthOfBearer = 6;

    private static readonly string Algorithms = string.Join(' ', PublicJwk.SignatureAlgorithms);
    private static readonly string Bound = $"{DpopProof.Header} algs=\"{Algorithms}\"";

    public static StringValues Of(Exchange exchange, string challenge, int status)
    {
        var takesTokens = exchange.Admission.Route is { Providers.Length: > 0 };
        if (takesTokens && status == StatusCodes.Status401Unauthorized && exchange.Policy.Routes.TellsIssuers)
            challenge = $"{challenge}, resource_metadata=\"{ResourceMetadata.AddressFor(exchange)}\"";
        if (BearerToken.IsBoundScheme(exchange.Call.Authorization)) return $"{DpopProof.Header}{challenge.AsSpan(LengthOfBearer)}, algs=\"{Algorithms}\"";
        return takesTokens && status == StatusCodes.Status401Unauthorized ? new StringValues([challenge, Bound]) : challenge;
    }
}
