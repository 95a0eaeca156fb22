using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Storage;
using Tollgate.Storage;

namespace Tollgate.Identity.Audit;

/// <summary>What to look for in the audit log. Each null or empty = anything.</summary>
/// <param name="Action">A whole action (<c>key.issued</c>), or the beginning of several (<c>key.</c>).</param>
/// <param name="Actor">An e-mail address, or an id.</param>
/// <param name="From">Events at this moment or later.</param>
/// <param name="To">Events before this moment.</param>
public sealed record AuditFilter(
    OrganisationId? Organisation = null, string? Action = null, string? Actor = null, string? Target = null, string? Address = null, bool RefusedOnly = false,
    DateTimeOffset? From = null, DateTimeOffset? To = null);

/// <summary>An event as pages and the API show it.</summary>
/// <param name="ActorName">The actor's e-mail address, or the name of their token; null = nobody, or they are gone.</param>
public sealed record AuditView(
    Guid Id, DateTimeOffset At, AuditActor ActorType, Guid? Actor, string? ActorName, OrganisationId? Organisation, string? OrganisationName,
    string Action, string Target, string Result, string? Address, string? Agent, string? Correlation);

/// <summary>Reads the audit log, the newest first. Nothing here writes.</summary>
public sealed class AuditSearch
{
    private readonly IDbContextFactory<IdentityDb> _databases;

    internal AuditSearch(IDbContextFactory<IdentityDb> databases) => _databases = databases;

    /// <param name="page">From 1 on.</param>
    public async Task<Page<AuditView>> ListAsync(AuditFilter filter, int page, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        var events = db.AuditEvents.AsNoTracking();
        if (filter.Organisation is { } organisation) events = events.Where(e => e.Organisation == organisation);
        if (Tidy(filter.Action) is { } action)
            events = action.EndsWith('.') ? events.Where(e => e.Action.StartsWith(action)) : events.Where(e => e.Action == action);
        if (Tidy(filter.Target) is { } target) events = events.Where(e => e.Target == target);
        if (Tidy(filter.Address) is { } address) events = events.Where(e => e.Address == address);
        if (filter.RefusedOnly) events = events.Where(e => e.Action.EndsWith(".refused"));
        if (filter.From is { } from) events = events.Where(e => e.At >= from);
        if (filter.To is { } to) events = events.Where(e => e.At < to);
        if (Tidy(filter.Actor) is { } actor)
        {
            var normalized = actor.ToUpperInvariant();
            var id = Guid.TryParse(actor, out var told)
                ? told
                : await db.Accounts.Where(a => a.NormalizedEmail == normalized).Select(a => (Guid?)a.Id).SingleOrDefaultAsync(cancel) ?? Guid.Empty;
            events = events.Where(e => e.Actor == id);
        }

        return await events.OrderByDescending(e => e.At).ThenByDescending(e => e.Id).ToPageAsync(page, rows => rows.Select(e => new AuditView(
            e.Id, e.At, e.ActorType, e.Actor,
            db.Accounts.Where(a => a.Id == e.Actor).Select(a => a.Email).FirstOrDefault() ?? db.ManagementTokens.Where(t => t.Id == e.Actor).Select(t => t.Name).FirstOrDefault(),
            e.Organisation, db.Organisations.Where(o => o.Id == e.Organisation).Select(o => o.Name).FirstOrDefault(),
            e.Action, e.Target, e.Result, e.Address, e.Agent, e.Correlation)).ToListAsync(cancel), cancel, size: 50);
    }

    private static string? Tidy(string? text) => text is { Length: <= 200 } && OneLine.Of(text).Trim() is { Length: > 0 } tidy ? tidy : null;
}
