using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Audit;
using Tollgate.Identity.Storage;
using Tollgate.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.Organisations;

/// <summary>Looks up organisations, and closes or opens the gate for all of one's applications.</summary>
public sealed class OrganisationService
{
    private readonly IDbContextFactory<IdentityDb> _databases;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal OrganisationService(IDbContextFactory<IdentityDb> databases, AuditLog audit, TimeProvider time) =>
        (_databases, _audit, _time) = (databases, audit, time);

    public async Task<OrganisationView?> GetAsync(OrganisationId organisation, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        return await Views(db, db.Organisations.Where(o => o.Id == organisation)).SingleOrDefaultAsync(cancel);
    }

    /// <summary>All organisations by name, for platform admins.</summary>
    /// <param name="search">Part of a name; null or empty = all.</param>
    /// <param name="page">From 1 on.</param>
    public async Task<Page<OrganisationView>> ListAsync(string? search, int page, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        var found = db.Organisations.AsQueryable();
        if (OneLine.Sought(search) is { } part) found = found.Where(o => o.Name.ToLower().Contains(part));
        return await Views(db, found.OrderBy(o => o.Name).ThenBy(o => o.Id)).ToPageAsync(page, cancel);
    }

    /// <summary>Closes or opens the gate; every gateway hears of it. False: there is no such organisation.</summary>
    public async Task<bool> SuspendAsync(OrganisationId organisation, bool suspended, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel)) return false;

        var row = await db.Organisations.SingleAsync(o => o.Id == organisation, cancel);
        if (row.SuspendedAt is not null == suspended) return true;
        row.SuspendedAt = suspended ? _time.GetUtcNow() : null;
        await _audit.AddAsync(db, suspended ? "organisation.suspended" : "organisation.resumed", organisation.ToString(), organisation);

        var applications = await db.Applications.AsNoTracking().Where(a => a.Organisation == organisation && a.DeletedAt == null).ToListAsync(cancel);
        await db.SaveWithChangesAsync([.. applications.Select(a => (FeedItem)a.ToFeedItem(row))], cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }

    private static IQueryable<OrganisationView> Views(IdentityDb db, IQueryable<Organisation> organisations) =>
        organisations.AsNoTracking().Select(o => new OrganisationView(o.Id, o.Name, o.Created, o.SuspendedAt != null,
            db.Memberships.Count(m => m.Organisation == o.Id),
            db.Applications.Count(a => a.Organisation == o.Id && a.DeletedAt == null)));
}
