using System.Runtime.InteropServices;

namespace Tollgate.Gateway.Balancing;

/// <summary>
/// Hosts on a ring: what hashes alike goes to the same host, and when a host comes or goes only its share moves. A host that has more than its bound of the
/// calls under way passes them on to the next (consistent hashing with bounded loads).
/// </summary>
internal sealed class HashRing
{
    private const int PointsPerWeight = 100;
    private const int MostPoints = 100_000;

    // A caller that sends its calls one after the other has the next one here before the last is wholly over.
    private const int LeastBound = 2;

    private static readonly HashRule ByCaller = new(HashSource.Key, "", 0);

    private readonly uint[] _points;
    private readonly Destination[] _hosts;

    public HashRing(Destination[] hosts)
    {
        var perWeight = Math.Max(1, Math.Min(PointsPerWeight, MostPoints / Math.Max(1, hosts.Sum(host => host.Weight))));
        var points = hosts
            .SelectMany(host => Enumerable.Range(0, perWeight * host.Weight).Select(i => (Point: Hash(MemoryMarshal.AsBytes($"{host.Authority}#{i}".AsSpan())), Host: host)))
            .OrderBy(point => point.Point).ToArray();
        _points = [.. points.Select(point => point.Point)];
        _hosts = [.. points.Select(point => point.Host)];
    }

    /// <summary>Null = the call has nothing to hash by, or every host was tried.</summary>
    public Destination? Find(HashRule rule, in Placement call, Destination[] usable)
    {
        if (_points.Length == 0 || usable.Length == 0 || !TryHash(rule, in call, out var hash)) return null;

        var at = Array.BinarySearch(_points, hash);
        if (at < 0) at = ~at;
        var (running, weight) = (0, 0);
        if (rule.Bound > 0)
            foreach (var host in usable)
            {
                running += host.Running;
                weight += host.Weight;
            }

        Destination? overloaded = null;
        Destination? last = null;
        for (var i = 0; i < _hosts.Length; i++)
        {
            var host = _hosts[(at + i) % _hosts.Length];
            if (ReferenceEquals(host, last)) continue;
            last = host;
            if (Placement.Holds(call.Tried, host) || Array.IndexOf(usable, host) < 0) continue;
            if (rule.Bound <= 0 || host.Running + 1 <= Math.Max(LeastBound, Math.Ceiling(rule.Bound * (running + 1) * host.Weight / weight))) return host;
            overloaded ??= host;
        }

        return overloaded;
    }

    /// <summary>Of the caller: its application, else its address. Null = neither is known.</summary>
    public static uint? HashOf(in Placement call) => TryHash(ByCaller, in call, out var hash) ? hash : null;

    private static bool TryHash(HashRule rule, in Placement call, out uint hash)
    {
        hash = 0;
        switch (rule.Source)
        {
            case HashSource.Header:
                if (call.Headers?.Header(rule.Name) is not { Length: > 0 } header) return false;
                hash = Hash(MemoryMarshal.AsBytes(header.AsSpan()));
                return true;
            case HashSource.Cookie:
                var cookie = CookieValue.Of(call.Headers?.Header("Cookie"), rule.Name);
                if (cookie.IsEmpty) return false;
                hash = Hash(MemoryMarshal.AsBytes(cookie.Span));
                return true;
            case HashSource.Key when call.Application != Guid.Empty:
                Span<byte> id = stackalloc byte[16];
                call.Application.TryWriteBytes(id);
                hash = Hash(id);
                return true;
            default:
                if (call.Remote is null) return false;
                Span<byte> address = stackalloc byte[16];
                call.Remote.TryWriteBytes(address, out var length);
                hash = Hash(address[..length]);
                return true;
        }
    }

    // FNV-1a, then stirred: the same in every process, which the framework's own hash is not.
    private static uint Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = 2166136261u;
        foreach (var b in bytes) hash = (hash ^ b) * 16777619u;
        hash ^= hash >> 16;
        hash *= 0x85ebca6b;
        hash ^= hash >> 13;
        hash *= 0xc2b2ae35;
        return hash ^ (hash >> 16);
    }
}
