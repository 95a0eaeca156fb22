using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.Gateway.Consumers;

/// <summary>
/// Everybody who may call, what they may call and how much: the tables that the policy asks, and whatever keeps them up to date.
/// That is a consumers file, or the control plane's feeds, or nothing; and a ledger in memory or in Redis.
/// </summary>
internal sealed class ConsumerDirectory : IAsyncDisposable
{
    private static readonly TimeSpan TidyEvery = TimeSpan.FromSeconds(1);

    private readonly ConsumersSource? _file;
    private readonly ILedger _ledger;
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private Task _housekeeping = Task.CompletedTask;
    private volatile bool _isReady;

    private ConsumerDirectory(GatewayOptions options, Journal? journal, ILoggerFactory loggers, TimeProvider time)
    {
        _time = time;
        _logger = loggers.CreateLogger<ConsumerDirectory>();
        _ledger = new MemoryLedger(time);
        Credentials = new CredentialTable(time);
        Entitlements = new EntitlementTable();
        Limits = new PlanLimits(_ledger, new JournalQuotaBase(journal), time);
        if (options.Consumers is not null)
            _file = new ConsumersSource(options.Consumers, Credentials, Entitlements, loggers.CreateLogger<ConsumersSource>());
    }

    public CredentialTable Credentials { get; }
    public EntitlementTable Entitlements { get; }
    public PlanLimits Limits { get; }

    /// <summary>Whether a good state is in force, however old. Without a source there is nothing to wait for.</summary>
    public bool IsReady => _isReady;

    /// <param name="journal">The node's own, from which quotas are rebuilt; null = calls are not metered.</param>
    public static ConsumerDirectory Create(GatewayOptions options, Journal? journal, ILoggerFactory loggers, TimeProvider time) => new(options, journal, loggers, time);

    /// <summary>
    /// Returns once a good state is in force. A consumers file that cannot be read throws <see cref="ConsumersFileException"/> (or what the file system
    /// says). With neither a control plane in reach nor anything on disk it returns after a few seconds, not ready, and goes on trying.
    /// </summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        if (_file is not null)
            await _file.StartAsync(cancel);
        _isReady = true;
        _housekeeping = Task.Run(KeepHouseAsync, CancellationToken.None);
    }

    public ConsumerFacts Facts() => new(Credentials.KeyCount, Entitlements.Count, _file?.Error);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _housekeeping;
        if (_file is not null)
            await _file.DisposeAsync();
        _stop.Dispose();
    }

    private async Task KeepHouseAsync()
    {
        using var timer = new PeriodicTimer(TidyEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                Limits.Tidy();
                Credentials.Tidy();
            }
        }
        catch (OperationCanceledException)
        {
            // stopped
        }
    }
}

/// <summary>For <c>/health</c>.</summary>
internal sealed record ConsumerFacts(int Keys, int Entitlements, string? Error);
