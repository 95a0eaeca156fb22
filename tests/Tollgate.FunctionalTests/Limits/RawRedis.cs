using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.ServiceDefaults.Redis;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>Redis servers with options of their own, and what is said to them.</summary>
internal sealed class RawRedis : IAsyncDisposable
{
    private readonly List<ChildProcess> _servers = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
    }

    public static (string Authority, string Certificate, string Key) Certificates(TempFolder folder)
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootRequest = new CertificateRequest("CN=Test authority", rootKey, HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var root = rootRequest.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=redis.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("redis.test");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(root, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(29), [1, 2, 3, 4]);
        return (folder.Write("ca.pem", root.ExportCertificatePem()), folder.Write("server.pem", certificate.ExportCertificatePem()), folder.Write("server.key", key.ExportPkcs8PrivateKeyPem()));
    }

    public Task<(int Port, ChildProcess Process)> StartAsync(params string[] more) => StartOnAsync(FreePort.Next(), more);

    public async Task<(int Port, ChildProcess Process)> StartOnAsync(int port, params string[] more)
    {
        var process = ChildProcess.Start(Programs.Find("redis-server", "redis-server"),
            ["--port", port.ToString(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath(), .. more]);
        _servers.Add(process);
        await Deadline.UntilAsync("Redis answers", async () => (await SayAsync(port, "PING")).Length > 0);
        return (port, process);
    }

    /// <summary>One that speaks TLS alone.</summary>
    public async Task<int> StartTlsAsync(string authority, string certificate, string key, params string[] more)
    {
        var port = FreePort.Next();
        _servers.Add(ChildProcess.Start(Programs.Find("redis-server", "redis-server"),
            ["--port", "0", "--tls-port", port.ToString(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath(),
                "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", authority, .. more]));
        await Deadline.UntilAsync("Redis listens", async () =>
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync("127.0.0.1", port);
            return true;
        });
        return port;
    }

    public static async Task<string> SayAsync(int port, string command)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", port);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(command + "\r\nQUIT\r\n"));
        return await new StreamReader(socket.GetStream()).ReadToEndAsync();
    }

    public static RedisLedger Ledger(string connection) =>
        new(RedisConnection.Start(connection, NullLogger<RedisConnection>.Instance), NullLogger<RedisLedger>.Instance);

    public static string Key() => $"tg:{{{Guid.NewGuid()}}}:w:raw:3600000";

    public static ValueTask<LedgerAnswer> AskAsync(RedisLedger ledger, string key) => ledger.AskWindowAsync(key, 10, 3_600_000, new LedgerAsk(1, 1, 1, 0, 0, 0));

    internal sealed class NothingUsed : IQuotaBase
    {
        public QuotaUse Here(UsageOwner owner, long fromUnixMs, long toUnixMs) => default;

        public ValueTask<QuotaUse?> EverywhereAsync(UsageOwner owner, long fromUnixMs, long toUnixMs) => new(default(QuotaUse));
    }
}
