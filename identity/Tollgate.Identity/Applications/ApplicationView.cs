using Tollgate.Contracts;

namespace Tollgate.Identity.Applications;

/// <summary>An application as pages show it.</summary>
/// <param name="LiveKeys">Keys that are neither revoked nor expired.</param>
/// <param name="Suspended">It alone is: its calls are refused as <c>application-suspended</c>, and its clients get no tokens.</param>
/// <param name="Deleted">Only <see cref="ApplicationService.FindAsync"/> still shows deleted ones.</param>
public sealed record ApplicationView(
    AppId Id, OrganisationId Organisation, string OrganisationName, string Name, string? Description, DateTimeOffset Created, int LiveKeys, bool Deleted,
    bool Suspended = false);
