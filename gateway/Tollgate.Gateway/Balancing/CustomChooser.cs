using Tollgate.Contracts.Plugins;
using Tollgate.Gateway.Plugins;
using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Balancing;

/// <summary>A plug-in's way to choose. The same name means the same, also after a reload, until other plug-ins are taken in. One that takes too long is not asked for a while.</summary>
internal sealed class CustomChooser(string name, int generation, IHostChooser chooser, PluginBudget? budget) : IEquatable<CustomChooser>
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(10);

    private readonly string _name = $"{name}@{generation}";
    private long _restingSince;

    /// <summary>One of the hosts; null = the plug-in failed, and says nothing.</summary>
    public Destination? Choose(Destination[] hosts, ICallHeaders? headers)
    {
        if (hosts.Length == 0 || IsResting) return null;
        try
        {
            var began = budget?.Time.GetTimestamp() ?? 0;
            var place = chooser.Choose([.. hosts.Select(host => host.Authority)], header => headers?.Header(header));
            if (budget is not null && budget.Time.GetElapsedTime(began) > budget.Limit)
            {
                Interlocked.Exchange(ref _restingSince, budget.Time.GetTimestamp());
                budget.Report(name);
            }

            return place >= 0 && place < hosts.Length ? hosts[place] : hosts[0];
        }
        catch (Exception)
        {
            return null;    // the call goes on to the next in turn
        }
    }

    private bool IsResting => budget is not null && Interlocked.Read(ref _restingSince) is > 0 and var since && budget.Time.GetElapsedTime(since) < Rest;

    public bool Equals(CustomChooser? other) => other is not null && other._name == _name;

    public override bool Equals(object? other) => Equals(other as CustomChooser);

    public override int GetHashCode() => _name.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => _name;
}
