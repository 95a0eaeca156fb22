namespace Tollgate.Billing.Catalogue;

/// <summary>What an admin may say about a product. Its name is given once, when it is made.</summary>
/// <param name="BasePath">Where its calls go on the gateway, for examples: <c>/weather/v1</c>.</param>
/// <param name="OpenApi">The OpenAPI document, JSON or YAML; empty while there is none.</param>
/// <param name="Scopes">What OAuth clients of subscribed applications may ask for; null = as it is.</param>
public sealed record ProductForm(string Title, string Description, string BasePath, string OpenApi, bool IsPublished, IReadOnlyList<string>? Scopes = null);

/// <summary>What an admin may say about a plan. Its name is given once, when it is made; its terms are published as versions.</summary>
/// <param name="Order">Place in the comparison, from the left.</param>
/// <param name="RequiresApproval">Somebody says yes before a subscription runs.</param>
/// <param name="IsPublic">Shown to everybody; otherwise an admin assigns it.</param>
/// <param name="IsPopular">Carries the badge in the comparison.</param>
public sealed record PlanForm(
    string Title, string Description, int Order, bool RequiresApproval = false, bool IsPublic = true, bool IsPopular = false);
