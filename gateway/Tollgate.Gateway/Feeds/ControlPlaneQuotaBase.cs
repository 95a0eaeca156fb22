using System.Net.Http.Json;
using Tollgate.Contracts;
using Tollgate.Contracts.Usage;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Feeds;

/// <summary>What the control plane has counted, and what this node's journal holds beyond that.</summary>
internal sealed partial class ControlPlaneQuotaBase(HttpClient http, Journal? journal, ILogger<ControlPlaneQuotaBase> logger) : IQuotaBase
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);
    private const int Tries = 3;

    public QuotaUse Here(UsageOwner owner, long fromUnixMs, long toUnixMs)
    {
        var (here, shipped) = journal?.UseOf(owner, fromUnixMs, toUnixMs) ?? (0, null);
        return new QuotaUse(here, IsWhole: shipped is not null, Shipped: shipped ?? 0);
    }

    public async ValueTask<QuotaUse?> EverywhereAsync(UsageOwner owner, long fromUnixMs, long toUnixMs)
    {
        try
        {
            using var timeout = new CancellationTokenSource(AnswerWithin);
            for (var attempt = 1; ; attempt++)
            {
                // Usage may be shipped between the two looks and then be in both: look again until nothing moved. The first look comes first,
                // so that what cannot be settled is counted twice rather than never, and the limit holds.
                var before = journal?.Acknowledged;
                var here = Here(owner, fromUnixMs, toUnixMs);
                var total = await http.GetFromJsonAsync(
                    $"{InternalPaths.UsageTotal}?subscription={owner.Subscription}&from={fromUnixMs}&to={toUnixMs}{(owner.IsTest ? $"&meter={Meters.Test}" : "")}", ContractJson.Default.UsageTotal, timeout.Token)
                    ?? throw new HttpRequestException("The control plane answered with nothing.");
                if (Equals(before, journal?.Acknowledged) || attempt == Tries)
                    return here with { Total = total.Units };
            }
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or System.Text.Json.JsonException or NotSupportedException)
        {
            Log.Unknown(logger, owner.Subscription, error.Message);
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2341, LogLevel.Warning, "What subscription {Subscription} has used cannot be asked ({Reason}); its quota is decided as its plan says for a lost ledger")]
        public static partial void Unknown(ILogger logger, SubscriptionId subscription, string reason);
    }
}
