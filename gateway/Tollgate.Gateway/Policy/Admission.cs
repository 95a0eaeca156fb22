using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Policy;

/// <summary>What the policy found out about a call on its way to a verdict.</summary>
internal struct Admission
{
    /// <summary>Null until a route is found.</summary>
    public Route? Route;

    public Captures Captures;

    /// <summary>Who calls; null on plain routes.</summary>
    public Credential? Credential;

    public Entitlement? Entitlement;
    public LimitStanding Standing;

    /// <summary>The <c>Authorization</c> header holds one of our keys, which no upstream may see.</summary>
    public bool AuthorizationIsOurs;

    /// <summary>Units were spent, and are given back if no upstream answers.</summary>
    public bool Spent;
}
