using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Tollgate.Gateway.Discovery;

/// <summary>Asks a registry over its HTTP interface: Consul, Kubernetes or Eureka.</summary>
internal sealed class HttpServiceSource : IServiceSource
{
    private const string ServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/";
    private const int LongestAnswer = 16 * 1024 * 1024;

    private readonly DiscoveryOptions _options;
    private readonly HttpClient _http;

    public HttpServiceSource(DiscoveryOptions options)
    {
        _options = options;
        var sockets = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2), UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (options.Kind == DiscoveryKind.Kubernetes && File.Exists(ServiceAccount + "ca.crt")) sockets.SslOptions = TrustCluster();
        _http = new HttpClient(sockets)
        {
            BaseAddress = new Uri($"{options.Scheme}://{options.Host}:{options.Port}"),
            Timeout = TimeSpan.FromSeconds(60),
            MaxResponseContentBufferSize = LongestAnswer,
        };
    }

    public async Task<SourceAnswer> AskAsync(ServiceName service, string? mark, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, AddressOf(service, mark));
        Authorize(request);
        using var answer = await _http.SendAsync(request, cancel);
        if (answer.StatusCode == System.Net.HttpStatusCode.NotFound) return new SourceAnswer([], null);
        answer.EnsureSuccessStatusCode();
        using var document = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancel));
        var hosts = HostsIn(document.RootElement).Where(host => Uri.CheckHostName(host.Host) != UriHostNameType.Unknown && host.Port is > 0 and < 65536)
            .Distinct().OrderBy(host => host.Host, StringComparer.Ordinal).ThenBy(host => host.Port).ToArray();
        return new SourceAnswer(hosts, answer.Headers.TryGetValues("X-Consul-Index", out var index) ? index.First() : null);
    }

    public void Dispose() => _http.Dispose();

    private string AddressOf(ServiceName service, string? mark)
    {
        var name = Uri.EscapeDataString(service.Name);
        var space = service.Namespace ?? _options.Namespace;
        switch (_options.Kind)
        {
            case DiscoveryKind.Kubernetes: return $"/api/v1/namespaces/{Uri.EscapeDataString(space ?? "default")}/endpoints/{name}";
            case DiscoveryKind.Eureka: return $"/eureka/apps/{name}";
            default:
                var waits = mark is null ? "" : $"&index={Uri.EscapeDataString(mark)}&wait=30s";
                return $"/v1/health/service/{name}?passing=true{waits}{(space is null ? "" : $"&ns={Uri.EscapeDataString(space)}")}";
        }
    }

    private void Authorize(HttpRequestMessage request)
    {
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        var token = _options.Token;
        if (_options.Kind == DiscoveryKind.Kubernetes)
        {
            if (token is null && File.Exists(ServiceAccount + "token")) token = File.ReadAllText(ServiceAccount + "token").Trim();
            if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        }
        else if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Consul-Token", token);
        }
    }

    private IEnumerable<ServiceHost> HostsIn(JsonElement root) => _options.Kind switch
    {
        DiscoveryKind.Kubernetes => InKubernetes(root),
        DiscoveryKind.Eureka => InEureka(root),
        _ => InConsul(root),
    };

    private static IEnumerable<ServiceHost> InConsul(JsonElement root)
    {
        foreach (var entry in Items(root))
        {
            var service = Member(entry, "Service");
            var address = Text(Member(service, "Address"));
            yield return new ServiceHost(address.Length > 0 ? address : Text(Member(Member(entry, "Node"), "Address")), Number(Member(service, "Port")));
        }
    }

    private IEnumerable<ServiceHost> InKubernetes(JsonElement root)
    {
        foreach (var subset in Items(Member(root, "subsets")))
        {
            var ports = Items(Member(subset, "ports")).ToArray();
            if (ports.Length == 0) continue;
            var named = ports.Where(port => Text(Member(port, "name")) is "http" or "https").Append(ports[0]).First();
            foreach (var address in Items(Member(subset, "addresses"))) yield return new ServiceHost(Text(Member(address, "ip")), Number(Member(named, "port")));
        }
    }

    private static IEnumerable<ServiceHost> InEureka(JsonElement root)
    {
        var instances = Member(Member(root, "application"), "instance");
        foreach (var instance in instances.ValueKind == JsonValueKind.Object ? [instances] : Items(instances))
        {
            if (!Text(Member(instance, "status")).Equals("UP", StringComparison.OrdinalIgnoreCase)) continue;
            var address = Text(Member(instance, "ipAddr"));
            yield return new ServiceHost(address.Length > 0 ? address : Text(Member(instance, "hostName")), Number(Member(Member(instance, "port"), "$")));
        }
    }

    private static IEnumerable<JsonElement> Items(JsonElement list) => list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    private static JsonElement Member(JsonElement parent, string name) => parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) ? member : default;

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static int Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt32(out var number) => number,
        JsonValueKind.String when int.TryParse(value.GetString(), out var number) => number,
        _ => 0,
    };

    // The cluster signs its own certificate.
    private static SslClientAuthenticationOptions TrustCluster()
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(ServiceAccount + "ca.crt");
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
    }
}
