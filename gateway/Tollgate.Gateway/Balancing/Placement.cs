using System.Net;
using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Balancing;

/// <summary>Where a call goes and where it has been.</summary>
internal struct Placement
{
    public ICallHeaders? Headers;
    public IPAddress? Remote;

    /// <summary>The application that calls; empty = not known.</summary>
    public Guid Application;

    /// <summary>Its name; null = not known.</summary>
    public string? Consumer;

    public long NowUnixMs;

    /// <summary>Hosts that had it.</summary>
    public ulong Tried;

    /// <summary>The cookie that the answer sets, so that the next call finds the same host; null = none.</summary>
    public AffinityCookie? Affinity;

    // Beyond 64 hosts two may share a bit: one is then passed over that was not tried.
    public static ulong Bit(Destination host) => 1UL << (host.Index & 63);

    public static bool Holds(ulong tried, Destination host) => (tried & Bit(host)) != 0;
}
