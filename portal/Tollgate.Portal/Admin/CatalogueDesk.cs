using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Subscriptions;
using Tollgate.Identity.Audit;

namespace Tollgate.Portal.Admin;

/// <summary>Changes what is on sale at somebody's word, and has it noted who that was: pages and API alike.</summary>
public sealed class CatalogueDesk(CatalogueService catalogue, SubscriptionService subscriptions, AuditDiary diary)
{
    public Task<CatalogueOutcome> CreateProductAsync(string name, ProductForm form, CancellationToken cancel) =>
        NoteAsync("product.created", name, catalogue.CreateProductAsync(name, form, cancel), cancel);

    public Task<CatalogueOutcome> SaveProductAsync(string name, ProductForm form, CancellationToken cancel) =>
        NoteAsync("product.changed", name, catalogue.SaveProductAsync(name, form, cancel), cancel);

    public Task<CatalogueOutcome> DeleteProductAsync(string name, CancellationToken cancel) =>
        NoteAsync("product.deleted", name, catalogue.DeleteProductAsync(name, cancel), cancel);

    public Task<CatalogueOutcome> CreatePlanAsync(string product, string name, PlanForm form, CancellationToken cancel) =>
        NoteAsync("plan.created", $"{product}/{name}", catalogue.CreatePlanAsync(product, name, form, cancel), cancel);

    public Task<CatalogueOutcome> SavePlanAsync(string product, PlanView plan, PlanForm form, CancellationToken cancel) =>
        NoteAsync("plan.changed", $"{product}/{plan.Name}", catalogue.SavePlanAsync(plan.Id, form, cancel), cancel);

    public Task<CatalogueOutcome> ArchivePlanAsync(string product, PlanView plan, CancellationToken cancel) =>
        NoteAsync("plan.archived", $"{product}/{plan.Name}", catalogue.ArchivePlanAsync(plan.Id, cancel), cancel);

    public Task<CatalogueOutcome> RestorePlanAsync(string product, PlanView plan, CancellationToken cancel) =>
        NoteAsync("plan.restored", $"{product}/{plan.Name}", catalogue.RestorePlanAsync(plan.Id, cancel), cancel);

    public Task<CatalogueOutcome> PublishAsync(string product, PlanView plan, PlanTerms terms, CancellationToken cancel) =>
        NoteAsync("plan.version-published", $"{product}/{plan.Name}", catalogue.PublishPlanVersionAsync(plan.Id, terms, cancel), cancel);

    /// <summary>Moves all subscribers of a plan to its newest version; answers how many were moved.</summary>
    public async Task<int> MoveSubscribersAsync(string product, PlanView plan, CancellationToken cancel)
    {
        var moved = await subscriptions.MoveAllToLatestAsync(plan.Id, cancel);
        if (moved > 0) await diary.NoteAsync("plan.subscribers-moved", $"{product}/{plan.Name}: {moved}", "ok", cancel);
        return moved;
    }

    private async Task<CatalogueOutcome> NoteAsync(string action, string target, Task<CatalogueOutcome> change, CancellationToken cancel)
    {
        var outcome = await change;
        if (outcome is CatalogueOutcome.VersionPublished { IsNew: true } published) await diary.NoteAsync(action, $"{target} v{published.Version.Number}", "ok", cancel);
        else if (outcome is CatalogueOutcome.ProductSaved or CatalogueOutcome.PlanSaved or CatalogueOutcome.Deleted) await diary.NoteAsync(action, target, "ok", cancel);
        return outcome;
    }
}
