using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Organisations;

/// <summary>An invitation is the word of who sent it: it does not outlive their right to give it, or who is thrown out comes back by one of their own.</summary>
internal static class SentInvitations
{
    private static readonly OrganisationRole[] Roles = Enum.GetValues<OrganisationRole>();

    /// <summary>Withdraws what waits of what somebody sent. Within the open transaction.</summary>
    /// <param name="organisation">Null = in all of them.</param>
    /// <param name="mayGive">The roles that they may go on giving.</param>
    public static Task<int> WithdrawInvitationsAsync(
        this IdentityDb db, Guid sender, OrganisationId? organisation, Func<OrganisationRole, bool> mayGive, DateTimeOffset now, CancellationToken cancel)
    {
        var over = Roles.Where(role => !mayGive(role)).ToArray();
        return db.Invitations.Where(i => i.InvitedBy == sender && i.AcceptedAt == null && i.RevokedAt == null && over.Contains(i.Role)
                && (organisation == null || i.Organisation == organisation))
            .ExecuteUpdateAsync(i => i.SetProperty(x => x.RevokedAt, (DateTimeOffset?)now), cancel);
    }
}
