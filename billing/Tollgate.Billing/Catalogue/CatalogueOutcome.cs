namespace Tollgate.Billing.Catalogue;

/// <summary>What became of a change of the catalogue.</summary>
public abstract record CatalogueOutcome
{
    private CatalogueOutcome()
    {
    }

    public sealed record ProductSaved(ProductView Product) : CatalogueOutcome;
    public sealed record PlanSaved(PlanView Plan) : CatalogueOutcome;

    /// <param name="IsNew">False: the terms are those of the current version already, and nothing was published.</param>
    public sealed record VersionPublished(PlanVersionView Version, bool IsNew) : CatalogueOutcome;

    public sealed record Deleted : CatalogueOutcome;
    public sealed record NotFound : CatalogueOutcome;
    public sealed record NameTaken(string Name) : CatalogueOutcome;

    /// <summary>Subscriptions, also past ones, refer to it: it can be unpublished or archived, not deleted.</summary>
    public sealed record InUse : CatalogueOutcome;

    /// <param name="Errors">One sentence a field, by the field's name in camel case.</param>
    public sealed record Invalid(IReadOnlyDictionary<string, string> Errors) : CatalogueOutcome;
}
