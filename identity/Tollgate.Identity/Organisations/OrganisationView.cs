using Tollgate.Contracts;

namespace Tollgate.Identity.Organisations;

/// <summary>An organisation as pages show it.</summary>
public sealed record OrganisationView(OrganisationId Id, string Name, DateTimeOffset Created, bool Suspended, int Members, int Applications);
