using Tollgate.Billing.Catalogue;

namespace Tollgate.Portal.Developer;

/// <summary>Looks up the path of a product's first call.</summary>
internal sealed class FirstCallPaths(CatalogueService catalogue)
{
    /// <param name="product">A product's name; null = the first on offer.</param>
    public async Task<string?> OfAsync(string? product, CancellationToken cancel)
    {
        product ??= (await catalogue.ListPublishedAsync(cancel)).FirstOrDefault()?.Name;
        if (product is null || await catalogue.GetAsync(product, cancel) is not { } details) return null;
        return FirstCall.PathOf(details.Product, details.OpenApi);
    }
}
