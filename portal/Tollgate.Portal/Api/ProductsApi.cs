using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Billing.Catalogue;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>What is on offer.</summary>
internal static class ProductsApi
{
    public static void MapProducts(this IEndpointRouteBuilder api) =>
        api.MapGet("/products", async (CatalogueService catalogue, CancellationToken cancel) =>
            TypedResults.Ok(await catalogue.ListPublishedAsync(cancel))).WithName("ListProducts").WithTags("Products");

    /// <summary><c>/apis/{product}/openapi</c>: the document of a published product, as its publisher gave it.</summary>
    public static void MapProductDocuments(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/apis/{product}/openapi", DocumentAsync).AllowAnonymous().ExcludeFromDescription();

    private static async Task<Results<ContentHttpResult, ProblemHttpResult>> DocumentAsync(string product, CatalogueService catalogue, CancellationToken cancel)
    {
        if (await catalogue.GetPublishedAsync(product, cancel) is not { OpenApi: { Length: > 0 } document }) return Problems.NotFound();
        var isJson = document.AsSpan().TrimStart().StartsWith("{");
        return TypedResults.Text(document, isJson ? "application/json" : "application/yaml");
    }
}
