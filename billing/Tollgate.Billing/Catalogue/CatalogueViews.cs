using Tollgate.Contracts;

namespace Tollgate.Billing.Catalogue;

/// <summary>A product with its plans, in the order of the comparison.</summary>
/// <param name="Scopes">What OAuth clients of subscribed applications may ask for.</param>
public sealed record ProductView(
    ProductId Id, string Name, string Title, string Description, string BasePath, bool IsPublished, IReadOnlyList<PlanView> Plans, IReadOnlyList<string> Scopes);

/// <summary>A product with its OpenAPI document.</summary>
public sealed record ProductDetails(ProductView Product, string OpenApi);

/// <summary>A plan and the version that new subscribers get.</summary>
/// <param name="Current">The latest version; null until one is published, and until then nobody can subscribe.</param>
public sealed record PlanView(
    PlanId Id, string Name, string Title, string Description, int Order,
    bool RequiresApproval, bool IsPublic, bool IsPopular, bool IsArchived, PlanVersionView? Current);

/// <summary>One published version of a plan.</summary>
/// <param name="Number">1, 2, 3 … within the plan.</param>
public sealed record PlanVersionView(PlanVersionId Id, int Number, DateTimeOffset PublishedAt, PlanTerms Terms);

/// <summary>A version in a plan's history.</summary>
/// <param name="Subscribers">Subscriptions on it that are not cancelled.</param>
public sealed record PlanHistoryRow(PlanVersionView Version, int Subscribers);
