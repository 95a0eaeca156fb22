using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Authorize;

/// <summary>A request of a known client for a person's code, with all that it says judged.</summary>
internal sealed record AuthorizeRequest(
    KnownClient Client, string RedirectUri, string? State, IReadOnlyList<string> Scopes, IReadOnlyList<string> Resources, string Challenge, string? Nonce,
    IReadOnlyList<string> Prompts, int? MaxAgeSeconds);

/// <summary>What came of reading a request.</summary>
internal abstract record AuthorizeReading
{
    public sealed record Good(AuthorizeRequest Request) : AuthorizeReading;

    /// <summary>Told to the client, at an address that is known to be its own.</summary>
    public sealed record Refused(string RedirectUri, string? State, OAuthRefusal Refusal) : AuthorizeReading;

    /// <summary>Told to the person alone: who asks, or where the answer would go, is not certain (RFC 6749 §4.1.2.1).</summary>
    public sealed record Untrusted(string Sentence) : AuthorizeReading;
}

/// <summary>Reads the parameters of the authorization endpoint.</summary>
internal sealed class AuthorizeReader(IdentityDb db, ScopeBook scopes)
{
    private static readonly string[] KnownPrompts = ["none", "login", "consent", "select_account"];

    public async Task<AuthorizeReading> ReadAsync(Parameters parameters, CancellationToken cancel)
    {
        if (parameters.IsRepeated("client_id") || parameters["client_id"] is not { } clientId
            || await ClientAuthentication.FindAsync(db, clientId, cancel) is not { } client)
            return new AuthorizeReading.Untrusted("The application that sent you here is not known.");
        if (parameters.IsRepeated("redirect_uri") || parameters["redirect_uri"] is not { } redirectUri || !RedirectUris.Allows(client.Client, redirectUri))
            return new AuthorizeReading.Untrusted("The application that sent you here did not say rightly where to lead you back to.");

        var state = parameters.IsRepeated("state") || parameters["state"]?.Length > InputLimits.State ? null : parameters["state"];
        var refusal = WhatIsWrong(parameters, client.Client);
        if (refusal is null)
        {
            var (granted, wrongScope) = await scopes.ResolveAsync(parameters["scope"], client.Client.Scopes, parameters.Resources, cancel);
            if (granted is { Names.Count: 0 }) wrongScope = OAuthRefusal.InvalidScope("A scope is needed.");
            if (wrongScope is null)
                return new AuthorizeReading.Good(new AuthorizeRequest(client, redirectUri, state, granted!.Names, parameters.Resources,
                    parameters["code_challenge"]!, parameters["nonce"], Prompts(parameters), MaxAge(parameters)));
            refusal = wrongScope;
        }

        return new AuthorizeReading.Refused(redirectUri, state, refusal);
    }

    private static OAuthRefusal? WhatIsWrong(Parameters parameters, OAuthClient client)
    {
        if (parameters.Wrong is { } wrong) return OAuthRefusal.InvalidRequest(wrong);
        if (parameters["request"] is not null) return new OAuthRefusal("request_not_supported", "Request objects are not taken here.");
        if (parameters["request_uri"] is not null) return new OAuthRefusal("request_uri_not_supported", "Request objects are not taken here.");
        if (parameters["registration"] is not null) return new OAuthRefusal("registration_not_supported", "Clients are not registered here.");
        if (parameters["response_type"] is not { } type) return OAuthRefusal.InvalidRequest("response_type is missing.");
        if (type != "code") return new OAuthRefusal("unsupported_response_type", "Only code is given here.");
        if (!client.Has(Grants.AuthorizationCode)) return OAuthRefusal.UnauthorizedClient("The client may not ask for codes.");
        if (parameters["response_mode"] is { } mode && mode != "query") return OAuthRefusal.InvalidRequest("response_mode is query here.");
        if (parameters["code_challenge"] is not { Length: 43 } challenge || challenge.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
            return OAuthRefusal.InvalidRequest("code_challenge is missing, or no SHA-256 digest in base64url.");
        if (parameters["code_challenge_method"] != "S256") return OAuthRefusal.InvalidRequest("code_challenge_method must be S256.");
        var prompts = Prompts(parameters);
        if (prompts.Any(p => !KnownPrompts.Contains(p)) || (prompts.Contains("none") && prompts.Length > 1))
            return OAuthRefusal.InvalidRequest("prompt is unknown, or none is beside another.");
        return parameters["max_age"] is not null && MaxAge(parameters) is null ? OAuthRefusal.InvalidRequest("max_age is a number of seconds.") : null;
    }

    private static string[] Prompts(Parameters parameters) => parameters["prompt"]?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static int? MaxAge(Parameters parameters) =>
        int.TryParse(parameters["max_age"], System.Globalization.NumberStyles.None, null, out var seconds) ? seconds : null;
}
