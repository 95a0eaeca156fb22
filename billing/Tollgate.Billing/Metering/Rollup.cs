using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Storage;

namespace Tollgate.Billing.Metering;

/// <summary>
/// Makes the sums of hours from their minutes. An hour is taken once it is over and the gateways had time to send its last minutes; what comes
/// later marks it stale again. Running twice, or on two nodes at once, makes the same sums.
/// </summary>
internal sealed class Rollup(IDbContextFactory<BillingDb> databases, TimeProvider time, BillingMetrics metrics)
{
    private const int MarksAtOnce = 200;
    private const long SettleMs = 2 * UsageMinutes.MinuteMs;
    private const string Columns = "\"Subscription\", \"Credential\", \"Product\", \"Route\", \"Meter\", \"Status\"";

    /// <summary>Makes all sums that are due; answers how many subscriptions' hours that were.</summary>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        var made = 0;
        while (await RunSomeAsync(cancel) is var some and > 0) made += some;
        return made;
    }

    /// <summary>Throws the sums away and marks every hour, so that the next runs make them anew.</summary>
    public async Task StartOverAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var markAll = $"""
            INSERT INTO {db.Table<StaleHour>()} ("Subscription", "Hour")
            SELECT DISTINCT "Subscription", "Minute" - "Minute" % {UsageMinutes.HourMs} FROM {db.Table<UsageMinute>()} WHERE true
            ON CONFLICT ("Subscription", "Hour") DO UPDATE SET "Hour" = excluded."Hour"
            """;
        await db.Database.ExecuteSqlRawAsync(markAll, cancel);
        await db.UsageHours.ExecuteDeleteAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    private async Task<int> RunSomeAsync(CancellationToken cancel)
    {
        var due = time.GetUtcNow().ToUnixTimeMilliseconds() - UsageMinutes.HourMs - SettleMs;
        await using var db = await databases.CreateDbContextAsync(cancel);
        var marks = await db.StaleHours.AsNoTracking().Where(s => s.Hour <= due).OrderBy(s => s.Hour).ThenBy(s => s.Subscription).Take(MarksAtOnce).ToListAsync(cancel);
        if (marks.Count == 0) return 0;

        var hour = marks[0].Hour;
        var subscriptions = marks.Where(m => m.Hour == hour).Select(m => m.Subscription).ToList();
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // Taking the marks comes first: it waits for batches and rollups that hold them, and what those committed is then seen below.
        var taken = await db.StaleHours.Where(s => s.Hour == hour && subscriptions.Contains(s.Subscription)).ExecuteDeleteAsync(cancel);
        if (taken > 0)
        {
            await db.UsageHours.Where(h => h.Hour == hour && subscriptions.Contains(h.Subscription)).ExecuteDeleteAsync(cancel);
            foreach (var subscription in subscriptions) await SumAsync(db, subscription.Value, hour, cancel);
            await transaction.CommitAsync(cancel);
            metrics.HoursRolled(taken);
        }

        return subscriptions.Count;
    }

    private static Task SumAsync(BillingDb db, Guid subscription, long hour, CancellationToken cancel)
    {
        var sql = $$"""
            INSERT INTO {{db.Table<UsageHour>()}} ({{Columns}}, "Hour", "Application", "Calls", "Units", "BytesOut", "DurationUs")
            SELECT {{Columns}}, {1}, {{AnyApplication(db)}}, CAST(SUM("Calls") AS bigint), CAST(SUM("Units") AS bigint),
                   CAST(SUM("BytesOut") AS bigint), CAST(SUM("DurationUs") AS bigint)
            FROM {{db.Table<UsageMinute>()}}
            WHERE "Subscription" = {0} AND "Minute" >= {1} AND "Minute" < {2}
            GROUP BY {{Columns}}
            """;
        return db.Database.ExecuteSqlRawAsync(sql, [subscription, hour, hour + UsageMinutes.HourMs], cancel);
    }

    /// <summary>A subscription has one application; PostgreSQL has no greatest UUID.</summary>
    private static string AnyApplication(BillingDb db) =>
        db.Database.IsNpgsql() ? "(MAX(\"Application\"::text))::uuid" : "MAX(\"Application\")";
}
