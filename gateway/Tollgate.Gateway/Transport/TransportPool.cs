using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Tollgate.Gateway.Engines.Full;
using Tollgate.Gateway.Plugins;

namespace Tollgate.Gateway.Transport;

/// <summary>
/// The clients of all rules in use. One that a new configuration still needs is kept with its connections and cookies; one that it does not is closed
/// once the calls that may still use it have ended. Used by one thread at a time.
/// </summary>
internal sealed class TransportPool : IDisposable
{
    private static readonly TimeSpan Farewell = TimeSpan.FromMinutes(5);

    private readonly CancellationTokenSource _disposed = new();
    private Dictionary<TransportRule, HttpMessageInvoker> _clients = [];
    private Dictionary<TransportRule, HttpMessageInvoker> _next = [];

    /// <summary>Where handlers come from that rules name.</summary>
    public required PluginSet Plugins { get; set; }

    /// <summary>The client for a rule, for the configuration that is being compiled.</summary>
    public HttpMessageInvoker Of(TransportRule rule)
    {
        if (_next.TryGetValue(rule, out var client)) return client;
        client = _clients.GetValueOrDefault(rule) ?? Make(rule);
        _next.Add(rule, client);
        return client;
    }

    /// <summary>The configuration that was compiled is in force.</summary>
    public void Settle()
    {
        foreach (var (rule, client) in _clients)
            if (!_next.ContainsKey(rule))
                _ = CloseLaterAsync(client);
        _clients = _next;
        _next = [];
    }

    /// <summary>The configuration that was compiled is not used.</summary>
    public void Forget()
    {
        foreach (var (rule, client) in _next)
            if (!_clients.ContainsKey(rule))
                client.Dispose();
        _next = [];
    }

    public void Dispose()
    {
        _disposed.Cancel();
        foreach (var client in _clients.Values) client.Dispose();
        _clients = [];
    }

    private HttpMessageInvoker Make(TransportRule rule)
    {
        var secrets = rule.Tls?.Load() ?? new SslClientAuthenticationOptions();
        if (rule.TrustAnyCertificate) secrets.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        else if (rule is { UseProxy: true, ServerName: { } name })    // beyond a proxy the handler asks for another name, and this one is compared here
            secrets.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None && certificate is X509Certificate2 shown && shown.MatchesHostname(name);
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = rule.FollowRedirects,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = rule.KeepCookies,
            UseProxy = rule.UseProxy,
            ActivityHeadersPropagator = null,
            EnableMultipleHttp2Connections = true,
            ConnectCallback = rule.UseProxy ? UpstreamConnect.ConnectAsync : UpstreamConnect.By(secrets, rule.ServerName),
            SslOptions = secrets,
            PlaintextStreamFilter = FirstAnswerStream.Over,
            PooledConnectionLifetime = TimeSpan.FromSeconds(rule.LifetimeSeconds),
        };
        if (rule.MaxConnections > 0) sockets.MaxConnectionsPerServer = rule.MaxConnections;

        HttpMessageHandler chain = new FlushedBodies(sockets);
        foreach (var name in rule.Handlers.Split('\n', StringSplitOptions.RemoveEmptyEntries).Reverse())
            chain = Plugins.Before(name, chain);

        return new HttpMessageInvoker(chain);
    }

    private async Task CloseLaterAsync(HttpMessageInvoker client)
    {
        try
        {
            await Task.Delay(Farewell, _disposed.Token);
        }
        catch (OperationCanceledException)
        {
            // The gateway ends, and nothing is under way any more.
        }

        client.Dispose();
    }
}
