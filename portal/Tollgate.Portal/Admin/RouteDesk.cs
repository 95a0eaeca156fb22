using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Audit;
using Tollgate.Publishing.Fragments;
using Tollgate.Publishing.Orders;

namespace Tollgate.Portal.Admin;

/// <summary>Changes what every gateway does at somebody's word, and has it noted who that was: pages and API alike.</summary>
public sealed class RouteDesk(FragmentService fragments, GatewayOrders orders, AuditDiary diary)
{
    public async Task<PublishOutcome> PublishAsync(string service, string content, string by, long? expected, bool dryRun, CancellationToken cancel)
    {
        var outcome = await fragments.PublishAsync(service, content, by, expected, dryRun, cancel);
        if (!dryRun) await NoteAsync("routes.published", "routes.publish.refused", service, outcome, cancel);
        return outcome;
    }

    public async Task<PublishOutcome> RollBackAsync(string service, long version, string by, CancellationToken cancel)
    {
        var outcome = await fragments.RollBackAsync(service, version, by, cancel);
        await NoteAsync("routes.rolled-back", "routes.roll-back.refused", service, outcome, cancel);
        return outcome;
    }

    public async Task<bool> RemoveAsync(string service, string by, CancellationToken cancel)
    {
        if (!await fragments.RemoveAsync(service, by, cancel)) return false;
        await diary.NoteAsync("routes.removed", service, "ok", cancel);
        return true;
    }

    public async Task PurgeAsync(PurgeScope scope, string name, CancellationToken cancel)
    {
        await orders.PurgeAsync(scope, name, cancel);
        await diary.NoteAsync("cache.purged", scope == PurgeScope.Everything ? "everything" : $"{scope.ToString().ToLowerInvariant()} {name}", "ok", cancel);
    }

    public async Task DrainAsync(string host, CancellationToken cancel)
    {
        await orders.DrainAsync(host, cancel);
        await diary.NoteAsync("destination.drained", host, "ok", cancel);
    }

    public async Task<bool> ResumeAsync(string host, CancellationToken cancel)
    {
        if (!await orders.ResumeAsync(host, cancel)) return false;
        await diary.NoteAsync("destination.resumed", host, "ok", cancel);
        return true;
    }

    private Task NoteAsync(string done, string refused, string service, PublishOutcome outcome, CancellationToken cancel) => outcome switch
    {
        PublishOutcome.Published { Changed: true } published => diary.NoteAsync(done, $"{service} v{published.Fragment.Version}", "ok", cancel),
        PublishOutcome.Conflicts => diary.NoteAsync(refused, service, "route-conflict", cancel),
        PublishOutcome.Mistaken => diary.NoteAsync(refused, service, "fragment-mistaken", cancel),
        _ => Task.CompletedTask,    // nothing was changed, and nobody's paths were claimed
    };
}
