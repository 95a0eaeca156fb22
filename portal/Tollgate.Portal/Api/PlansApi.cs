using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Billing.Catalogue;
using Tollgate.Identity.Accounts;
using Tollgate.Portal.Admin;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>The plans of a product and the versions of their terms.</summary>
internal static class PlansApi
{
    public sealed record NewPlanRequest(
        string Name, string Title, string Description = "", int Order = 0, bool RequiresApproval = false, bool IsPublic = true, bool IsPopular = false);

    /// <summary>How many subscriptions were moved.</summary>
    public sealed record MovedSubscribers(int Moved);

    public static void MapPlans(this IEndpointRouteBuilder product)
    {
        var plans = product.MapGroup("/plans");
        plans.MapGet("/{plan}/versions", HistoryAsync).WithName("ListPlanVersions");
        var changes = plans.MapGroup("").RequireAuthorization(TollgatePolicies.PlatformBilling);
        changes.MapPost("", CreateAsync).WithName("CreatePlan");
        changes.MapPut("/{plan}", ChangeAsync).WithName("ChangePlanDetails");
        changes.MapPost("/{plan}/versions", PublishVersionAsync).WithName("PublishPlanVersion");
        changes.MapPost("/{plan}/move-subscribers", MoveSubscribersAsync).WithName("MoveSubscribers")
            .WithDescription("Moves every subscriber of the plan to its newest version.");
        changes.MapPost("/{plan}/archive", (string name, string plan, CatalogueService catalogue, CatalogueDesk desk, CancellationToken cancel) => ArchiveAsync(name, plan, true, catalogue, desk, cancel)).WithName("ArchivePlan");
        changes.MapPost("/{plan}/restore", (string name, string plan, CatalogueService catalogue, CatalogueDesk desk, CancellationToken cancel) => ArchiveAsync(name, plan, false, catalogue, desk, cancel)).WithName("RestorePlan");
    }

    private static async Task<Results<Created<PlanView>, ProblemHttpResult>> CreateAsync(
        string name, Body<NewPlanRequest> body, CatalogueDesk desk, CancellationToken cancel)
    {
        var wish = body.Value;
        var outcome = await desk.CreatePlanAsync(name, wish.Name,
            new PlanForm(wish.Title, wish.Description, wish.Order, wish.RequiresApproval, wish.IsPublic, wish.IsPopular), cancel);
        return outcome is CatalogueOutcome.PlanSaved(var plan) ? TypedResults.Created($"/api/v1/admin/products/{name}/plans/{plan.Name}", plan) : AdminApi.Refuse(outcome);
    }

    private static async Task<Results<Ok<PlanView>, ProblemHttpResult>> ChangeAsync(
        string name, string plan, Body<PlanForm> body, CatalogueService catalogue, CatalogueDesk desk, CancellationToken cancel) =>
        await FindAsync(name, plan, catalogue, cancel) is { } found
            ? await desk.SavePlanAsync(name, found, body.Value, cancel) is var outcome && outcome is CatalogueOutcome.PlanSaved(var saved) ? TypedResults.Ok(saved) : AdminApi.Refuse(outcome)
            : Problems.NotFound();

    private static async Task<Results<Ok<IReadOnlyList<PlanHistoryRow>>, ProblemHttpResult>> HistoryAsync(
        string name, string plan, CatalogueService catalogue, CancellationToken cancel) =>
        await FindAsync(name, plan, catalogue, cancel) is { } found ? TypedResults.Ok(await catalogue.HistoryAsync(found.Id, cancel)) : Problems.NotFound();

    private static async Task<Results<Created<PlanVersionView>, Ok<PlanVersionView>, ProblemHttpResult>> PublishVersionAsync(
        string name, string plan, Body<PlanTerms> body, CatalogueService catalogue, CatalogueDesk desk, CancellationToken cancel)
    {
        if (await FindAsync(name, plan, catalogue, cancel) is not { } found) return Problems.NotFound();
        return await desk.PublishAsync(name, found, body.Value, cancel) switch
        {
            CatalogueOutcome.VersionPublished(var version, IsNew: true) => TypedResults.Created($"/api/v1/admin/products/{name}/plans/{plan}/versions", version),
            CatalogueOutcome.VersionPublished(var version, _) => TypedResults.Ok(version),
            var outcome => AdminApi.Refuse(outcome),
        };
    }

    private static async Task<Results<Ok<MovedSubscribers>, ProblemHttpResult>> MoveSubscribersAsync(
        string name, string plan, CatalogueService catalogue, CatalogueDesk desk, CancellationToken cancel) =>
        await FindAsync(name, plan, catalogue, cancel) is { } found
            ? TypedResults.Ok(new MovedSubscribers(await desk.MoveSubscribersAsync(name, found, cancel)))
            : Problems.NotFound();

    private static async Task<Results<Ok<PlanView>, ProblemHttpResult>> ArchiveAsync(
        string name, string plan, bool archived, CatalogueService catalogue, CatalogueDesk desk, CancellationToken cancel)
    {
        if (await FindAsync(name, plan, catalogue, cancel) is not { } found) return Problems.NotFound();
        var outcome = archived ? await desk.ArchivePlanAsync(name, found, cancel) : await desk.RestorePlanAsync(name, found, cancel);
        return outcome is CatalogueOutcome.PlanSaved(var saved) ? TypedResults.Ok(saved) : AdminApi.Refuse(outcome);
    }

    private static async Task<PlanView?> FindAsync(string product, string plan, CatalogueService catalogue, CancellationToken cancel) =>
        (await catalogue.GetAsync(product, cancel))?.Product.Plans.FirstOrDefault(p => p.Name == plan);
}
