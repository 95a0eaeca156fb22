using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Authorize;

/// <summary>A request of a known client for a person's code, with all that it says judged.</summary>
internal sealed record AuthorizeRequest(
    KnownClient Client, ReplyTo ReplyTo, IReadOnlyList<string> Scopes, IReadOnlyList<string> Resources, string Challenge, string? Nonce,
    IReadOnlyList<string> Prompts, int? MaxAgeSeconds)
{
    /// <summary>Whoever is signed in is to sign in anew, or somebody else is.</summary>
    public bool AsksAnew => Prompts.Any(p => p is "login" or "select_account" or "create");

    /// <summary>The only key that may redeem the code (<c>dpop_jkt</c>).</summary>
    public string? DpopKey { get; init; }

    /// <summary>Whom the client believes to know (<c>id_token_hint</c>).</summary>
    public string? Person { get; init; }

    /// <summary>What the person may have typed already.</summary>
    public string? LoginHint { get; init; }

    /// <summary>The pushed request that this one came in; it is used up by its answer.</summary>
    public string? PushedSha256 { get; init; }
}

/// <summary>Where and how the answer goes back to the client.</summary>
/// <param name="ByForm"><c>response_mode=form_post</c>.</param>
internal sealed record ReplyTo(string RedirectUri, string? State, bool ByForm);

/// <summary>What came of reading a request.</summary>
internal abstract record AuthorizeReading
{
    public sealed record Good(AuthorizeRequest Request) : AuthorizeReading;

    /// <summary>Told to the client, at an address that is known to be its own.</summary>
    public sealed record Refused(ReplyTo ReplyTo, OAuthRefusal Refusal) : AuthorizeReading;

    /// <summary>Told to the person alone: who asks, or where the answer would go, is not certain (RFC 6749 §4.1.2.1).</summary>
    public sealed record Untrusted(string Sentence) : AuthorizeReading;
}

/// <summary>Reads the parameters of the authorization endpoint.</summary>
internal sealed class AuthorizeReader(IdentityDb db, ScopeBook scopes, TokenSigner signer, PushedRequests pushed, IOptions<TollgateIdentityOptions> options)
{
    private static readonly string[] KnownPrompts = ["none", "login", "consent", "select_account", "create"];
    private static readonly string[] Alone = ["none", "create"];

    public async Task<AuthorizeReading> ReadAsync(Parameters parameters, CancellationToken cancel)
    {
        if (parameters.IsRepeated("client_id") || parameters["client_id"] is not { } clientId
            || await ClientAuthentication.FindAsync(db, clientId, cancel) is not { } client)
            return new AuthorizeReading.Untrusted("The application that sent you here is not known.");
        if (!PushedRequests.IsName(parameters["request_uri"])) return await JudgeAsync(client, parameters, null, cancel);

        var (ahead, digest) = await pushed.FindAsync(client.Client, parameters["request_uri"]!, cancel);
        if (ahead is not null) return await JudgeAsync(client, ahead, digest, cancel);
        return ReplyOf(client.Client, parameters) is { } replyTo
            ? new AuthorizeReading.Refused(replyTo, new OAuthRefusal("invalid_request_uri", "The pushed request is unknown, used or too old."))
            : new AuthorizeReading.Untrusted("The request of the application is unknown, used or too old. Go back to it and begin again.");
    }

    /// <summary>Judges what a request says, wherever it came in.</summary>
    /// <param name="pushedSha256">The pushed request that the parameters are of.</param>
    public async Task<AuthorizeReading> JudgeAsync(KnownClient client, Parameters parameters, string? pushedSha256, CancellationToken cancel)
    {
        if (ReplyOf(client.Client, parameters) is not { } replyTo)
            return new AuthorizeReading.Untrusted("The application that sent you here did not say rightly where to lead you back to.");
        if (WhatIsWrong(parameters, client.Client, pushedSha256 is not null) is { } refusal) return new AuthorizeReading.Refused(replyTo, refusal);

        var (granted, wrongScope) = await scopes.ResolveAsync(client.Client, parameters["scope"], await scopes.OfAsync(client.Client, cancel), parameters.Resources, cancel);
        if (granted is { Names.Count: 0 }) wrongScope = OAuthRefusal.InvalidScope("A scope is needed.");
        if (wrongScope is not null) return new AuthorizeReading.Refused(replyTo, wrongScope);
        var hint = parameters["id_token_hint"] is { } token ? await signer.ReadAsync(token, TokenSigner.IdToken, orExpired: true, cancel) : null;
        return new AuthorizeReading.Good(new AuthorizeRequest(client, replyTo, granted!.Names, parameters.Resources, parameters["code_challenge"]!,
            parameters["nonce"], Prompts(parameters), MaxAge(parameters))
        {
            DpopKey = parameters["dpop_jkt"],
            Person = hint is { } claims ? TokenSigner.Text(claims, "sub") : null,
            LoginHint = parameters["login_hint"],
            PushedSha256 = pushedSha256,
        });
    }

