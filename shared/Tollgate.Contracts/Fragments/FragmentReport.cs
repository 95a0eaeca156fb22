namespace Tollgate.Contracts.Fragments;

/// <summary>
/// How what the services published stands on one gateway. Sent to <see cref="InternalPaths.FragmentReports"/> when that changes, and now and then; the newest of a gateway holds.
/// </summary>
public sealed record FragmentReport(string Gateway, IReadOnlyList<FragmentStanding> Fragments);

/// <param name="Version">The newest that the gateway knows of.</param>
/// <param name="InForce">The one that serves; null = none.</param>
/// <param name="Reasons">Why the newest does not; empty when it does.</param>
public sealed record FragmentStanding(string Service, long Version, long? InForce, IReadOnlyList<string> Reasons);
