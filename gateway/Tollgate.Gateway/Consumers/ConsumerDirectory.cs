using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Bodies;
using Tollgate.Gateway.Explain;
using Tollgate.Gateway.Feeds;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.ServiceDefaults.Redis;

namespace Tollgate.Gateway.Consumers;

/// <summary>
/// Everybody who may call, what they may call and how much: the tables that the policy asks, and whatever keeps them up to date.
/// That is a consumers file, or the control plane's feeds, or nothing; and a ledger in memory or in Redis.
/// </summary>
internal sealed partial class ConsumerDirectory : IAsyncDisposable
{
    private static readonly TimeSpan TidyEvery = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan FirstStateWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FreshStateWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LedgerWithin = TimeSpan.FromSeconds(2);

    private readonly ConsumersSource? _file;
    private readonly Task _controlPlaneUp;
    private readonly HttpClient? _http;
    private readonly Questions? _questions;
    private readonly FeedClient[] _feeds = [];
    private readonly ILedger _ledger;
    private readonly CounterResets? _resets;
    private readonly RedisLedger? _redis;
    private readonly Journal? _journal;
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private Task _housekeeping = Task.CompletedTask;
    private volatile bool _fileInForce;
    private volatile bool _isSettled;

    private ConsumerDirectory(GatewayOptions options, Journal? journal, ILoggerFactory loggers, TimeProvider time, ProductDocuments? documents)
    {
        _time = time;
        _controlPlaneUp = options.ControlPlaneUp;
        _logger = loggers.CreateLogger<ConsumerDirectory>();
        _redis = options.Redis is null
            ? null
            : new RedisLedger(RedisConnection.Start(options.Redis, loggers.CreateLogger<RedisConnection>()), loggers.CreateLogger<RedisLedger>(), journal?.NodeId);
        _ledger = _redis is null ? new MemoryLedger(time) : _redis;
        Credentials = new CredentialTable(time);
        Entitlements = new EntitlementTable();
        Freshness = new Freshness(time, options.FeedMaxAge);
        IQuotaBase quotaBase = new JournalQuotaBase(journal);
        if (options.Consumers is not null)
        {
            _file = new ConsumersSource(options.Consumers, Credentials, Entitlements, Freshness, loggers.CreateLogger<ConsumersSource>());
        }
        else if (options.ControlPlane is not null)
        {
            _http = FeedClient.CreateHttp(options.ControlPlane, options.Token);
            quotaBase = new ControlPlaneQuotaBase(_http, journal, loggers.CreateLogger<ControlPlaneQuotaBase>());
            _questions = new Questions(Credentials, _http, time, loggers.CreateLogger<Questions>());
            Freshness.Doubt();
            var logger = loggers.CreateLogger<FeedClient>();
            _resets = new CounterResets(Entitlements, documents?.Before(Entitlements) ?? Entitlements, time, loggers.CreateLogger<CounterResets>());
            _feeds =
            [
                new FeedClient(FeedNames.Credentials, _http, _questions, options.Data, time, logger, _controlPlaneUp, Freshness),
                new FeedClient(FeedNames.Entitlements, _http, _resets, options.Data, time, logger, _controlPlaneUp),
            ];
        }
        Use = new KeyUse(_http, time, loggers.CreateLogger<KeyUse>());
        Limits = new PlanLimits(_ledger, quotaBase, time, journal?.NodeId ?? Guid.NewGuid().ToString("N"));
        if (_resets is not null)
            _resets.Limits = Limits;
        _journal = journal;
        if (journal is not null)
            journal.CalendarsOf = account => Entitlements.TryGet(account.Application, account.Product, out var entitlement) && entitlement.Subscription == account.Subscription
                ? [.. entitlement.Item.Quotas.Select(QuotaCalendar.Of)]
                : null;
        if (_redis is not null)
            _redis.Recount = Limits.RecountAsync;
    }

    public CredentialTable Credentials { get; }
    public EntitlementTable Entitlements { get; }
    public PlanLimits Limits { get; }

    /// <summary>How lately what is known of credentials was confirmed.</summary>
    public Freshness Freshness { get; }

    /// <summary>Says whether a name is new to all nodes that share the Redis, and keeps it for so many milliseconds; null without one.</summary>
    public Func<string, long, ValueTask<bool?>>? IsNewEverywhere => _redis is null ? null : _redis.IsNewAsync;

    /// <summary>Which keys call.</summary>
    public KeyUse Use { get; }

    /// <summary>Who answers the control plane's questions.</summary>
    public Explainer? Explainer
    {
        set
        {
            if (_questions is not null) _questions.Explainer = value;
        }
    }

