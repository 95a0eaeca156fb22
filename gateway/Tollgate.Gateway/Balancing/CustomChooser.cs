using Tollgate.Contracts.Plugins;
using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Balancing;

/// <summary>A plug-in's way to choose. The same name means the same, also after a reload.</summary>
internal sealed class CustomChooser(string name, IHostChooser chooser) : IEquatable<CustomChooser>
{
    private readonly string _name = name;

    /// <summary>One of the hosts; null = the plug-in failed, and says nothing.</summary>
    public Destination? Choose(Destination[] hosts, ICallHeaders? headers)
    {
        if (hosts.Length == 0) return null;
        try
        {
            var place = chooser.Choose([.. hosts.Select(host => host.Authority)], header => headers?.Header(header));
            return place >= 0 && place < hosts.Length ? hosts[place] : hosts[0];
        }
        catch (Exception)
        {
            return null;    // the call goes on to the next in turn
        }
    }

    public bool Equals(CustomChooser? other) => other is not null && other._name == _name;

    public override bool Equals(object? other) => Equals(other as CustomChooser);

    public override int GetHashCode() => _name.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => _name;
}
