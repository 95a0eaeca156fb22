namespace Tollgate.Contracts.Fragments;

/// <summary>What a gateway makes of a fragment.</summary>
/// <param name="Mistakes">Empty = it can go live.</param>
/// <param name="Warnings">What is written and does nothing, or not what it seems to.</param>
/// <param name="Claims">One for each route.</param>
public sealed record FragmentReading(IReadOnlyList<FragmentMistake> Mistakes, IReadOnlyList<FragmentMistake> Warnings, IReadOnlyList<PathClaim> Claims);

/// <param name="Line">1 for the first.</param>
/// <param name="Property">Such as <c>Routes[2].UpstreamPathTemplate</c>; empty for the whole.</param>
public sealed record FragmentMistake(int Line, string Property, string Sentence);

/// <summary>Reads a fragment as the gateways do. The control plane has no gateway's code: who starts it gives it this.</summary>
public delegate FragmentReading ReadFragment(string service, string content);
