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

    /// <summary>What a rate limit of the file said. Kept when the policy is asked again: a call is counted once.</summary>
    public FileLimits.RateStanding FileRate;

    /// <summary>Values for the placeholders of the route that are not, or not only, in path and query; null = the call has them all.</summary>
    public string?[]? Fillings;

    /// <summary>Values for the headers that the route fills from the token.</summary>
    public string[]? ClaimHeaders;

    /// <summary>Values for the parameters that the route fills from the token.</summary>
    public string[]? ClaimQuery;

    /// <summary>The token that was shown, on routes that ask for one.</summary>
    public TokenIdentity? Token;

    /// <summary>Who calls; null on plain routes.</summary>
    public Credential? Credential;

    public Entitlement? Entitlement;
    public LimitStanding Standing;

    /// <summary>The <c>Authorization</c> header holds a key or token: no upstream may see it.</summary>
    public bool AuthorizationIsOurs;

    /// <summary>Whether its proof is shown for the first time; null until one was found to be good. Kept, too.</summary>
    public Task<bool>? Proof;

    /// <summary>The caller has proved to hold the key of its token. Kept when the policy is asked again: a proof is taken once.</summary>
    public bool IsProven;

    /// <summary>Units were spent, and are given back if no upstream answers.</summary>
    public bool Spent;

    /// <summary>Limits of calls under way count it until they hear of its end.</summary>
    public bool UnderWay;

    /// <summary>What the call has at a placeholder of the route.</summary>
    public readonly ReadOnlySpan<char> ValueOf(int placeholder, in CallFacts call)
    {
        if (Fillings?[placeholder] is { } filling) return filling;
        return placeholder < Route!.Template.Placeholders.Length ? Captures[placeholder].In(call.Path, call.Query) : default;
    }
}
