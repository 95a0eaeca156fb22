using Microsoft.EntityFrameworkCore;

namespace Tollgate.Billing.Catalogue;

/// <summary>From tables to what pages show.</summary>
internal static class CatalogueReads
{
    /// <summary>Plans with their newest version, in the order of the comparison.</summary>
    public static async Task<List<PlanRow>> PlanRowsAsync(this IQueryable<Plan> plans, CancellationToken cancel) =>
        await plans.AsNoTracking().OrderBy(p => p.Position).ThenBy(p => p.Name)
            .Select(p => new PlanRow(p, p.Versions.OrderByDescending(v => v.Number).FirstOrDefault())).ToListAsync(cancel);

    public static PlanView View(this PlanRow row) => new(row.Plan.Id, row.Plan.Name, row.Plan.Title, row.Plan.Description, row.Plan.Position,
        row.Plan.RequiresApproval, row.Plan.IsPublic, row.Plan.IsPopular, row.Plan.IsArchived, row.Current?.View());

    public static PlanVersionView View(this PlanVersion version) => new(version.Id, version.Number, version.PublishedAt, version.Terms);

    public static ProductView View(this Product product, IEnumerable<PlanRow> plans) => new(product.Id, product.Name, product.Title,
        product.Description, product.BasePath, product.IsPublished,
        [.. plans.Where(r => r.Plan.ProductId == product.Id).Select(r => r.View())], product.Scopes);
}

/// <summary>A plan with its newest version.</summary>
internal sealed record PlanRow(Plan Plan, PlanVersion? Current);