    /// <summary>Null: there is no address, or none of the client's.</summary>
    private static ReplyTo? ReplyOf(OAuthClient client, Parameters parameters)
    {
        if (parameters.IsRepeated("redirect_uri") || parameters["redirect_uri"] is not { } redirectUri || !RedirectUris.Allows(client, redirectUri)) return null;
        var state = parameters.IsRepeated("state") || parameters["state"]?.Length > InputLimits.State ? null : parameters["state"];
        return new ReplyTo(redirectUri, state, parameters["response_mode"] == ResponseModes.FormPost && !parameters.IsRepeated("response_mode"));
    }

    private OAuthRefusal? WhatIsWrong(Parameters parameters, OAuthClient client, bool isPushed)
    {
        if (parameters.Wrong is { } wrong) return OAuthRefusal.InvalidRequest(wrong);
        if (parameters["request"] is not null) return new OAuthRefusal("request_not_supported", "Request objects are not taken here.");
        if (parameters["request_uri"] is not null) return new OAuthRefusal("request_uri_not_supported", "Request objects are not taken here.");
        if (parameters["registration"] is not null) return new OAuthRefusal("registration_not_supported", "Clients are not registered here.");
        if (client.MustPush(options.Value) && !isPushed) return OAuthRefusal.InvalidRequest("Requests must be pushed first.");
        if (parameters["response_type"] is not { } type) return OAuthRefusal.InvalidRequest("response_type is missing.");
        if (type != "code") return new OAuthRefusal("unsupported_response_type", "Only code is given here.");
        if (!client.Has(Grants.AuthorizationCode)) return OAuthRefusal.UnauthorizedClient("The client may not ask for codes.");
        if (parameters["response_mode"] is { } mode && !ResponseModes.All.Contains(mode)) return OAuthRefusal.InvalidRequest("response_mode is query or form_post here.");
        if (parameters["code_challenge"] is not { Length: 43 } challenge || !IsBase64Url(challenge))
            return OAuthRefusal.InvalidRequest("code_challenge is missing, or no SHA-256 digest in base64url.");
        if (parameters["code_challenge_method"] != "S256") return OAuthRefusal.InvalidRequest("code_challenge_method must be S256.");
        if (parameters["dpop_jkt"] is { } key && (key.Length != 43 || !IsBase64Url(key))) return OAuthRefusal.InvalidRequest("dpop_jkt is no SHA-256 digest in base64url.");
        var prompts = Prompts(parameters);
        if (prompts.Any(p => !KnownPrompts.Contains(p)) || (prompts.Length > 1 && prompts.Any(Alone.Contains)))
            return OAuthRefusal.InvalidRequest("prompt is unknown, or none or create is beside another.");
        return parameters["max_age"] is not null && MaxAge(parameters) is null ? OAuthRefusal.InvalidRequest("max_age is a number of seconds.") : null;
    }

    private static bool IsBase64Url(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static string[] Prompts(Parameters parameters) => parameters["prompt"]?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static int? MaxAge(Parameters parameters) =>
        int.TryParse(parameters["max_age"], System.Globalization.NumberStyles.None, null, out var seconds) ? seconds : null;
}

/// <summary>How answers travel back through the browser.</summary>
internal static class ResponseModes
{
    public const string Query = "query";
    public const string FormPost = "form_post";

    public static IReadOnlyList<string> All { get; } = [Query, FormPost];
}
