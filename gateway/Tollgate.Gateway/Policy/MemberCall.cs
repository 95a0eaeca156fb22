using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Policy;

/// <summary>A call that belongs to another one, for which the route was chosen already.</summary>
/// <param name="Fillings">By placeholder of the route; null = path and query of the call have them all.</param>
internal sealed record MemberCall(Route Route, Captures Captures, string?[]? Fillings);
