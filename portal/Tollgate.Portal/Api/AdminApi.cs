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
using Tollgate.Identity.Applications;
using Tollgate.Identity.Organisations;
using Tollgate.Portal.Admin;
using Tollgate.Portal.Wording;
using Tollgate.ServiceDefaults;
using Tollgate.Storage;

namespace Tollgate.Portal.Api;

/// <summary>The products and the organisations, for the platform's staff.</summary>
internal static class AdminApi
{
    private const long MostProductBytes = 3 * 1024 * 1024;

    public static void MapAdmin(this IEndpointRouteBuilder api)
    {
        api.MapGet("/products", async (CatalogueService catalogue, CancellationToken cancel) => TypedResults.Ok(await catalogue.ListAllAsync(cancel)))
            .WithName("ListAllProducts").WithTags("Admin");
        var products = api.MapGroup("/products/{name}").WithTags("Admin");
        products.MapGet("", GetProductAsync).WithName("GetProduct");
        products.MapPut("", PutProductAsync).WithName("PutProduct").RequireAuthorization(TollgatePolicies.PlatformBilling).WithMetadata(new RequestSizeLimitAttribute(MostProductBytes));
        products.MapDelete("", DeleteProductAsync).WithName("DeleteProduct").RequireAuthorization(TollgatePolicies.PlatformBilling);
        products.MapPlans();
        products.MapGet("/subscribers", SubscribersAsync).WithName("ListSubscribers");
        api.MapSubscribers();

        api.MapClientAdministration();
        api.MapGet("/organisations", OrganisationsAsync).WithName("ListAllOrganisations").WithTags("Admin").WithDescription("Query: q (part of a name), page.");
        var organisations = api.MapGroup("/organisations/{id:guid}").WithTags("Admin");
        organisations.MapGet("", GetOrganisationAsync).WithName("GetAnyOrganisation");
        organisations.MapGet("/applications", ApplicationsAsync).WithName("ListApplicationsOfOrganisation");
        organisations.MapPost("/suspend", (Guid id, OrganisationService service, CancellationToken cancel) => SuspendAsync(id, true, service, cancel)).WithName("SuspendOrganisation").RequireAuthorization(TollgatePolicies.PlatformAdmin);
        organisations.MapPost("/resume", (Guid id, OrganisationService service, CancellationToken cancel) => SuspendAsync(id, false, service, cancel)).WithName("ResumeOrganisation").RequireAuthorization(TollgatePolicies.PlatformAdmin);

        var applications = api.MapGroup("/applications/{id:guid}").WithTags("Admin").RequireAuthorization(TollgatePolicies.PlatformAdmin);
        applications.MapPost("/suspend", (Guid id, ApplicationService service, CancellationToken cancel) => SuspendApplicationAsync(id, true, service, cancel)).WithName("SuspendApplication");
        applications.MapPost("/resume", (Guid id, ApplicationService service, CancellationToken cancel) => SuspendApplicationAsync(id, false, service, cancel)).WithName("ResumeApplication");
    }

    private static async Task<Results<Ok<ProductDetails>, ProblemHttpResult>> GetProductAsync(string name, CatalogueService catalogue, CancellationToken cancel) =>
        await catalogue.GetAsync(name, cancel) is { } found ? TypedResults.Ok(found) : Problems.NotFound();

    /// <summary>Makes the product, or changes it: the same call twice leaves the same product.</summary>
    private static async Task<Results<Ok<ProductView>, Created<ProductView>, ProblemHttpResult>> PutProductAsync(
        string name, Body<ProductForm> body, CatalogueDesk desk, CancellationToken cancel)
    {
        if (ApiReference.Read(body.Value.OpenApi).Error is { } unreadable)
            return Problems.Validation(new Dictionary<string, string> { ["openApi"] = unreadable });

        var outcome = await desk.SaveProductAsync(name, body.Value, cancel);
        if (outcome is not CatalogueOutcome.NotFound)
            return outcome is CatalogueOutcome.ProductSaved(var saved) ? TypedResults.Ok(saved) : Refuse(outcome);
        return await desk.CreateProductAsync(name, body.Value, cancel) is var made && made is CatalogueOutcome.ProductSaved(var product)
            ? TypedResults.Created($"/api/v1/admin/products/{name}", product)
            : Refuse(made);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteProductAsync(string name, CatalogueDesk desk, CancellationToken cancel) =>
        await desk.DeleteProductAsync(name, cancel) is var outcome && outcome is CatalogueOutcome.Deleted ? TypedResults.NoContent() : Refuse(outcome);

    private static async Task<Results<Ok<Page<SubscriptionView>>, ProblemHttpResult>> SubscribersAsync(
        string name, int? page, bool? all, CatalogueService catalogue, SubscriptionService subscriptions, CancellationToken cancel)
    {
        if (await catalogue.GetAsync(name, cancel) is null) return Problems.NotFound();
        return page is < 1
            ? Problems.BadRequest("parameter", "page is a number from 1.")
            : TypedResults.Ok(await subscriptions.ListForProductAsync(name, page ?? 1, cancel, withCancelled: all is true));
    }

    private static async Task<Results<Ok<Page<OrganisationView>>, ProblemHttpResult>> OrganisationsAsync(string? q, int? page, OrganisationService service, CancellationToken cancel) =>
        page is < 1 ? Problems.BadRequest("parameter", "page is a number from 1.") : TypedResults.Ok(await service.ListAsync(q, page ?? 1, cancel));

    private static async Task<Results<Ok<OrganisationView>, ProblemHttpResult>> GetOrganisationAsync(Guid id, OrganisationService service, CancellationToken cancel) =>
        await service.GetAsync(new OrganisationId(id), cancel) is { } found ? TypedResults.Ok(found) : Problems.NotFound();

    private static async Task<Results<Ok<IReadOnlyList<ApplicationView>>, ProblemHttpResult>> ApplicationsAsync(
        Guid id, OrganisationService service, ApplicationService applications, CancellationToken cancel) =>
        await service.GetAsync(new OrganisationId(id), cancel) is null ? Problems.NotFound() : TypedResults.Ok(await applications.ListAsync(new OrganisationId(id), cancel));

    private static async Task<Results<NoContent, ProblemHttpResult>> SuspendAsync(Guid id, bool suspended, OrganisationService service, CancellationToken cancel) =>
        await service.SuspendAsync(new OrganisationId(id), suspended, cancel) ? TypedResults.NoContent() : Problems.NotFound();

    private static async Task<Results<NoContent, ProblemHttpResult>> SuspendApplicationAsync(Guid id, bool suspended, ApplicationService service, CancellationToken cancel) =>
        await service.SuspendAsync(new AppId(id), suspended, cancel) ? TypedResults.NoContent() : Problems.NotFound();

    public static ProblemHttpResult Refuse(CatalogueOutcome outcome) => outcome switch
    {
        CatalogueOutcome.Invalid(var errors) => Problems.Validation(errors),
        CatalogueOutcome.NameTaken(var name) => Problems.Conflict("name-taken", $"The name {name} is taken. Choose another."),
        CatalogueOutcome.InUse => Problems.Conflict("in-use", "Subscriptions refer to it."),
        CatalogueOutcome.NotFound => Problems.NotFound(),
        _ => throw new UnreachableException(outcome.ToString()),
    };
}
