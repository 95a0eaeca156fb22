using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.OAuth.Tokens;
using static Tollgate.Identity.OAuth.Conformance.RuleVerdict;

namespace Tollgate.Identity.OAuth.Conformance;

/// <summary>The rules of OAuth 2.1, S01 to S08 for the server and C01 to C12 for its clients.</summary>
internal static class OAuth21Rules
{
    public const string Name = "OAuth 2.1";
    public const string Specification = "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1";

    public const int CodeSeconds = 60;

    public static IReadOnlyList<RuleFinding> OfServer(TollgateIdentityOptions options) =>
    [
        new("S01", "PKCE", Pass, "Every code has a challenge, of every client; S256 alone."),
        new("S02", "No password grant", Pass, "There is none, and no client can be given it."),
        new("S03", "Pushed requests", Pass, $"Offered at {OAuthPaths.PushedRequests}" + (options.PushedRequestsRequired ? ", and required of all." : ".")),
        new("S04", "Tokens bound to their sender", Pass, "By DPoP (RFC 9449), for every client that sends a proof. Certificates (RFC 8705) are not offered."),
        new("S05", "Signatures", Pass, $"{string.Join(" and ", Algorithms.All)} sign; nothing symmetric, nothing unsigned."),
        new("S06", "Clocks", Pass, "A minute at most is forgiven."),
        new("S07", "DPoP nonces", options.DpopNonceRequired ? Pass : Advice,
            options.DpopNonceRequired ? "Asked of every proof." : "Taken and checked where they are sent, and not asked for: Identity:DpopNonceRequired=true asks."),
        new("S08", "303 after a form", Pass, "Whatever was posted, what follows is a GET."),
    ];

    public static IReadOnlyList<RuleFinding> OfClient(OAuthClient client, TollgateIdentityOptions options)
    {
        var (codes, refreshes) = (client.Has(Grants.AuthorizationCode), client.Has(Grants.RefreshToken));
        return
        [
            client.Has(Grants.DeviceCode)
                ? new("C01", "Grants", Advice, "It has the device grant, an extension (RFC 8628): a person may be talked into typing somebody else's code.")
                : new("C01", "Grants", Pass, string.Join(", ", client.Grants) + "."),
            OfCodes("C02", "PKCE", codes, "Required, as of every client."),
            OfCodes("C03", "No plain PKCE", codes, "Never taken."),
            Addresses("C04", client, codes),
            new("C05", "Proof of the client", client.IsPublic ? (codes || client.Has(Grants.DeviceCode) ? Advice : Fail) : Pass,
                client.IsPublic ? "It is public and proves nothing: who it is rests on its addresses and PKCE." : !client.HasKeys ? "A secret of 256 bits where it was made here." : "Its own key."),
            Pushed("C06", client, codes, options, Advice),
            Bound("C07", client, Advice),
            OfCodes("C08", "Lifetime of codes", codes, $"{options.CodeLifetimeSeconds} seconds, one use.", options.CodeLifetimeSeconds <= CodeSeconds ? Pass : Fail),
            !refreshes ? None("C09", "Refresh tokens are used once")
                : new("C09", "Refresh tokens are used once", options.RefreshTokenLeewaySeconds == 0 ? Pass : Advice, options.RefreshTokenLeewaySeconds == 0
                    ? "Each is used once; a second use ends all that came of the grant." : $"Each is used once, with a leeway of {options.RefreshTokenLeewaySeconds} seconds for clients that lost an answer."),
            Nonces("C10", client, options),
            Proof("C11", client, Advice),
            !codes ? None("C12", "Refresh tokens for code clients")
                : new("C12", "Refresh tokens for code clients", refreshes ? Pass : Advice, refreshes ? "It has the grant." : "Without refresh_token it leads people through the browser again each time."),
        ];
    }

    internal static RuleFinding None(string id, string title) => new(id, title, NotApplicable, "The client does not do this.");

    internal static RuleFinding OfCodes(string id, string title, bool codes, string finding, RuleVerdict verdict = Pass) =>
        codes ? new(id, title, verdict, finding) : None(id, title);

    internal static RuleFinding Addresses(string id, OAuthClient client, bool codes)
    {
        const string title = "Whole redirect addresses";
        if (!codes) return None(id, title);
        var bad = client.RedirectUris.FirstOrDefault(uri => uri.Contains('*') || uri.Contains('#'));
        return bad is null ? new(id, title, Pass, "Compared as strings; there are no wildcards.") : new(id, title, Fail, $"{bad} is no whole address.");
    }

    internal static RuleFinding Pushed(string id, OAuthClient client, bool codes, TollgateIdentityOptions options, RuleVerdict otherwise)
    {
        const string title = "Pushed requests";
        if (!codes) return None(id, title);
        return client.MustPush(options)
            ? new(id, title, Pass, "Required.")
            : new(id, title, otherwise, "Possible, not required: requirePushedRequests on the client, or Identity:PushedRequestsRequired for all.");
    }

    internal static RuleFinding Bound(string id, OAuthClient client, RuleVerdict otherwise) =>
        new(id, "Tokens bound to their sender", client.RequiresDpop ? Pass : otherwise, client.RequiresDpop ? "By DPoP, always." : "Where the client sends a DPoP proof; requireDpop makes it always.");

    internal static RuleFinding Nonces(string id, OAuthClient client, TollgateIdentityOptions options) =>
        !client.RequiresDpop ? None(id, "DPoP nonces")
            : new(id, "DPoP nonces", options.DpopNonceRequired ? Pass : Advice, options.DpopNonceRequired ? "Asked of every proof." : "Not asked for: Identity:DpopNonceRequired=true asks.");

    internal static RuleFinding Proof(string id, OAuthClient client, RuleVerdict otherwise)
    {
        const string title = "Proof by a key of its own";
        if (client.IsPublic) return new(id, title, otherwise, "It is public.");
        return client.HasKeys && client.Secrets.Count == 0
            ? new(id, title, Pass, "private_key_jwt.")
            : new(id, title, otherwise, !client.HasKeys ? "A secret: with jwks or jwksUri instead it proves itself by private_key_jwt." : "It has a secret beside its keys: take that away.");
    }
}
