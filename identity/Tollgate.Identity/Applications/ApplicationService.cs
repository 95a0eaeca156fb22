using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.Applications;

/// <summary>An organisation's applications. Another organisation's id is simply not found.</summary>
public sealed class ApplicationService
{
    /// <summary>How many applications an organisation may have at a time.</summary>
    public const int MaxApplications = 100;

    private readonly IDbContextFactory<IdentityDb> _databases;
    private readonly AuditLog _audit;
    private readonly ClientService _clients;
    private readonly TimeProvider _time;

    internal ApplicationService(IDbContextFactory<IdentityDb> databases, AuditLog audit, ClientService clients, TimeProvider time) =>
        (_databases, _audit, _clients, _time) = (databases, audit, clients, time);

    public async Task<IReadOnlyList<ApplicationView>> ListAsync(OrganisationId organisation, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        return await Views(db, Live(db, organisation).OrderBy(a => a.Name)).ToListAsync(cancel);
    }

    public async Task<ApplicationView?> GetAsync(OrganisationId organisation, AppId application, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        return await Views(db, Live(db, organisation).Where(a => a.Id == application)).SingleOrDefaultAsync(cancel);
    }

    /// <summary>Applications of any organisation, deleted ones too: for admin pages and invoices, which must name what they show.</summary>
    public async Task<IReadOnlyDictionary<AppId, ApplicationView>> FindAsync(IReadOnlyCollection<AppId> applications, CancellationToken cancel)
    {
        if (applications.Count == 0) return new Dictionary<AppId, ApplicationView>();
        await using var db = await _databases.CreateDbContextAsync(cancel);
        return await Views(db, db.Applications.Where(a => applications.Contains(a.Id))).ToDictionaryAsync(a => a.Id, cancel);
    }

    public async Task<CreateApplicationOutcome> CreateAsync(OrganisationId organisation, string name, string? description, CancellationToken cancel)
    {
        var wanted = new ApplicationDetails(name, description);
        if (wanted.Errors is { Count: > 0 } errors) return new CreateApplicationOutcome.Invalid(errors);

        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel)) return new CreateApplicationOutcome.OrganisationNotFound();
        if (await Live(db, organisation).CountAsync(cancel) >= MaxApplications) return new CreateApplicationOutcome.TooManyApplications(MaxApplications);
        if (await Live(db, organisation).AnyAsync(a => a.Name == wanted.Name, cancel))
            return new CreateApplicationOutcome.Invalid(ApplicationDetails.NameTaken);

        var owner = await db.Organisations.AsNoTracking().SingleAsync(o => o.Id == organisation, cancel);
        var application = new Application
        {
            Id = AppId.New(), Organisation = organisation, Name = wanted.Name, Description = wanted.Description, Created = _time.GetUtcNow(),
        };
        db.Add(application);
        await _audit.AddAsync(db, "application.created", application.Id.ToString(), organisation);
        await db.SaveWithChangesAsync([application.ToFeedItem(owner)], cancel);
        await transaction.CommitAsync(cancel);
        return new CreateApplicationOutcome.Created(new ApplicationView(
            application.Id, organisation, owner.Name, application.Name, application.Description, application.Created, LiveKeys: 0, Deleted: false));
    }

    public async Task<UpdateApplicationOutcome> UpdateAsync(
        OrganisationId organisation, AppId application, string name, string? description, CancellationToken cancel)
    {
        var wanted = new ApplicationDetails(name, description);
        if (wanted.Errors is { Count: > 0 } errors) return new UpdateApplicationOutcome.Invalid(errors);

        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel)
            || await Live(db, organisation).SingleOrDefaultAsync(a => a.Id == application, cancel) is not { } row)
            return new UpdateApplicationOutcome.NotFound();
        if (await Live(db, organisation).AnyAsync(a => a.Name == wanted.Name && a.Id != application, cancel))
            return new UpdateApplicationOutcome.Invalid(ApplicationDetails.NameTaken);

        (row.Name, row.Description) = (wanted.Name, wanted.Description);
        var owner = await db.Organisations.AsNoTracking().SingleAsync(o => o.Id == organisation, cancel);
        await _audit.AddAsync(db, "application.updated", application.ToString(), organisation);
        await db.SaveWithChangesAsync([row.ToFeedItem(owner)], cancel);
        var view = await Views(db, db.Applications.Where(a => a.Id == application)).SingleAsync(cancel);
        await transaction.CommitAsync(cancel);
        return new UpdateApplicationOutcome.Updated(view);
    }

    /// <summary>
    /// Closes or opens the gate for one application, whoever's it is: the platform's own word. Its calls are refused on every gateway, and its clients get
    /// no tokens. False: there is no such application.
    /// </summary>
    public async Task<bool> SuspendAsync(AppId application, bool suspended, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var organisation = await db.Applications.Where(a => a.Id == application && a.DeletedAt == null).Select(a => (OrganisationId?)a.Organisation).SingleOrDefaultAsync(cancel);
        if (organisation is not { } owning || !await db.LockOrganisationAsync(owning, cancel)
            || await Live(db, owning).SingleOrDefaultAsync(a => a.Id == application, cancel) is not { } row)
            return false;
        if (row.SuspendedAt is not null == suspended) return true;
        row.SuspendedAt = suspended ? _time.GetUtcNow() : null;
        var owner = await db.Organisations.AsNoTracking().SingleAsync(o => o.Id == owning, cancel);
        await _audit.AddAsync(db, suspended ? "application.suspended" : "application.resumed", application.ToString(), owning);
        await db.SaveWithChangesAsync([row.ToFeedItem(owner)], cancel);
        await transaction.CommitAsync(cancel);
        await _clients.ForgetAllAsync(db, application, cancel);
        return true;
    }

    /// <summary>Revokes its keys and clients, and takes it from every gateway. False: there is no such application.</summary>
    public async Task<bool> DeleteAsync(OrganisationId organisation, AppId application, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel)
            || await Live(db, organisation).SingleOrDefaultAsync(a => a.Id == application, cancel) is not { } row)
            return false;

        var now = _time.GetUtcNow();
        row.DeletedAt = now;
        var keys = await db.Keys.Where(k => k.Application == application).ToListAsync(cancel);
        foreach (var key in keys)
        {
            key.RevokedAt ??= now;
            key.LeftFeed = true;
        }

        var clients = await _clients.DeleteAllAsync(db, application, cancel);
        await _audit.AddAsync(db, "application.deleted", application.ToString(), organisation);
        await db.SaveWithChangesAsync(
            [new RemovedItem("application", application.ToString()), .. keys.Select(k => new RemovedItem("key", k.Id.ToString())), .. clients], cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }

    private static IQueryable<Application> Live(IdentityDb db, OrganisationId organisation) =>
        db.Applications.Where(a => a.Organisation == organisation && a.DeletedAt == null);

    private IQueryable<ApplicationView> Views(IdentityDb db, IQueryable<Application> applications)
    {
        var now = _time.GetUtcNow();
        return applications.AsNoTracking().Select(a => new ApplicationView(
            a.Id, a.Organisation, db.Organisations.Single(o => o.Id == a.Organisation).Name, a.Name, a.Description, a.Created,
            db.Keys.Count(k => k.Application == a.Id && k.RevokedAt == null && (k.Expires == null || k.Expires > now)),
            a.DeletedAt != null, a.SuspendedAt != null));
    }
}
