namespace Tollgate.Gateway.Balancing;

/// <summary>The hosts in force, for those who look after them: their state, and which have no more calls by order of an operator.</summary>
internal sealed class UpstreamDirectory(HealthWatch? watch, TimeProvider time, DrainOrders drained)
{
    private readonly Lock _changing = new();
    private IReadOnlyCollection<(string Route, Upstream Upstream)> _upstreams = [];

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>These are in force, and no others. What was ordered to drain goes on draining.</summary>
    public void Use(IReadOnlyCollection<(string Route, Upstream Upstream)> upstreams)
    {
        lock (_changing)
        {
            var stay = upstreams.Select(one => one.Upstream).ToHashSet();
            foreach (var gone in _upstreams.Select(one => one.Upstream).Distinct())
                if (!stay.Contains(gone))
                    gone.Retire();
            _upstreams = upstreams;
            Obey(stay);
            watch?.Use(stay);
        }
    }

    /// <summary>The hosts of an upstream were replaced.</summary>
    public void Changed() => Use(_upstreams);

    /// <summary>These hosts drain by order to all gateways, beside those that drain by order to this one.</summary>
    public void DrainByOrder(IReadOnlySet<string> hosts)
    {
        lock (_changing)
        {
            drained.UseOfAll(hosts);
            Obey(_upstreams.Select(one => one.Upstream).Distinct());
        }
    }

    /// <summary>A host has no more new calls; those under way end. False = no route has it.</summary>
    public bool Drain(string authority) => Order(authority, draining: true);

    /// <summary>A host has calls again. False = no route has it.</summary>
    public bool Resume(string authority) => Order(authority, draining: false);

    public IReadOnlyList<HostFacts> Facts()
    {
        var now = Now;
        return [.. _upstreams.DistinctBy(one => one.Upstream)
            .SelectMany(one => one.Upstream.Destinations.Select(host => (one.Upstream, Host: host)))
            .GroupBy(one => one.Host.Authority, StringComparer.OrdinalIgnoreCase)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new HostFacts(
                group.Key,
                StateOf(group.Select(one => one.Host), now),
                group.Sum(one => one.Host.Running),
                [.. _upstreams.Where(one => one.Upstream.Destinations.Any(host => host.Authority.Equals(group.Key, StringComparison.OrdinalIgnoreCase))).Select(one => one.Route).Distinct()]))];
    }

    private bool Order(string authority, bool draining)
    {
        lock (_changing)
        {
            var upstreams = _upstreams.Select(one => one.Upstream).Distinct().ToArray();
            var found = upstreams.Any(upstream => upstream.Destinations.Any(host => host.Authority.Equals(authority, StringComparison.OrdinalIgnoreCase)));
            if (draining && found) drained.Add(authority);
            else if (!draining) found |= drained.Remove(authority);
            Obey(upstreams);
            return found;
        }
    }

    private void Obey(IEnumerable<Upstream> upstreams)
    {
        foreach (var upstream in upstreams)
            foreach (var host in upstream.Destinations)
                if (drained.Holds(host.Authority) != host.IsDraining)
                    upstream.Drain(host, !host.IsDraining, Now);
    }

    private static string StateOf(IEnumerable<Destination> hosts, long nowUnixMs)
    {
        var state = "healthy";
        foreach (var host in hosts)
            if (host.IsDraining) return "draining";
            else if (host.IsDown) state = "unhealthy";
            else if (host.IsEjected(nowUnixMs) && state == "healthy") state = "ejected";
        return state;
    }
}

/// <summary>One host, for <c>GET /destinations</c>.</summary>
/// <param name="State"><c>healthy</c>, <c>ejected</c>, <c>unhealthy</c> or <c>draining</c>.</param>
/// <param name="Running">Calls under way there.</param>
internal sealed record HostFacts(string Host, string State, int Running, IReadOnlyList<string> Routes);
