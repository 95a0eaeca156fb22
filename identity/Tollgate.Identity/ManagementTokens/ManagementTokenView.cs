using Tollgate.Identity.Organisations;

namespace Tollgate.Identity.ManagementTokens;

/// <summary>A token as pages and the API show it: by the part that names it, never whole.</summary>
/// <param name="Owner">The person's e-mail address; null = the organisation's own.</param>
/// <param name="Role">The role of an organisation's own token.</param>
/// <param name="LastUsed">To the minute; null = never.</param>
public sealed record ManagementTokenView(
    Guid Id, string Name, ManagementTokenKind Kind, string Prefix, string? Owner, OrganisationRole? Role, IReadOnlyList<string> Scopes,
    DateTimeOffset Created, DateTimeOffset Expires, DateTimeOffset? LastUsed, ManagementTokenState State);

/// <summary>Whose rights a token has.</summary>
public enum ManagementTokenKind
{
    /// <summary>A person's, in one organisation.</summary>
    Personal,

    /// <summary>The organisation's own: it stays when people leave.</summary>
    Service,
}

/// <summary>Whether a token still opens anything.</summary>
public enum ManagementTokenState
{
    Live,
    Expired,
    Revoked,
}

/// <summary>What a token shall be.</summary>
/// <param name="Scopes">Null or empty = all that its maker may give.</param>
/// <param name="Expires">Null = in 90 days. At most a year ahead.</param>
/// <param name="Role">Of an organisation's own token alone; null = viewer.</param>
public sealed record NewManagementToken(string Name, IReadOnlyList<string>? Scopes = null, DateTimeOffset? Expires = null, OrganisationRole? Role = null)
{
    public const int MaxNameLength = 80;
}

/// <summary>A new token. <paramref name="Secret"/> is the token itself: shown to its maker now, and never again to anyone.</summary>
public sealed record IssuedManagementToken(string Secret, ManagementTokenView View)
{
    /// <summary>Leaves the secret out, so that no log or exception message carries it.</summary>
    public override string ToString() => $"IssuedManagementToken {View.Prefix}… {View.Id}";
}

/// <summary>What became of a wish for a token.</summary>
public abstract record IssueTokenOutcome
{
    public sealed record Issued(IssuedManagementToken Token) : IssueTokenOutcome;

    /// <summary>One sentence a field, by the field's name.</summary>
    public sealed record Invalid(IReadOnlyDictionary<string, string> Errors) : IssueTokenOutcome;
    public sealed record TooMany(int Limit) : IssueTokenOutcome;

    /// <summary>Who asks is no member, or of too small a role.</summary>
    public sealed record NotAllowed : IssueTokenOutcome;
}
