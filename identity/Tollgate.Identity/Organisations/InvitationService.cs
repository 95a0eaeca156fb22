using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Organisations;

/// <summary>Invites people by mail. A link works for seven days, once, and for the address alone that it was sent to.</summary>
public sealed class InvitationService
{
    /// <summary>How many invitations of an organisation wait at a time.</summary>
    public const int MaxWaiting = 100;

    private readonly IDbContextFactory<IdentityDb> _databases;
    private readonly AccountMails _mails;
    private readonly AccountLimits _limits;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal InvitationService(IDbContextFactory<IdentityDb> databases, AccountMails mails, AccountLimits limits, AuditLog audit, TimeProvider time) =>
        (_databases, _mails, _limits, _audit, _time) = (databases, mails, limits, audit, time);

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<InvitationView>> ListAsync(OrganisationId organisation, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        var rows = await db.Invitations.AsNoTracking().Where(i => i.Organisation == organisation).OrderByDescending(i => i.Created).Take(200)
            .Select(i => new { Invitation = i, By = db.Accounts.Where(a => a.Id == i.InvitedBy).Select(a => a.Email).SingleOrDefault() }).ToListAsync(cancel);
        var now = _time.GetUtcNow();
        return [.. rows.Select(r => View(r.Invitation, r.By, now))];
    }

