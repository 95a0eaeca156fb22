using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Tollgate.Billing.Storage;
using Tollgate.Contracts.Usage;

namespace Tollgate.Billing.Metering;

/// <summary>Adds the rows of a batch to the minutes, in the way that is quick on each database, and marks their hours as stale.</summary>
internal static class UsageMinutes
{
    public const long MinuteMs = 60_000;
    public const long HourMs = 60 * MinuteMs;
    private const long MostDetail = 10_000_000_000_000;

    /// <summary>
    /// Rows that are alike become one, since a statement may touch a row once; and all come in one order, so that batches that
    /// overlap wait for each other instead of locking each other out.
    /// </summary>
    public static List<UsageMinute> Merge(IReadOnlyList<UsageRow> rows) =>
    [
        .. rows.GroupBy(r => (r.Subscription, Minute: r.MinuteUnixMs - r.MinuteUnixMs % MinuteMs,
                Credential: UsageText.Fit(r.Credential, UsageText.Credential), Product: UsageText.Fit(r.Product, UsageText.Product),
                Route: UsageText.Fit(r.Route, UsageText.Route), Meter: UsageText.Fit(r.Meter, UsageText.Meter), r.Status))
            .Select(alike => new UsageMinute
            {
                Subscription = alike.Key.Subscription,
                Minute = alike.Key.Minute,
                Credential = alike.Key.Credential,
                Product = alike.Key.Product,
                Route = alike.Key.Route,
                Meter = alike.Key.Meter,
                Status = alike.Key.Status,
                Application = alike.First().Application,
                Calls = alike.Sum(r => r.Calls),
                Units = alike.Sum(r => r.Units),
                BytesOut = alike.Sum(r => Math.Clamp(r.BytesOut, 0, MostDetail)),
                DurationUs = alike.Sum(r => Math.Clamp(r.DurationUs, 0, MostDetail)),
            })
            .OrderBy(m => m.Subscription.Value).ThenBy(m => m.Minute).ThenBy(m => m.Credential, StringComparer.Ordinal)
            .ThenBy(m => m.Product, StringComparer.Ordinal).ThenBy(m => m.Route, StringComparer.Ordinal)
            .ThenBy(m => m.Meter, StringComparer.Ordinal).ThenBy(m => m.Status),
    ];

    /// <summary>Within the transaction that is open.</summary>
    public static async Task AddAsync(BillingDb db, List<UsageMinute> minutes, CancellationToken cancel)
    {
        if (minutes.Count == 0) return;
        var hours = minutes.Select(m => (m.Subscription, Hour: m.Minute - m.Minute % HourMs)).Distinct()
            .OrderBy(h => h.Subscription.Value).ThenBy(h => h.Hour).ToList();
        var insert = $"""
            INSERT INTO {db.Table<UsageMinute>()} AS m
            ("Subscription", "Minute", "Credential", "Product", "Route", "Meter", "Status", "Application", "Calls", "Units", "BytesOut", "DurationUs")
            """;
        const string add = """
            ON CONFLICT ("Subscription", "Minute", "Credential", "Product", "Route", "Meter", "Status") DO UPDATE SET
            "Calls" = m."Calls" + excluded."Calls", "Units" = m."Units" + excluded."Units",
            "BytesOut" = m."BytesOut" + excluded."BytesOut", "DurationUs" = m."DurationUs" + excluded."DurationUs"
            """;
        var mark = $"""INSERT INTO {db.Table<StaleHour>()} ("Subscription", "Hour")""";
        // "Do nothing" would leave a mark that is there unlocked, and a rollup could take it away before these minutes are committed.
        const string hold = """ON CONFLICT ("Subscription", "Hour") DO UPDATE SET "Hour" = excluded."Hour" """;

        if (db.Database.IsNpgsql())
        {
            var addAll = $"{insert} SELECT * FROM unnest(@sub, @min, @cre, @pro, @rou, @met, @sta, @app, @cal, @uni, @byt, @dur) {add}";
            var markAll = $"{mark} SELECT * FROM unnest(@sub, @hour) {hold}";
            await db.Database.ExecuteSqlRawAsync(addAll, [
                Array("sub", minutes, m => m.Subscription.Value), Array("min", minutes, m => m.Minute), Array("cre", minutes, m => m.Credential),
                Array("pro", minutes, m => m.Product), Array("rou", minutes, m => m.Route), Array("met", minutes, m => m.Meter),
                Array("sta", minutes, m => m.Status), Array("app", minutes, m => m.Application.Value), Array("cal", minutes, m => m.Calls),
                Array("uni", minutes, m => m.Units), Array("byt", minutes, m => m.BytesOut), Array("dur", minutes, m => m.DurationUs)], cancel);
            await db.Database.ExecuteSqlRawAsync(markAll,
                [Array("sub", hours, h => h.Subscription.Value), Array("hour", hours, h => h.Hour)], cancel);
        }
        else
        {
            ForEach(db, $"{insert} VALUES (@a, @b, @c, @d, @e, @f, @g, @h, @i, @j, @k, @l) {add}", minutes, m =>
                [m.Subscription.Value, m.Minute, m.Credential, m.Product, m.Route, m.Meter, m.Status, m.Application.Value, m.Calls, m.Units, m.BytesOut, m.DurationUs]);
            ForEach(db, $"{mark} VALUES (@a, @b) {hold}", hours, h => [h.Subscription.Value, h.Hour]);
        }
    }

    private static NpgsqlParameter Array<TRow, TValue>(string name, List<TRow> rows, Func<TRow, TValue> column) => new(name, rows.ConvertAll(r => column(r)).ToArray());

    /// <summary>SQLite runs in this process: one prepared statement, run for each row, is its quickest way.</summary>
    private static void ForEach<TRow>(BillingDb db, string sql, List<TRow> rows, Func<TRow, object[]> values)
    {
        using var command = ((SqliteConnection)db.Database.GetDbConnection()).CreateCommand();
        command.Transaction = (SqliteTransaction)db.Database.CurrentTransaction!.GetDbTransaction();
        command.CommandText = sql;
        foreach (var row in rows)
        {
            var columns = values(row);
            for (var i = 0; i < columns.Length; i++)
            {
                if (command.Parameters.Count <= i) command.Parameters.Add(new SqliteParameter { ParameterName = "@" + (char)('a' + i) });
                command.Parameters[i].Value = columns[i];
            }

            command.ExecuteNonQuery();
        }
    }
}
