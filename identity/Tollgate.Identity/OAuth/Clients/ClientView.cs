using Tollgate.Contracts;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>What an application's client is, which says how it may get tokens.</summary>
public enum ClientKind
{
    /// <summary>A program that acts for itself, with a secret.</summary>
    Service,

    /// <summary>A web application that acts for people and can keep a secret.</summary>
    Web,

    /// <summary>Script in a browser, or an app on somebody's device: it acts for people and can keep no secret.</summary>
    Public,
}

/// <summary>What access tokens are.</summary>
public static class AccessTokenTypes
{
    /// <summary>Says itself what it is good for, and is checked with the server's public key.</summary>
    public const string Jwt = "jwt";

    /// <summary>Says nothing: who is shown it asks the server.</summary>
    public const string Reference = "reference";
}

/// <summary>What a person chooses about a client.</summary>
/// <param name="Scopes">Those of OpenID Connect that it may ask for, and of what the subscriptions give those that it may; none of the latter = all.</param>
public sealed record ClientForm(
    string Name, ClientKind Kind, IReadOnlyList<string>? Scopes = null, IReadOnlyList<string>? RedirectUris = null,
    IReadOnlyList<string>? PostLogoutRedirectUris = null, IReadOnlyList<string>? Origins = null, string? BackChannelLogoutUri = null)
{
    /// <summary>What its tokens are signed with: <c>RS256</c>, which every program can read, or <c>ES256</c>. Null, here and below: as it was, which is RS256 at first.</summary>
    public string? SigningAlgorithm { get; init; }

    /// <summary><c>jwt</c> at first; <c>reference</c>, where the operator offers it, is a handle that APIs ask about.</summary>
    public string? AccessTokenType { get; init; }

    /// <summary>Its tokens are bound to a key of its own (DPoP): it is given none without a proof.</summary>
    public bool? RequireDpop { get; init; }

    /// <summary>It sends its sign-in requests ahead (PAR), and others in its name are refused.</summary>
    public bool? RequirePushedRequests { get; init; }
}

/// <summary>A client as pages show it. Its secrets are known by their ends alone.</summary>
/// <param name="Version">Say it with a change: a change of something older is refused.</param>
public sealed record ClientView(
    string ClientId, AppId? Application, string Name, ClientKind Kind, IReadOnlyList<string> Grants, IReadOnlyList<string> Scopes, IReadOnlyList<string> RedirectUris,
    IReadOnlyList<string> PostLogoutRedirectUris, IReadOnlyList<string> Origins, string? BackChannelLogoutUri, bool IsDisabled, DateTimeOffset Created, int Version,
    IReadOnlyList<ClientSecretView> Secrets)
{
    public required string SigningAlgorithm { get; init; }
    public required string AccessTokenType { get; init; }
    public bool RequireDpop { get; init; }
    public bool RequirePushedRequests { get; init; }

    /// <summary>The scopes that it may ask for at this moment; null where it was not looked up.</summary>
    public IReadOnlyList<string>? MayAsk { get; init; }
}

/// <summary>A secret that is still good.</summary>
public sealed record ClientSecretView(Guid Id, string LastFour, DateTimeOffset Created, DateTimeOffset? Expires);

/// <summary>A client with the secret that was just made for it: kept as a digest, so that it is told this once.</summary>
public sealed record FreshClient(ClientView Client, string? Secret)
{
    /// <summary>Leaves the secret out, so that no log carries it by accident.</summary>
    public override string ToString() => $"FreshClient {Client.ClientId}";
}

/// <summary>What became of a wish that concerns a client.</summary>
public abstract record ClientOutcome
{
    public sealed record Done(FreshClient Client) : ClientOutcome;
    public sealed record NotFound : ClientOutcome;
    public sealed record TooMany(int Limit) : ClientOutcome;

    /// <summary>Someone else changed it meanwhile.</summary>
    public sealed record Stale(ClientView Now) : ClientOutcome;

    /// <summary>One sentence a field, by the field's name.</summary>
    public sealed record Invalid(IReadOnlyDictionary<string, string> Errors) : ClientOutcome;
}
