namespace Tollgate.Gateway.Discovery;

/// <summary>Who is asked where services run.</summary>
internal enum DiscoveryKind : byte
{
    Consul,
    Dns,
    Kubernetes,
    Eureka,

    /// <summary>Nobody: Service Fabric's own proxy takes every call.</summary>
    ServiceFabric,
}

/// <summary><c>ServiceDiscoveryProvider</c>, as it is in force.</summary>
/// <param name="Host">Null = the system's own (DNS).</param>
/// <param name="PollMs">Null = as soon as something changes, where the provider can tell.</param>
internal sealed record DiscoveryOptions(DiscoveryKind Kind, string Scheme, string? Host, int Port, string? Token, long? PollMs, string? Namespace);

/// <summary>A service by its name, as the provider knows it.</summary>
/// <param name="Namespace">Null = the provider's own.</param>
internal readonly record struct ServiceName(string Name, string? Namespace)
{
    public override string ToString() => Namespace is null ? Name : $"{Namespace}.{Name}";
}

/// <summary>One host of a service.</summary>
/// <param name="Port">0 = the scheme's own.</param>
internal readonly record struct ServiceHost(string Host, int Port);