    /// <summary>Sends an invitation; an earlier one to the same address is withdrawn.</summary>
    public async Task<MembershipOutcome> InviteAsync(Guid asker, OrganisationId organisation, string? email, OrganisationRole role, CancellationToken cancel)
    {
        email = email?.Trim() ?? "";
        if (EmailAddresses.WhatIsWrongWith(email) is { } wrong) return new MembershipOutcome.Invalid(new Dictionary<string, string> { ["email"] = wrong });
        if (!Enum.IsDefined(role)) return new MembershipOutcome.Invalid(new Dictionary<string, string> { ["role"] = "A role is owner, admin, developer, billing or viewer." });

        var now = _time.GetUtcNow();
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel)) return new MembershipOutcome.NotFound();
        var mine = await db.Memberships.Where(m => m.Organisation == organisation && m.Account == asker).Select(m => (OrganisationRole?)m.Role).SingleOrDefaultAsync(cancel);
        if (mine is not { } myRole) return new MembershipOutcome.NotFound();
        if (!MembershipService.MayManage(myRole, role)) return new MembershipOutcome.NotAllowed();
        var normalized = email.ToUpperInvariant();
        if (await db.Memberships.AnyAsync(m => m.Organisation == organisation && db.Accounts.Any(a => a.Id == m.Account && a.NormalizedEmail == normalized), cancel))
            return new MembershipOutcome.AlreadyMember();
        if (await Waiting(db, organisation, now).CountAsync(cancel) >= MaxWaiting) return new MembershipOutcome.TooMany(MaxWaiting);
        if (_limits.Invitation(organisation, email) is not null)
            return new MembershipOutcome.Invalid(new Dictionary<string, string> { ["email"] = "This address, or your organisation, sent for several mails within the hour. Try again later." });

        await Waiting(db, organisation, now).Where(i => i.Email == email).ExecuteUpdateAsync(i => i.SetProperty(x => x.RevokedAt, (DateTimeOffset?)now), cancel);
        var secret = Secrets.New();
        var invitation = new Invitation
        {
            Id = Guid.CreateVersion7(now), Organisation = organisation, Email = email, Role = role, Sha256 = Secrets.Sha256(secret), InvitedBy = asker,
            Created = now, Expires = now + Invitation.Life,
        };
        db.Add(invitation);
        await _audit.AddAsync(db, "invitation.sent", invitation.Id.ToString(), organisation);
        await db.SaveChangesAsync(cancel);
        var name = await db.Organisations.Where(o => o.Id == organisation).Select(o => o.Name).SingleAsync(cancel);
        var by = await db.Accounts.Where(a => a.Id == asker).Select(a => a.Email!).SingleAsync(cancel);
        await transaction.CommitAsync(cancel);
        await _mails.SendInvitationAsync(email, name, by, TollgateClaims.Value(role), secret, cancel);
        return new MembershipOutcome.Invited(View(invitation, by, now));
    }

    /// <summary>Makes a link worthless. False: there is no such invitation that waits.</summary>
    public async Task<bool> WithdrawAsync(OrganisationId organisation, Guid invitation, CancellationToken cancel)
    {
        var now = _time.GetUtcNow();
        await using var db = await _databases.CreateDbContextAsync(cancel);
        if (await Waiting(db, organisation, now).Where(i => i.Id == invitation).ExecuteUpdateAsync(i => i.SetProperty(x => x.RevokedAt, (DateTimeOffset?)now), cancel) == 0)
            return false;
        await _audit.AddAsync(db, "invitation.withdrawn", invitation.ToString(), organisation);
        await db.SaveChangesAsync(cancel);
        return true;
    }

    /// <summary>What a link offers; null when it is dead.</summary>
    public async Task<InvitationOffer?> FindAsync(string secret, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        if (await LiveAsync(db, secret, cancel) is not { } invitation) return null;
        return new InvitationOffer(
            await db.Organisations.Where(o => o.Id == invitation.Organisation).Select(o => o.Name).SingleAsync(cancel), invitation.Email, invitation.Role,
            await db.Accounts.Where(a => a.Id == invitation.InvitedBy).Select(a => a.Email).SingleOrDefaultAsync(cancel) ?? "a former member", invitation.Expires);
    }

    /// <summary>Makes the person a member, and lets them look at the organisation. Once, and only for the address that was invited.</summary>
    public async Task<MembershipOutcome> AcceptAsync(Guid account, string secret, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await LiveAsync(db, secret, cancel) is not { } invitation || !await db.LockOrganisationAsync(invitation.Organisation, cancel)) return new MembershipOutcome.NotFound();
        var person = await db.Accounts.AsNoTracking().SingleAsync(a => a.Id == account, cancel);
        if (!person.EmailConfirmed || !string.Equals(person.Email, invitation.Email, StringComparison.OrdinalIgnoreCase)) return new MembershipOutcome.ForSomebodyElse();
        if (await db.Memberships.AnyAsync(m => m.Organisation == invitation.Organisation && m.Account == account, cancel)) return new MembershipOutcome.AlreadyMember();

        var now = (DateTimeOffset?)_time.GetUtcNow();
        if (await db.Invitations.Where(i => i.Id == invitation.Id && i.AcceptedAt == null && i.RevokedAt == null)
                .ExecuteUpdateAsync(i => i.SetProperty(x => x.AcceptedAt, now), cancel) == 0)
            return new MembershipOutcome.NotFound();
        db.Add(new Membership { Organisation = invitation.Organisation, Account = account, Role = invitation.Role, Since = now!.Value });
        await _audit.AddAsync(db, "invitation.accepted", invitation.Id.ToString(), invitation.Organisation, actor: account);
        await db.SaveChangesAsync(cancel);
        await MembershipService.LookAtAsync(db, account, invitation.Organisation, cancel);
        await transaction.CommitAsync(cancel);
        return new MembershipOutcome.Done();
    }

    private async Task<Invitation?> LiveAsync(IdentityDb db, string secret, CancellationToken cancel)
    {
        if (secret.Length is 0 or > 100) return null;
        var (digest, now) = (Secrets.Sha256(secret), _time.GetUtcNow());
        return await db.Invitations.AsNoTracking().SingleOrDefaultAsync(i => i.Sha256 == digest && i.AcceptedAt == null && i.RevokedAt == null && i.Expires > now, cancel);
    }

    private static IQueryable<Invitation> Waiting(IdentityDb db, OrganisationId organisation, DateTimeOffset now) =>
        db.Invitations.Where(i => i.Organisation == organisation && i.AcceptedAt == null && i.RevokedAt == null && i.Expires > now);

    private static InvitationView View(Invitation i, string? by, DateTimeOffset now) => new(i.Id, i.Email, i.Role, by ?? "a former member", i.Created, i.Expires,
        i.AcceptedAt is not null ? InvitationState.Accepted : i.RevokedAt is not null ? InvitationState.Withdrawn : i.Expires <= now ? InvitationState.Expired : InvitationState.Waiting);
}
