using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Tollgate.Storage.Feeds;

namespace Tollgate.Storage;

/// <summary>Brings a database to the version that this program knows, one process at a time.</summary>
public static class DatabaseSetup
{
    /// <summary>
    /// Applies what is missing of the migrations, then runs <paramref name="seed"/>, all under one lock that other starting nodes wait for:
    /// an advisory lock on PostgreSQL, a lock file beside the database on SQLite. Both are let go by the system when the process dies.
    /// </summary>
    public static async Task MigrateAsync(DbContext db, Func<CancellationToken, Task> seed, CancellationToken cancel)
    {
        if (db.Database.ProviderName!.Contains("Sqlite", StringComparison.Ordinal)) await MigrateSqliteAsync(db, seed, cancel);
        else await MigratePostgresAsync(db, seed, cancel);
    }

    private static async Task MigrateSqliteAsync(DbContext db, Func<CancellationToken, Task> seed, CancellationToken cancel)
    {
        var file = new DbConnectionStringBuilder { ConnectionString = db.Database.GetConnectionString() }["Data Source"].ToString()!;
        await using var held = await LockFileAsync(file + ".lock", cancel);
        try
        {
            await MigrateSqliteFileAsync(db, cancel);
        }
        catch (SqliteException unusable)
        {
            throw new IOException($"The database {file} cannot be used: {unusable.Message}", unusable);
        }

        await seed(cancel);
    }

    private static async Task MigrateSqliteFileAsync(DbContext db, CancellationToken cancel)
    {
        if (await db.GetService<IRelationalDatabaseCreator>().ExistsAsync(cancel))
        {
            // EF's own lock is a row that outlives a killed process. Ours is held, so whatever it left is stale.
            await db.Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\"", cancel);
        }

        await db.Database.MigrateAsync(cancel);
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL", cancel);
        await ChangeLog.EnsureHeadAsync(db, cancel);
    }

    private static async Task MigratePostgresAsync(DbContext db, Func<CancellationToken, Task> seed, CancellationToken cancel)
    {
        var creator = db.GetService<IRelationalDatabaseCreator>();
        if (!await creator.ExistsAsync(cancel))
        {
            try
            {
                await creator.CreateAsync(cancel);
            }
            catch (PostgresException lost) when (lost.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
            {
                // Another node made it at the same moment.
            }
        }

        await using var holder = new NpgsqlConnection(db.Database.GetConnectionString());
        await holder.OpenAsync(cancel);
        await using (var take = new NpgsqlCommand("SELECT pg_advisory_lock(hashtext('tollgate-migrations'))", holder) { CommandTimeout = 0 })
            await take.ExecuteNonQueryAsync(cancel);
        try
        {
            // EF would look into the history first, and report that it is not there as a failure.
            await db.GetService<IHistoryRepository>().CreateIfNotExistsAsync(cancel);
            await db.Database.MigrateAsync(cancel);
            await ChangeLog.EnsureHeadAsync(db, cancel);
            await seed(cancel);
        }
        finally
        {
            await using var give = new NpgsqlCommand("SELECT pg_advisory_unlock(hashtext('tollgate-migrations'))", holder);
            await give.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    private static async Task<FileStream> LockFileAsync(string path, CancellationToken cancel)
    {
        for (var waitMs = 20; ; waitMs = Math.Min(waitMs * 2, 500))
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.Asynchronous);
            }
            catch (IOException)
            {
                await Task.Delay(waitMs, cancel);   // another node is migrating; the lock file offers nothing to wait on
            }
        }
    }
}
