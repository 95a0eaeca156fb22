using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Organisations;

/// <summary>
/// Who belongs to an organisation, and as what. The asker's role is read here once more, under the organisation's lock: two owners who leave at once
/// leave one behind.
/// </summary>
public sealed class MembershipService
{
    /// <summary>How many organisations a person owns at most.</summary>
    public const int MaxOwned = 20;

    private readonly IDbContextFactory<IdentityDb> _databases;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal MembershipService(IDbContextFactory<IdentityDb> databases, AuditLog audit, TimeProvider time) => (_databases, _audit, _time) = (databases, audit, time);

    /// <summary>The organisations of a person, by name.</summary>
    public async Task<IReadOnlyList<MyOrganisation>> MineAsync(Guid account, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        return await db.Memberships.Where(m => m.Account == account)
            .Join(db.Organisations, m => m.Organisation, o => o.Id, (m, o) => new { o.Id, o.Name, m.Role, o.SuspendedAt })
            .OrderBy(x => x.Name).Select(x => new MyOrganisation(x.Id, x.Name, x.Role, x.SuspendedAt != null)).ToListAsync(cancel);
    }

    /// <summary>The members by address.</summary>
    public async Task<IReadOnlyList<MemberView>> ListAsync(OrganisationId organisation, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        return await db.Memberships.Where(m => m.Organisation == organisation)
            .Join(db.Accounts, m => m.Account, a => a.Id, (m, a) => new { a.Id, a.Email, m.Role, m.Since, a.TwoFactorEnabled })
            .OrderBy(x => x.Email).Select(x => new MemberView(x.Id, x.Email!, x.Role, x.Since, x.TwoFactorEnabled)).ToListAsync(cancel);
    }

