using Tollgate.Contracts;

namespace Tollgate.Identity.Organisations;

/// <summary>A member as pages and the API show one.</summary>
public sealed record MemberView(Guid Id, string Email, OrganisationRole Role, DateTimeOffset Since, bool TwoFactor);

/// <summary>An invitation that waits, has been taken, or is dead.</summary>
public sealed record InvitationView(Guid Id, string Email, OrganisationRole Role, string InvitedBy, DateTimeOffset Created, DateTimeOffset Expires, InvitationState State);

/// <summary>What has become of an invitation.</summary>
public enum InvitationState
{
    Waiting,
    Accepted,
    Expired,
    Withdrawn,
}

/// <summary>An organisation that a person belongs to, and their role there.</summary>
public sealed record MyOrganisation(OrganisationId Id, string Name, OrganisationRole Role, bool Suspended);

/// <summary>What an invitation's link shows to who holds it.</summary>
public sealed record InvitationOffer(string Organisation, string Email, OrganisationRole Role, string InvitedBy, DateTimeOffset Expires);

/// <summary>What became of a wish about members.</summary>
public abstract record MembershipOutcome
{
    public sealed record Done : MembershipOutcome;

    /// <summary>An organisation that was made.</summary>
    public sealed record Made(MyOrganisation Organisation) : MembershipOutcome;

    /// <summary>An invitation that is on its way.</summary>
    public sealed record Invited(InvitationView Invitation) : MembershipOutcome;
    public sealed record NotFound : MembershipOutcome;

    /// <summary>The asker's role is too small for this, or they are no member any more.</summary>
    public sealed record NotAllowed : MembershipOutcome;

    /// <summary>There would be no owner left.</summary>
    public sealed record LastOwner : MembershipOutcome;
    public sealed record AlreadyMember : MembershipOutcome;

    /// <summary>The invitation is for another address than the account's.</summary>
    public sealed record ForSomebodyElse : MembershipOutcome;
    public sealed record TooMany(int Limit) : MembershipOutcome;

    /// <summary>One sentence a field.</summary>
    public sealed record Invalid(IReadOnlyDictionary<string, string> Errors) : MembershipOutcome;
}
