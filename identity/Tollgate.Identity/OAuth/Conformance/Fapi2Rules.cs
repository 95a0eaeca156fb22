using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.OAuth.Tokens;
using static Tollgate.Identity.OAuth.Conformance.OAuth21Rules;
using static Tollgate.Identity.OAuth.Conformance.RuleVerdict;

namespace Tollgate.Identity.OAuth.Conformance;

/// <summary>The rules of the FAPI 2.0 Security Profile, FS01 to FS08 for the server and FC01 to FC12 for its clients.</summary>
internal static class Fapi2Rules
{
    public const string Name = "FAPI 2.0 Security Profile";
    public const string Specification = "https://openid.net/specs/fapi-security-profile-2_0-final.html";

    public static IReadOnlyList<RuleFinding> OfServer(TollgateIdentityOptions options, IReadOnlyCollection<OAuthClient> clients)
    {
        var byRsa = clients.Count(c => c.SigningAlgorithm != Algorithms.Es256);
        return
        [
            new("FS01", "Pushed requests are required", options.PushedRequestsRequired ? Pass : Fail,
                options.PushedRequestsRequired ? "Of all clients." : "Offered, and required client by client: Identity:PushedRequestsRequired=true requires them of all."),
            clients.Any(c => !c.RequiresDpop)
                ? new("FS02", "Every token is bound to its sender", Fail, $"{clients.Count(c => !c.RequiresDpop)} of {clients.Count} clients may have tokens of the bearer: give them requireDpop.")
                : new("FS02", "Every token is bound to its sender", Pass, "Every client requires DPoP."),
            new("FS03", "PS256 or ES256 sign", byRsa == 0 ? Pass : Fail,
                byRsa == 0 ? "ES256, for every client." : $"{byRsa} of {clients.Count} clients get tokens signed with RS256: give them signingAlgorithm ES256."),
            new("FS04", "Lifetime of pushed requests", Pass, $"{options.PushedRequestLifetimeSeconds} seconds, and never more than 600."),
            new("FS05", "A way to bind tokens", Pass, "DPoP (RFC 9449)."),
            new("FS06", "The issuer names itself in answers", Pass, "In every one, errors too (RFC 9207)."),
            new("FS07", "303 after a form", Pass, "Whatever was posted, what follows is a GET."),
            new("FS08", "PKCE", Pass, "S256, of every client."),
        ];
    }

    public static IReadOnlyList<RuleFinding> OfClient(OAuthClient client, TollgateIdentityOptions options)
    {
        var (codes, refreshes) = (client.Has(Grants.AuthorizationCode), client.Has(Grants.RefreshToken));
        return
        [
            new("FC01", "Grants", client.Has(Grants.DeviceCode) ? Fail : Pass,
                client.Has(Grants.DeviceCode) ? "The device grant is none of the profile's." : string.Join(", ", client.Grants) + "."),
            new("FC02", "It can keep a secret", client.IsPublic ? Fail : Pass, client.IsPublic ? "It is public." : "It proves itself."),
            OfCodes("FC03", "PKCE with S256", codes, "Required, as of every client."),
            Pushed("FC04", client, codes, options, Fail),
            Bound("FC05", client, Fail),
            Proof("FC06", client, Fail),
            OfCodes("FC07", "Lifetime of codes", codes, $"{options.CodeLifetimeSeconds} seconds.", options.CodeLifetimeSeconds <= CodeSeconds ? Pass : Fail),
            !refreshes ? None("FC08", "Rotation of refresh tokens")
                : new("FC08", "Rotation of refresh tokens", Advice, "Always rotated. The profile advises against it for clients that can keep a secret and hold bound tokens (§5.3.2.1), and does not forbid it."),
            Nonces("FC09", client, options),
            Addresses("FC10", client, codes),
            OfCodes("FC11", "No tokens through the browser", codes, "Codes alone go through it."),
            OfCodes("FC12", "The request is not the browser's to change", codes, client.MustPush(options)
                ? "It is pushed." : "It travels through the browser: require that it is pushed.", client.MustPush(options) ? Pass : Fail),
        ];
    }
}
