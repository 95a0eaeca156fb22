using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Fragments;
using Tollgate.Gateway.Ocelot;

namespace Tollgate.Gateway.Fragments;

/// <summary>
/// Puts the services' fragments beside the gateway's own files. One that cannot be used, or claims what somebody else owns, is left out alone, and the one
/// of the same service that was in force stays if it still can; the files win over every fragment.
/// </summary>
internal sealed class FragmentBook
{
    private readonly Dictionary<string, FragmentItem> _inForce = new(StringComparer.Ordinal);
    private IReadOnlyList<FragmentItem> _published = [];

    /// <summary>How each stands, after the last <see cref="Join"/>.</summary>
    public IReadOnlyList<FragmentFacts> Facts { get; private set; } = [];

    public bool IsEmpty => _published.Count == 0;

    public void Take(IReadOnlyList<FragmentItem> published) => _published = published;

    /// <param name="leftOut">Services whose fragments turned out to be of no use although they can be read.</param>
    public OcelotConfiguration Join(OcelotConfiguration files, IReadOnlyCollection<string>? leftOut = null)
    {
        if (_published.Count == 0)
        {
            _inForce.Clear();
            Facts = [];
            return files;
        }

        var routes = new List<OcelotRoute>(files.Routes);
        var owned = ClaimsOf(files).ToList();
        var facts = new List<FragmentFacts>();
        var before = _inForce.ToDictionary();
        _inForce.Clear();
        foreach (var fragment in _published)
        {
            var errors = leftOut?.Contains(fragment.Service) == true ? ["it cannot be put in force beside the others."] : TryAdd(fragment, files, routes, owned);
            var used = errors.Count == 0 ? fragment : null;
            if (used is null && before.TryGetValue(fragment.Service, out var last) && last.Version != fragment.Version && TryAdd(last, files, routes, owned).Count == 0) used = last;
            if (used is not null) _inForce[fragment.Service] = used;
            facts.Add(new FragmentFacts(fragment.Service, fragment.Version, used?.Version, errors));
        }

        Facts = facts;
        return files with { Routes = routes, RoutesArePublished = files.Routes.Count == 0 };
    }

    /// <summary>What the files claim for themselves: routes, aggregates, and the services that they name.</summary>
    public static IEnumerable<(string Owner, PathClaim Claim)> ClaimsOf(OcelotConfiguration files)
    {
        foreach (var route in files.Routes.Concat(files.Aggregates.Select(aggregate => aggregate.Face))) yield return (route.Json.File, FragmentReader.ClaimOf(route));
        if (!files.IsDynamic) yield break;
        foreach (var service in files.DynamicRoutes.Where(service => service.ServiceName is not null))
            yield return (service.Json.File, PathClaim.Of(null, $"/{OcelotDiscovery.ServiceOf(service)}/{{rest}}", service.Json.Line));
    }

    private static List<string> TryAdd(FragmentItem fragment, OcelotConfiguration files, List<OcelotRoute> routes, List<(string Owner, PathClaim Claim)> owned)
    {
        var errors = new List<ConfigurationError>();
        var read = FragmentReader.Read(fragment.Service, fragment.Content, files, errors, []);
        var claims = read.Select(FragmentReader.ClaimOf).ToArray();
        foreach (var claim in claims)
            foreach (var (owner, other) in owned)
                if (claim.Overlaps(other))
                    errors.Add(new ConfigurationError(fragment.Service, claim.Line, "", $"the service {fragment.Service} claims {claim}, which {owner}:{other.Line} owns with {other}."));

        if (errors.Count > 0) return [.. errors.Select(error => error.ToString())];
        routes.AddRange(read);
        owned.AddRange(claims.Select(claim => (fragment.Service, claim)));
        return [];
    }
}

/// <summary>For <c>/health</c>.</summary>
/// <param name="InForce">The version that serves; null = none.</param>
/// <param name="Errors">Why the published one does not.</param>
internal sealed record FragmentFacts(string Service, long Version, long? InForce, IReadOnlyList<string> Errors);
