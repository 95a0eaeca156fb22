using System.Security.Cryptography;
using Tollgate.Contracts;
using Tollgate.Contracts.Usage;

namespace Tollgate.FunctionalTests.Billing;

/// <summary>Usage as gateways send it.</summary>
internal static class Batches
{
    public static readonly string NoHash = new('0', 64);

    public static UsageBatch Of(params UsageRow[] rows) => new(Guid.NewGuid().ToString("N"), "epoch-1", 1, NoHash, Hash(), rows);

    public static UsageBatch Next(UsageBatch before, params UsageRow[] rows) =>
        before with { Sequence = before.Sequence + 1, PreviousHash = before.Hash, Hash = Hash(), Rows = rows };

    public static UsageRow Row(SubscriptionId subscription, AppId application, DateTimeOffset minute, long calls, long? units = null, int status = 200,
        string route = "/weather/v1/{city}", string credential = "key-1", string meter = "requests") =>
        new(subscription, application, credential, "weather", route, meter, status, minute.ToUnixTimeMilliseconds() / 60_000 * 60_000,
            calls, units ?? calls, calls * 100, calls * 1_500);

    private static string Hash() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
}
