using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Organisations;
using Tollgate.Portal.Wording;
using Tollgate.ServiceDefaults;
using Tollgate.Storage;

namespace Tollgate.Portal.Api;

/// <summary>The catalogue, its subscribers and the organisations, for platform admins.</summary>
internal static class AdminApi
{
    private const long MostProductBytes = 3 * 1024 * 1024;

    public sealed record NewPlanRequest(
        string Name, string Title, string Description = "", int Order = 0, bool RequiresApproval = false, bool IsPublic = true, bool IsPopular = false);

    public static void MapAdmin(this IEndpointRouteBuilder api)
    {
        var products = api.MapGroup("/products/{name}").WithTags("Admin");
        products.MapGet("", GetProductAsync).WithName("GetProduct");
        products.MapPut("", PutProductAsync).WithName("PutProduct").RequireAuthorization(TollgatePolicies.PlatformBilling).WithMetadata(new RequestSizeLimitAttribute(MostProductBytes));
        products.MapPost("/plans", CreatePlanAsync).WithName("CreatePlan").RequireAuthorization(TollgatePolicies.PlatformBilling);
        products.MapPost("/plans/{plan}/versions", PublishVersionAsync).WithName("PublishPlanVersion").RequireAuthorization(TollgatePolicies.PlatformBilling);
        products.MapGet("/subscribers", SubscribersAsync).WithName("ListSubscribers");

        api.MapClientAdministration();
        var organisations = api.MapGroup("/organisations/{id:guid}").WithTags("Admin");
        organisations.MapPost("/suspend", (Guid id, OrganisationService service, CancellationToken cancel) => SuspendAsync(id, true, service, cancel)).WithName("SuspendOrganisation").RequireAuthorization(TollgatePolicies.PlatformAdmin);
        organisations.MapPost("/resume", (Guid id, OrganisationService service, CancellationToken cancel) => SuspendAsync(id, false, service, cancel)).WithName("ResumeOrganisation").RequireAuthorization(TollgatePolicies.PlatformAdmin);
    }

    private static async Task<Results<Ok<ProductDetails>, ProblemHttpResult>> GetProductAsync(string name, CatalogueService catalogue, CancellationToken cancel) =>
        await catalogue.GetAsync(name, cancel) is { } found ? TypedResults.Ok(found) : Problems.NotFound();

    /// <summary>Makes the product, or changes it: the same call twice leaves the same product.</summary>
    private static async Task<Results<Ok<ProductView>, Created<ProductView>, ProblemHttpResult>> PutProductAsync(
        string name, Body<ProductForm> body, CatalogueService catalogue, CancellationToken cancel)
    {
        if (ApiReference.Read(body.Value.OpenApi).Error is { } unreadable)
            return Problems.Validation(new Dictionary<string, string> { ["openApi"] = unreadable });

        var outcome = await catalogue.SaveProductAsync(name, body.Value, cancel);
        if (outcome is not CatalogueOutcome.NotFound)
            return outcome is CatalogueOutcome.ProductSaved(var saved) ? TypedResults.Ok(saved) : Refuse(outcome);
        return await catalogue.CreateProductAsync(name, body.Value, cancel) is var made && made is CatalogueOutcome.ProductSaved(var product)
            ? TypedResults.Created($"/api/v1/admin/products/{name}", product)
            : Refuse(made);
    }

    private static async Task<Results<Created<PlanView>, ProblemHttpResult>> CreatePlanAsync(
        string name, Body<NewPlanRequest> body, CatalogueService catalogue, CancellationToken cancel)
    {
        var wish = body.Value;
        var outcome = await catalogue.CreatePlanAsync(name, wish.Name,
            new PlanForm(wish.Title, wish.Description, wish.Order, wish.RequiresApproval, wish.IsPublic, wish.IsPopular), cancel);
        return outcome is CatalogueOutcome.PlanSaved(var plan) ? TypedResults.Created($"/api/v1/admin/products/{name}/plans/{plan.Name}", plan) : Refuse(outcome);
    }

    private static async Task<Results<Created<PlanVersionView>, Ok<PlanVersionView>, ProblemHttpResult>> PublishVersionAsync(
        string name, string plan, Body<PlanTerms> body, CatalogueService catalogue, CancellationToken cancel)
    {
        var product = await catalogue.GetAsync(name, cancel);
        if (product?.Product.Plans.FirstOrDefault(p => p.Name == plan) is not { } found) return Problems.NotFound();
        return await catalogue.PublishPlanVersionAsync(found.Id, body.Value, cancel) switch
        {
            CatalogueOutcome.VersionPublished(var version, IsNew: true) => TypedResults.Created($"/api/v1/admin/products/{name}/plans/{plan}/versions/{version.Number}", version),
            CatalogueOutcome.VersionPublished(var version, _) => TypedResults.Ok(version),
            var outcome => Refuse(outcome),
        };
    }

    private static async Task<Results<Ok<Page<SubscriptionView>>, ProblemHttpResult>> SubscribersAsync(
        string name, HttpRequest request, CatalogueService catalogue, SubscriptionService subscriptions, CancellationToken cancel)
    {
        if (await catalogue.GetAsync(name, cancel) is null) return Problems.NotFound();
        var asked = request.Query["page"].ToString();
        if (asked.Length > 0 && (!int.TryParse(asked, out var given) || given < 1))
            return Problems.BadRequest("parameter", "page is a number from 1.");
        return TypedResults.Ok(await subscriptions.ListForProductAsync(name, int.TryParse(asked, out var number) ? number : 1, cancel));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> SuspendAsync(Guid id, bool suspended, OrganisationService service, CancellationToken cancel) =>
        await service.SuspendAsync(new OrganisationId(id), suspended, cancel) ? TypedResults.NoContent() : Problems.NotFound();

    private static ProblemHttpResult Refuse(CatalogueOutcome outcome) => outcome switch
    {
        CatalogueOutcome.Invalid(var errors) => Problems.Validation(errors),
        CatalogueOutcome.NameTaken(var name) => Problems.Conflict("name-taken", $"The name {name} is taken. Choose another."),
        CatalogueOutcome.InUse => Problems.Conflict("in-use", "Subscriptions refer to it."),
        CatalogueOutcome.NotFound => Problems.NotFound(),
        _ => throw new UnreachableException(outcome.ToString()),
    };
}
