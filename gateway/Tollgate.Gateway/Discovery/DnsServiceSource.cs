using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Tollgate.Gateway.Discovery;

/// <summary>
/// Asks a name server: for SRV records of the service's name, and where there are none for its addresses. A name with a port (<c>orders.local:8080</c>)
/// is asked for its addresses alone.
/// </summary>
internal sealed class DnsServiceSource(DiscoveryOptions options) : IServiceSource
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<SourceAnswer> AskAsync(ServiceName service, string? mark, CancellationToken cancel)
    {
        var colon = service.Name.LastIndexOf(':');
        var port = colon > 0 && int.TryParse(service.Name[(colon + 1)..], out var written) ? written : 0;
        var name = port > 0 ? service.Name[..colon] : service.Name;
        if ((service.Namespace ?? options.Namespace) is { } space && !name.EndsWith('.')) name = $"{name}.{space}";
        name = name.TrimEnd('.');

        if (port == 0)
        {
            var answer = await AskAsync(name, DnsMessage.Srv, cancel);
            var services = answer.Records.Where(record => record.Type == DnsMessage.Srv).ToArray();
            if (services.Length > 0) return await FollowAsync(services, answer, cancel);
        }

        var found = await AddressesAsync(name, cancel);
        return Of(found.Select(record => (new ServiceHost(record.Value, port), record.TtlSeconds)));
    }

    public void Dispose()
    {
    }

    // Hosts of the best priority that have an address; one that has none beside the answer is asked for.
    private async Task<SourceAnswer> FollowAsync(DnsMessage.Record[] services, DnsMessage answer, CancellationToken cancel)
    {
        foreach (var group in services.GroupBy(record => record.Priority).OrderBy(group => group.Key))
        {
            var hosts = new List<(ServiceHost, uint)>();
            foreach (var service in group)
            {
                var addresses = answer.Records.Where(record => record.Type is DnsMessage.A or DnsMessage.Aaaa && record.Name.Equals(service.Value, StringComparison.OrdinalIgnoreCase)).ToList();
                if (addresses.Count == 0) addresses = await AddressesAsync(service.Value, cancel);
                hosts.AddRange(addresses.Select(address => (new ServiceHost(address.Value, service.Port), Math.Min(address.TtlSeconds, service.TtlSeconds))));
            }

            if (hosts.Count > 0) return Of(hosts);
        }

        return new SourceAnswer([], null);
    }

    private async Task<List<DnsMessage.Record>> AddressesAsync(string name, CancellationToken cancel)
    {
        if (IPAddress.TryParse(name, out _)) return [new DnsMessage.Record(name, DnsMessage.A, 3600, 0, 0, name)];
        var answer = await AskAsync(name, DnsMessage.A, cancel);
        var found = answer.Records.Where(record => record.Type == DnsMessage.A).ToList();
        if (found.Count > 0) return found;
        answer = await AskAsync(name, DnsMessage.Aaaa, cancel);
        return [.. answer.Records.Where(record => record.Type == DnsMessage.Aaaa)];
    }

    private static SourceAnswer Of(IEnumerable<(ServiceHost Host, uint TtlSeconds)> found)
    {
        var all = found.ToArray();
        var hosts = all.Select(entry => entry.Host with { Host = entry.Host.Host.Contains(':') ? $"[{entry.Host.Host}]" : entry.Host.Host })
            .Distinct().OrderBy(host => host.Host, StringComparer.Ordinal).ThenBy(host => host.Port).ToArray();
        return new SourceAnswer(hosts, null, all.Length == 0 ? 1000 : Math.Clamp(all.Min(entry => entry.TtlSeconds) * 1000L, 500, 30_000));
    }

    private async Task<DnsMessage> AskAsync(string name, ushort type, CancellationToken cancel)
    {
        var id = (ushort)Random.Shared.Next(ushort.MaxValue + 1);
        var question = DnsMessage.Ask(id, name, type);
        Exception? last = null;
        foreach (var server in Servers())
        {
            try
            {
                var answer = DnsMessage.Parse(await OverUdpAsync(server, question, id, cancel), id);
                return answer.IsTruncated ? DnsMessage.Parse(await OverTcpAsync(server, question, cancel), id) : answer;
            }
            catch (Exception failed) when (failed is SocketException or FormatException or IOException or OperationCanceledException && !cancel.IsCancellationRequested)
            {
                last = failed;
            }
        }

        throw new IOException($"no name server answers: {last?.Message}");
    }

    private IEnumerable<IPEndPoint> Servers()
    {
        if (options.Host is { } host)
        {
            var port = options.Port == 0 ? 53 : options.Port;
            return (IPAddress.TryParse(host, out var address) ? [address] : Dns.GetHostAddresses(host)).Select(one => new IPEndPoint(one, port));
        }

        var written = File.Exists("/etc/resolv.conf") ? File.ReadLines("/etc/resolv.conf") : [];
        return written.Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words is ["nameserver", ..] && words.Length > 1 && IPAddress.TryParse(words[1], out _))
            .Select(words => new IPEndPoint(IPAddress.Parse(words[1]), 53)).DefaultIfEmpty(new IPEndPoint(IPAddress.Loopback, 53));
    }

    private static async Task<byte[]> OverUdpAsync(IPEndPoint server, byte[] question, ushort id, CancellationToken cancel)
    {
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        wait.CancelAfter(Patience);
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, wait.Token);    // only this server's packets arrive
        await socket.SendAsync(question, SocketFlags.None, wait.Token);
        var buffer = new byte[4096];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, SocketFlags.None, wait.Token);
            if (length >= 12 && BinaryPrimitives.ReadUInt16BigEndian(buffer) == id) return buffer[..length];
        }
    }

    private static async Task<byte[]> OverTcpAsync(IPEndPoint server, byte[] question, CancellationToken cancel)
    {
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        wait.CancelAfter(Patience);
        using var client = new TcpClient(server.AddressFamily);
        await client.ConnectAsync(server, wait.Token);
        await using var stream = client.GetStream();
        var head = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)question.Length);
        await stream.WriteAsync((byte[])[.. head, .. question], wait.Token);
        await stream.ReadExactlyAsync(head, wait.Token);
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
        await stream.ReadExactlyAsync(answer, wait.Token);
        return answer;
    }
}
