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

/// <summary>What a person chooses about a client.</summary>
/// <param name="Scopes">Those of OpenID Connect that it may ask for, and of what the subscriptions give those that it may; none of the latter = all.</param>
public sealed record ClientForm(
    string Name, ClientKind Kind, IReadOnlyList<string>? Scopes = null, IReadOnlyList<string>? RedirectUris = null,
    IReadOnlyList<string>? PostLogoutRedirectUris = null, IReadOnlyList<string>? Origins = null, string? BackChannelLogoutUri = null);

/// <summary>A client as pages show it. Its secrets are known by their ends alone.</summary>
/// <param name="Version">Say it with a change: a change of something older is refused.</param>
public sealed record ClientView(
    string ClientId, AppId? Application, string Name, ClientKind Kind, IReadOnlyList<string> Grants, IReadOnlyList<string> Scopes, IReadOnlyList<string> RedirectUris,
    IReadOnlyList<string> PostLogoutRedirectUris, IReadOnlyList<string> Origins, string? BackChannelLogoutUri, bool IsDisabled, DateTimeOffset Created, int Version,
    IReadOnlyList<ClientSecretView> Secrets)
{
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
