using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Storage.Feeds;

/// <summary>Writes what the gateways must learn, in the same transaction as the change itself.</summary>
public static class ChangeLog
{
    private const int TheOneHead = 1;

    /// <summary>Maps the log's two tables. A module's context calls it once from <c>OnModelCreating</c>.</summary>
    public static ModelBuilder AddChangeLog(this ModelBuilder model)
    {
        model.Entity<Change>(change =>
        {
            change.ToTable("changes");
            change.HasKey(c => new { c.Kind, c.Key });
            change.Property(c => c.Kind).HasMaxLength(32);
            change.Property(c => c.Key).HasMaxLength(200);
            change.HasIndex(c => c.Version);
        });
        model.Entity<FeedHead>(head =>
        {
            head.ToTable("feed_head");
            head.Property(h => h.Id).ValueGeneratedNever();
            head.Property(h => h.Epoch).HasMaxLength(32);
        });
        return model;
    }

    /// <summary>
    /// Saves <paramref name="db"/> and appends <paramref name="items"/> in one transaction: the one that is open, else one of its own.
    /// The head's row stays locked until the commit, so versions rise in commit order and no reader can overtake a slower writer.
    /// </summary>
    public static async Task SaveWithChangesAsync(this DbContext db, IReadOnlyCollection<FeedItem> items, CancellationToken cancel)
    {
        if (db.Database.CurrentTransaction is not null)
        {
            await AppendAsync(db, items, cancel);
            return;
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await AppendAsync(db, items, cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>
    /// Drops revocations of tokens that expired before a moment: readers forget them by themselves, so no line tells that they are gone, and a reader
    /// that comes late misses nothing.
    /// </summary>
    public static async Task ForgetExpiredAsync(this DbContext db, DateTimeOffset before, CancellationToken cancel)
    {
        var changes = await db.Set<Change>().AsNoTracking().Where(c => c.Kind == "revoked-token" || c.Kind == "revoked-before").ToListAsync(cancel);
        foreach (var change in changes)
        {
            var expires = JsonSerializer.Deserialize(change.Line, ContractJson.Default.FeedLine) switch
            {
                RevokedTokenItem token => token.ExpiresUnixMs,
                RevokedBeforeItem holder => holder.ExpiresUnixMs,
                _ => long.MaxValue,
            };
            if (expires < before.ToUnixTimeMilliseconds())
                await db.Set<Change>().Where(c => c.Kind == change.Kind && c.Key == change.Key && c.Version == change.Version).ExecuteDeleteAsync(cancel);
        }
    }

    private static async Task AppendAsync(DbContext db, IReadOnlyCollection<FeedItem> items, CancellationToken cancel)
    {
        await db.SaveChangesAsync(cancel);
        if (items.Count == 0) return;

        var heads = db.Set<FeedHead>();
        await heads.ExecuteUpdateAsync(h => h.SetProperty(x => x.Version, x => x.Version + 1), cancel);
        var version = await heads.Select(h => h.Version).SingleAsync(cancel);
        foreach (var item in items) await UpsertAsync(db, item, version, cancel);
        if (db.Database.IsNpgsql())
            await db.Database.ExecuteSqlAsync($"SELECT pg_notify({FeedListener.Channel}, {db.Model.GetDefaultSchema()})", cancel);
    }

    /// <summary>Gives a new log its identity. Runs at start, under the migration lock.</summary>
    internal static async Task EnsureHeadAsync(DbContext db, CancellationToken cancel)
    {
        if (db.Model.FindEntityType(typeof(FeedHead)) is null || await db.Set<FeedHead>().AnyAsync(cancel)) return;
        db.Add(new FeedHead { Id = TheOneHead, Epoch = Guid.NewGuid().ToString("N"), Version = 1 });
        await db.SaveChangesAsync(cancel);
    }

    private static async Task UpsertAsync(DbContext db, FeedItem item, long version, CancellationToken cancel)
    {
        var sql = $$"""
            INSERT INTO {{Table<Change>(db)}} ("Kind", "Key", "Version", "Line", "Removed") VALUES ({0}, {1}, {2}, {3}, {4})
            ON CONFLICT ("Kind", "Key") DO UPDATE SET "Version" = excluded."Version", "Line" = excluded."Line", "Removed" = excluded."Removed"
            """;
        var line = JsonSerializer.Serialize(item, ContractJson.Default.FeedLine);
        await db.Database.ExecuteSqlRawAsync(sql, [item.Kind, item.Key, version, line, item is RemovedItem], cancel);
    }

    /// <summary>A table's quoted name with its schema, from the model alone.</summary>
    private static string Table<TEntity>(DbContext db)
    {
        var entity = db.Model.FindEntityType(typeof(TEntity))!;
        return entity.GetSchema() is { } schema ? $"\"{schema}\".\"{entity.GetTableName()}\"" : $"\"{entity.GetTableName()}\"";
    }
}
