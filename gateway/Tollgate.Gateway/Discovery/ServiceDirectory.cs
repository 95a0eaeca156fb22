using System.Collections.Concurrent;

namespace Tollgate.Gateway.Discovery;

/// <summary>Where the services run that a configuration names, and those that callers asked for. Outlives a reload that leaves its provider as it was.</summary>
internal sealed class ServiceDirectory(Action changed, TimeProvider time, ILoggerFactory loggers) : IAsyncDisposable
{
    private const int MostAsked = 1000;
    private const int MostAskedAtOnce = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan UnknownFor = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = loggers.CreateLogger<ServiceDirectory>();
    private readonly Lock _lock = new();
    private readonly Dictionary<ServiceName, ServiceWatch> _watches = [];
    private readonly HashSet<ServiceName> _asked = [];
    private readonly ConcurrentDictionary<ServiceName, (Task Answer, long Until)> _questions = new();
    private DiscoveryOptions? _options;
    private IServiceSource? _source;
    private int _asking;

    /// <summary>Services that callers asked for and that are there.</summary>
    public IReadOnlyList<ServiceName> Asked
    {
        get
        {
            lock (_lock) return [.. _asked];
        }
    }

    /// <summary>Watches these services, and waits a little for what is not known of them yet.</summary>
    public void Use(DiscoveryOptions? options, IReadOnlyCollection<ServiceName> services)
    {
        Task[] unknown;
        lock (_lock)
        {
            if (options != _options)
            {
                foreach (var watch in _watches.Values) _ = watch.DisposeAsync().AsTask();
                _watches.Clear();
                _asked.Clear();
                _questions.Clear();
                _source?.Dispose();
                _options = options;
                _source = options?.Kind switch
                {
                    null or DiscoveryKind.ServiceFabric => null,
                    DiscoveryKind.Dns => new DnsServiceSource(options),
                    _ => new HttpServiceSource(options),
                };
            }

            if (_source is null) return;
            foreach (var (service, watch) in _watches.ToArray())
            {
                if (services.Contains(service) || _asked.Contains(service)) continue;
                _watches.Remove(service);
                _ = watch.DisposeAsync().AsTask();
            }

            foreach (var service in services) Watch(service, null);
            unknown = [.. services.Select(service => _watches[service].Known).Where(known => !known.IsCompleted)];
        }

        Task.WhenAll(unknown).Wait(Patience);
    }

    public IReadOnlyList<ServiceHost> HostsOf(ServiceName service)
    {
        lock (_lock) return _watches.TryGetValue(service, out var watch) ? watch.Hosts : [];
    }

    /// <summary>Finds out whether there is such a service; completes when it is known. Null = the question was answered a moment ago, or there are too many.</summary>
    public Task? Ask(ServiceName service)
    {
        var now = time.GetTimestamp();
        if (_questions.TryGetValue(service, out var known) && (!known.Answer.IsCompleted || now < known.Until)) return known.Answer.IsCompleted ? null : known.Answer;
        lock (_lock)
        {
            if (_source is null || _asked.Count >= MostAsked || _asking >= MostAskedAtOnce) return null;
            if (_questions.TryGetValue(service, out known) && !known.Answer.IsCompleted) return known.Answer;
            if (_questions.Count > 4 * MostAsked) _questions.Clear();
            _asking++;
            var question = Task.Run(() => AskAsync(service, _source));
            _questions[service] = (question, now + (long)(UnknownFor.TotalSeconds * time.TimestampFrequency));
            return question;
        }
    }

    public async ValueTask DisposeAsync()
    {
        ServiceWatch[] watches;
        lock (_lock)
        {
            watches = [.. _watches.Values];
            _watches.Clear();
        }

        foreach (var watch in watches) await watch.DisposeAsync();
        _source?.Dispose();
    }

    private async Task AskAsync(ServiceName service, IServiceSource source)
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            var answer = await source.AskAsync(service, null, patience.Token);
            if (answer.Hosts.Count == 0) return;
            lock (_lock)
            {
                if (!ReferenceEquals(source, _source)) return;
                _asked.Add(service);
                Watch(service, answer.Hosts);
            }

            changed();
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or OperationCanceledException or System.Text.Json.JsonException or FormatException or ObjectDisposedException)
        {
            // Nobody can be asked: the service is unknown for a moment, and asked for again after it.
        }
        finally
        {
            lock (_lock) _asking--;
        }
    }

    private void Watch(ServiceName service, IReadOnlyList<ServiceHost>? known)
    {
        if (!_watches.ContainsKey(service)) _watches.Add(service, new ServiceWatch(service, _source!, _options!.PollMs, known, changed, _logger));
    }
}
