using System.Net;
using System.Net.Sockets;

namespace Tollgate.Gateway.Balancing;

/// <summary>
/// Looks after hosts in the background: asks those of upstreams that want it whether they are well, and knocks at those that took no connection until they
/// do, so that no caller has to find out.
/// </summary>
internal sealed partial class HealthWatch : IDisposable
{
    private static readonly TimeSpan KnockWithin = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly GatewayMetrics? _metrics;
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        // Whether a host lives is asked here, not who it is: what calls are sent there is judged by the route's own rules.
        SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true },
    });

    private readonly Dictionary<(string Origin, ActiveHealth Rule), Probe> _probes = [];

    public HealthWatch(TimeProvider time, ILogger<HealthWatch> logger, GatewayMetrics? metrics)
    {
        (_time, _logger, _metrics) = (time, logger, metrics);
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>These upstreams are in force, and no others.</summary>
    public void Use(IReadOnlyCollection<Upstream> upstreams)
    {
        var wanted = new Dictionary<(string, ActiveHealth), List<(Upstream, Destination)>>();
        foreach (var upstream in upstreams)
        {
            upstream.Lost ??= Lose;
            if (upstream.Options.Active is not { } rule) continue;
            foreach (var host in upstream.Destinations)
            {
                var key = (host.OverHttp, rule);
                if (!wanted.TryGetValue(key, out var hosts)) wanted.Add(key, hosts = []);
                hosts.Add((upstream, host));
            }
        }

        lock (_probes)
        {
            foreach (var (key, probe) in _probes.Where(probe => !wanted.ContainsKey(probe.Key)).ToArray())
            {
                probe.Stop.Cancel();
                _probes.Remove(key);
            }

            foreach (var (key, hosts) in wanted)
            {
                if (_probes.TryGetValue(key, out var known))
                {
                    known.Use(hosts, Now);
                    continue;
                }

                var probe = new Probe(CancellationTokenSource.CreateLinkedTokenSource(_stop.Token));
                probe.Use(hosts, Now);
                _probes.Add(key, probe);
                _ = Task.Run(() => AskAsync(key.Item1, key.Item2, probe));
            }
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _client.Dispose();
    }

    private void Lose(Upstream upstream, Destination host)
    {
        _metrics?.Ejected(host.IsUnreachable ? "no-connection" : "failures");
        Log.LeftAlone(_logger, host.Authority, host.IsUnreachable ? "it takes no connection" : "it failed too often");
        if (host.IsUnreachable) _ = Task.Run(() => KnockAsync(upstream, host));
    }

    private async Task KnockAsync(Upstream upstream, Destination host)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, upstream.Retired);
        try
        {
            while (host.IsUnreachable)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(upstream.PauseMs(host)), _time, stop.Token);
                if (!Array.Exists(upstream.Destinations, one => ReferenceEquals(one, host))) return;
                if (await TakesConnectionAsync(host, stop.Token))
                {
                    upstream.Readmit(host, Now);
                    Log.Back(_logger, host.Authority);
                    return;
                }

                host.Ejections++;
            }
        }
        catch (OperationCanceledException)
        {
            // stopped, or the upstream is gone
        }
    }

    private static async Task<bool> TakesConnectionAsync(Destination host, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(KnockWithin);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            var port = host.Port != 0 ? host.Port : host.Scheme == "https" ? 443 : 80;
            await socket.ConnectAsync(new DnsEndPoint(host.Host.Trim('[', ']'), port), limit.Token);
            return true;
        }
        catch (Exception refused) when (refused is SocketException || refused is OperationCanceledException && !stop.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task AskAsync(string origin, ActiveHealth rule, Probe probe)
    {
        var stop = probe.Stop.Token;
        var (good, bad) = (0, 0);
        try
        {
            while (true)
            {
                if (await IsWellAsync(origin, rule, stop)) (good, bad) = (good + 1, 0);
                else (good, bad) = (0, bad + 1);
                if (bad >= rule.Unhealthy && probe.Mark(down: true, Now)) Log.LeftAlone(_logger, origin, "it does not say that it is well");
                else if (good >= rule.Healthy && probe.Mark(down: false, Now)) Log.Back(_logger, origin);
                await Task.Delay(TimeSpan.FromMilliseconds(rule.IntervalMs * (0.9 + Random.Shared.NextDouble() * 0.2)), _time, stop);
            }
        }
        catch (OperationCanceledException)
        {
            probe.Stop.Dispose();
        }
    }

    private async Task<bool> IsWellAsync(string origin, ActiveHealth rule, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(TimeSpan.FromMilliseconds(rule.TimeoutMs));
        try
        {
            using var question = new HttpRequestMessage(HttpMethod.Get, origin + rule.Path);
            question.Headers.TryAddWithoutValidation("User-Agent", "tollgate-health");
            using var answer = await _client.SendAsync(question, limit.Token);
            var status = (int)answer.StatusCode;
            return rule.Statuses.IsEmpty ? status is >= 200 and < 300 : rule.Statuses.Contains(status);
        }
        catch (Exception away) when (away is HttpRequestException or IOException || away is OperationCanceledException && !stop.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>One host that is asked, for all upstreams that have it and ask the same.</summary>
    private sealed class Probe(CancellationTokenSource stop)
    {
        private List<(Upstream Upstream, Destination Host)> _hosts = [];
        private bool _down;

        public CancellationTokenSource Stop { get; } = stop;

        public void Use(List<(Upstream, Destination)> hosts, long nowUnixMs)
        {
            lock (this)
            {
                _hosts = hosts;
                foreach (var (upstream, host) in _hosts)
                    if (host.IsDown != _down)
                        upstream.Mark(host, _down, nowUnixMs);
            }
        }

        /// <summary>False = nothing changed.</summary>
        public bool Mark(bool down, long nowUnixMs)
        {
            lock (this)
            {
                if (_down == down) return false;
                _down = down;
                foreach (var (upstream, host) in _hosts) upstream.Mark(host, down, nowUnixMs);
                return true;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1301, LogLevel.Warning, "{Host} is left alone: {Reason}")]
        public static partial void LeftAlone(ILogger logger, string host, string reason);

        [LoggerMessage(1302, LogLevel.Information, "{Host} has calls again")]
        public static partial void Back(ILogger logger, string host);
    }
}
