using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Gateway.Balancing;

/// <summary>One host of an upstream: where it is, how much it takes, how busy and how well it is.</summary>
internal sealed class Destination
{
    private int _running;
    private int _failures;

    /// <param name="port">0 = the scheme's own.</param>
    /// <param name="scheme">http or https; null = the call's own.</param>
    /// <param name="priority">Hosts of a higher number have calls only while none of a lower one is well.</param>
    public Destination(string host, int port, string? scheme, int weight = 1, int priority = 0)
    {
        Host = host;
        Port = port;
        Scheme = scheme;
        Weight = weight;
        Priority = priority;
        Authority = port == 0 ? host : $"{host}:{port}";
        OverHttp = $"{scheme ?? "http"}://{Authority}";
        OverHttps = $"{scheme ?? "https"}://{Authority}";
        Id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"tollgate-host|{Authority.ToLowerInvariant()}")), 0, 8);
    }

    public string Host { get; }
    public int Port { get; }
    public string? Scheme { get; }
    public int Weight { get; }
    public int Priority { get; }
    public string Authority { get; }

    /// <summary>What a cookie calls it: the same on every gateway, and no address.</summary>
    public string Id { get; }

    /// <summary>Scheme and authority for calls that came over http, without a closing slash.</summary>
    public string OverHttp { get; }

    /// <summary>The same for calls that came over https.</summary>
    public string OverHttps { get; }

    /// <summary>Place in its upstream.</summary>
    public int Index { get; set; }

    /// <summary>Calls under way.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Takes no new calls, by order of an operator.</summary>
    public bool IsDraining { get; set; }

    /// <summary>Found ill by being asked.</summary>
    public bool IsDown { get; set; }

    /// <summary>Left alone until this moment, in milliseconds since 1970; 0 = it is not.</summary>
    public long EjectedUntilMs { get; set; }

    /// <summary>It took no connection, and is left alone until it takes one.</summary>
    public bool IsUnreachable { get; set; }

    /// <summary>How often it was left alone lately.</summary>
    public int Ejections { get; set; }

    /// <summary>When it came back, for the slow start; 0 = it was never away.</summary>
    public long BackSinceMs { get; set; }

    public bool IsEjected(long nowUnixMs) => IsUnreachable || EjectedUntilMs > nowUnixMs;

    public bool IsWell(long nowUnixMs) => !IsDraining && !IsDown && !IsEjected(nowUnixMs);

    /// <summary>A call is under way; ended by <see cref="End"/>.</summary>
    public void Begin() => Interlocked.Increment(ref _running);

    public void End() => Interlocked.Decrement(ref _running);

    /// <summary>Counts a failure; how many there were in a row.</summary>
    public int Fail() => Interlocked.Increment(ref _failures);

    public void Succeed()
    {
        if (Volatile.Read(ref _failures) != 0) Volatile.Write(ref _failures, 0);
    }
}