    /// <summary>Makes another organisation that the person owns, and looks at from now on.</summary>
    public async Task<MembershipOutcome> CreateAsync(Guid account, string? name, CancellationToken cancel)
    {
        name = name?.Trim() ?? "";
        if (Organisation.WhatIsWrongWith(name) is { } wrong) return new MembershipOutcome.Invalid(new Dictionary<string, string> { ["name"] = wrong });
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await db.Memberships.CountAsync(m => m.Account == account && m.Role == OrganisationRole.Owner, cancel) >= MaxOwned) return new MembershipOutcome.TooMany(MaxOwned);
        var now = _time.GetUtcNow();
        var organisation = new Organisation { Id = OrganisationId.New(), Name = name, Created = now };
        db.Add(organisation);
        db.Add(new Membership { Organisation = organisation.Id, Account = account, Role = OrganisationRole.Owner, Since = now });
        await _audit.AddAsync(db, "organisation.created", organisation.Id.ToString(), organisation.Id);
        await db.SaveChangesAsync(cancel);
        await LookAtAsync(db, account, organisation.Id, cancel);
        await transaction.CommitAsync(cancel);
        return new MembershipOutcome.Made(new MyOrganisation(organisation.Id, name, OrganisationRole.Owner, Suspended: false));
    }

    /// <summary>Lets the person look at another of their organisations. False: it is none of theirs.</summary>
    public async Task<bool> ChooseAsync(Guid account, OrganisationId organisation, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        if (!await db.Memberships.AnyAsync(m => m.Account == account && m.Organisation == organisation, cancel)) return false;
        await LookAtAsync(db, account, organisation, cancel);
        return true;
    }

    public Task<MembershipOutcome> RenameAsync(Guid asker, OrganisationId organisation, string? name, CancellationToken cancel)
    {
        name = name?.Trim() ?? "";
        return Organisation.WhatIsWrongWith(name) is { } wrong
            ? Task.FromResult<MembershipOutcome>(new MembershipOutcome.Invalid(new Dictionary<string, string> { ["name"] = wrong }))
            : ChangeAsync(asker, organisation, async (db, mine) =>
            {
                if (mine is not (OrganisationRole.Owner or OrganisationRole.Admin)) return new MembershipOutcome.NotAllowed();
                await db.Organisations.Where(o => o.Id == organisation).ExecuteUpdateAsync(o => o.SetProperty(x => x.Name, name), cancel);
                await _audit.AddAsync(db, "organisation.renamed", organisation.ToString(), organisation);
                return new MembershipOutcome.Done();
            }, cancel);
    }

    /// <summary>Owners give and take every role; admins every one but the owner's.</summary>
    public Task<MembershipOutcome> ChangeRoleAsync(Guid asker, OrganisationId organisation, Guid member, OrganisationRole role, CancellationToken cancel) =>
        ChangeAsync(asker, organisation, async (db, mine) =>
        {
            if (await FindAsync(db, organisation, member, cancel) is not { } row) return new MembershipOutcome.NotFound();
            if (!Enum.IsDefined(role)) return new MembershipOutcome.Invalid(new Dictionary<string, string> { ["role"] = "A role is owner, admin, developer, billing or viewer." });
            if (!MayManage(mine, row.Role) || !MayManage(mine, role)) return new MembershipOutcome.NotAllowed();
            if (row.Role == role) return new MembershipOutcome.Done();
            if (row.Role == OrganisationRole.Owner && await IsLastOwnerAsync(db, organisation, cancel)) return new MembershipOutcome.LastOwner();
            row.Role = role;
            await db.WithdrawInvitationsAsync(member, organisation, given => MayManage(role, given), _time.GetUtcNow(), cancel);
            await _audit.AddAsync(db, "member.role-changed", member.ToString(), organisation, TollgateClaims.Value(role));
            return new MembershipOutcome.Done();
        }, cancel);

    /// <summary>Takes a member out, with the tokens they have there and the invitations that they sent. Everybody may take themselves out.</summary>
    public Task<MembershipOutcome> RemoveAsync(Guid asker, OrganisationId organisation, Guid member, CancellationToken cancel) =>
        ChangeAsync(asker, organisation, async (db, mine) =>
        {
            if (await FindAsync(db, organisation, member, cancel) is not { } row) return new MembershipOutcome.NotFound();
            if (asker != member && !MayManage(mine, row.Role)) return new MembershipOutcome.NotAllowed();
            if (row.Role == OrganisationRole.Owner && await IsLastOwnerAsync(db, organisation, cancel)) return new MembershipOutcome.LastOwner();
            db.Remove(row);
            var now = (DateTimeOffset?)_time.GetUtcNow();
            await db.ManagementTokens.Where(t => t.Account == member && t.Organisation == organisation && t.RevokedAt == null)
                .ExecuteUpdateAsync(t => t.SetProperty(x => x.RevokedAt, now), cancel);
            await db.Accounts.Where(a => a.Id == member && a.ChosenOrganisation == organisation)
                .ExecuteUpdateAsync(a => a.SetProperty(x => x.ChosenOrganisation, (OrganisationId?)null), cancel);
            await db.WithdrawInvitationsAsync(member, organisation, _ => false, now.Value, cancel);
            await _audit.AddAsync(db, asker == member ? "member.left" : "member.removed", member.ToString(), organisation);
            return new MembershipOutcome.Done();
        }, cancel);

    /// <summary>Makes another member the owner; who was stays as admin.</summary>
    public Task<MembershipOutcome> HandOverAsync(Guid asker, OrganisationId organisation, Guid member, CancellationToken cancel) =>
        ChangeAsync(asker, organisation, async (db, mine) =>
        {
            if (mine != OrganisationRole.Owner) return new MembershipOutcome.NotAllowed();
            if (await FindAsync(db, organisation, member, cancel) is not { } next) return new MembershipOutcome.NotFound();
            if (member == asker) return new MembershipOutcome.Done();
            next.Role = OrganisationRole.Owner;
            (await FindAsync(db, organisation, asker, cancel))!.Role = OrganisationRole.Admin;
            await db.WithdrawInvitationsAsync(asker, organisation, given => MayManage(OrganisationRole.Admin, given), _time.GetUtcNow(), cancel);
            await _audit.AddAsync(db, "organisation.handed-over", member.ToString(), organisation);
            return new MembershipOutcome.Done();
        }, cancel);

    private async Task<MembershipOutcome> ChangeAsync(
        Guid asker, OrganisationId organisation, Func<IdentityDb, OrganisationRole, Task<MembershipOutcome>> change, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel) || await FindAsync(db, organisation, asker, cancel) is not { } mine) return new MembershipOutcome.NotFound();
        var outcome = await change(db, mine.Role);
        if (outcome is not MembershipOutcome.Done) return outcome;
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return outcome;
    }

    /// <summary>Whether somebody of this role may touch somebody of that one.</summary>
    internal static bool MayManage(OrganisationRole mine, OrganisationRole theirs) =>
        mine == OrganisationRole.Owner || (mine == OrganisationRole.Admin && theirs != OrganisationRole.Owner);

    private static Task<Membership?> FindAsync(IdentityDb db, OrganisationId organisation, Guid account, CancellationToken cancel) =>
        db.Memberships.SingleOrDefaultAsync(m => m.Organisation == organisation && m.Account == account, cancel);

    private static async Task<bool> IsLastOwnerAsync(IdentityDb db, OrganisationId organisation, CancellationToken cancel) =>
        await db.Memberships.CountAsync(m => m.Organisation == organisation && m.Role == OrganisationRole.Owner, cancel) < 2;

    internal static Task LookAtAsync(IdentityDb db, Guid account, OrganisationId organisation, CancellationToken cancel) =>
        db.Accounts.Where(a => a.Id == account).ExecuteUpdateAsync(a => a.SetProperty(x => x.ChosenOrganisation, (OrganisationId?)organisation), cancel);
}