    /// <summary>Whether a good state is in force, however old. Without a source there is nothing to wait for.</summary>
    public bool IsReady => _file is not null ? _fileInForce : _feeds.All(feed => feed.InForce.IsCompleted);

    /// <param name="journal">The node's own, from which quotas are rebuilt; null = calls are not metered.</param>
    /// <param name="documents">Who takes the products' documents out of the feed of entitlements.</param>
    public static ConsumerDirectory Create(GatewayOptions options, Journal? journal, ILoggerFactory loggers, TimeProvider time, ProductDocuments? documents = null) =>
        new(options, journal, loggers, time, documents);

    /// <summary>
    /// Returns once a good state is in force. A consumers file that cannot be read throws <see cref="ConsumersFileException"/> (or what the file system
    /// says). With neither a control plane in reach nor anything on disk it returns after a few seconds, not ready, and goes on trying.
    /// </summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        if (_file is not null)
        {
            await _file.StartAsync(cancel);
            _fileInForce = true;
        }
        await Task.WhenAll(_feeds.Select(feed => feed.StartAsync(cancel)));
        if (!IsReady) await _controlPlaneUp.WaitAsync(cancel);
        await WaitAsync(_feeds.Select(feed => feed.InForce), FirstStateWithin, cancel);
        if (_controlPlaneUp.IsCompleted)
            await WaitAsync(_feeds.Select(feed => feed.Tried), FreshStateWithin, cancel);    // what is on disk may be old: better what is new
        if (_redis is not null)
            await WaitAsync([_redis.FirstAnswer], LedgerWithin, cancel);
        await WaitAsync([Limits.WarmUpAsync()], LedgerWithin, cancel);
        await WaitAsync([SettleAsync()], LedgerWithin, cancel);
        Use.Start(_controlPlaneUp);
        _housekeeping = Task.Run(KeepHouseAsync, CancellationToken.None);
    }

    public ConsumerFacts Facts() => new(
        IsReady, Credentials.KeyCount, Entitlements.Count, Limits.ActiveSubscriptions, _file?.Error, [.. _feeds.Select(feed => feed.Facts())],
        new LedgerFacts(_redis is null ? "memory" : "redis", _ledger.IsAway, _ledger.Nodes));

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync();
        await _housekeeping;
        if (_file is not null)
            await _file.DisposeAsync();
        foreach (var feed in _feeds)
            await feed.DisposeAsync();
        await Use.DisposeAsync();
        _http?.Dispose();
        if (_redis is not null)
            await _redis.DisposeAsync();
    }

    private async Task WaitAsync(IEnumerable<Task> tasks, TimeSpan atMost, CancellationToken cancel)
    {
        try
        {
            await Task.WhenAll(tasks).WaitAsync(atMost, _time, cancel);
        }
        catch (TimeoutException)
        {
            Log.StartsWithout(_logger);
        }
    }

    /// <summary>What this node's process before held of quotas goes back to the ledger.</summary>
    private async Task SettleAsync()
    {
        if (_redis is not null && _journal is not null)
            _isSettled = await Limits.SettleAsync(OfBefore(_journal.Owners())).ConfigureAwait(false);
        else
            _isSettled = true;

        IEnumerable<Entitlement> OfBefore(IReadOnlySet<UsageOwner> owners) =>
            Entitlements.Of(owners.Select(owner => owner.Subscription).ToHashSet()).SelectMany(one => new[] { one, one.ForTests }).Where(one => owners.Contains(one.Owner));
    }

    private async Task KeepHouseAsync()
    {
        using var timer = new PeriodicTimer(TidyEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                Limits.Tidy();
                if (!_isSettled && !_ledger.IsAway && IsReady)
                    await SettleAsync();
                Credentials.Tidy();
            }
        }
        catch (OperationCanceledException)
        {
            // stopped
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2351, LogLevel.Warning, "The control plane or the ledger has not answered yet; the gateway starts with what it has and goes on asking")]
        public static partial void StartsWithout(ILogger logger);
    }
}

/// <summary>For <c>/health</c>.</summary>
/// <param name="Error">What is wrong with the consumers file as it is now; null when it is in force.</param>
internal sealed record ConsumerFacts(bool Ready, int Keys, int Entitlements, int ActiveSubscriptions, string? Error, IReadOnlyList<FeedFacts> Feeds, LedgerFacts Ledger);

/// <summary>Where limits are counted, whether that can be reached, and by how many nodes it is shared.</summary>
internal sealed record LedgerFacts(string Kind, bool Away, int Nodes);
