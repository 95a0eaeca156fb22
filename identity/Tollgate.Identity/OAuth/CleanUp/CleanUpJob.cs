using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.OAuth.CleanUp;

/// <summary>
/// Deletes what is over, every hour or so, a few rows at a time. Nodes start it at moments of their own; two at once do no harm. What still
/// proves a theft is kept: a used refresh token lives as long as its family could.
/// </summary>
internal sealed partial class CleanUpJob(
    IDbContextFactory<IdentityDb> databases, OAuthMetrics metrics, IOptions<TollgateIdentityOptions> options, TimeProvider time, ILogger<CleanUpJob> logger)
    : BackgroundService
{
    /// <summary>Clocks differ, and what ended a moment ago may still be asked for.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);
    private static readonly TimeSpan EndedSessions = TimeSpan.FromDays(7);
    private static readonly TimeSpan IdleSessions = TimeSpan.FromDays(15);

    private static readonly TimeSpan DeadSecrets = TimeSpan.FromDays(30);
    private static readonly TimeSpan DeadInvitations = TimeSpan.FromDays(90);

    /// <summary>The audit log names tokens: for as long as somebody may ask which one that was.</summary>
    private static readonly TimeSpan DeadTokens = TimeSpan.FromDays(400);

    /// <summary>Until then its tokens may still be shown to somebody, and the platform asked what it was.</summary>
    private static readonly TimeSpan DeletedClients = TimeSpan.FromDays(30);

    /// <summary>Usage and invoices name their application, and books are kept for ten years.</summary>
    private static readonly TimeSpan DeletedApplications = TimeSpan.FromDays(3653);

    /// <summary>Who has not proven an address by then has forgotten, or it was never theirs.</summary>
    private static readonly TimeSpan Unconfirmed = TimeSpan.FromDays(30);

    /// <summary>Deletes all that is over now. Returns how much that was.</summary>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        await using var db = await databases.CreateDbContextAsync(cancel);
        var now = time.GetUtcNow();
        var over = now - Grace;
        var total = 0;
        total += await DeleteAsync("seen-token", db.SeenTokens.Where(t => t.Expires < over), cancel);
        total += await DeleteAsync("pushed-request", db.PushedRequests.Where(r => r.Expires < over), cancel);
        total += await DeleteAsync("device-request", db.DeviceRequests.Where(r => r.Expires < over), cancel);
        total += await DeleteAsync("access-token", db.FamilyAccessTokens.Where(t => t.Expires < over), cancel);
        total += await DeleteAsync("reference-token", db.ReferenceTokens.Where(t => t.Expires < over), cancel);
        total += await DeleteAsync("remembered-device", db.RememberedDevices.Where(d => d.Expires < over), cancel);
        total += await DeleteRevokedAsync(db, over, cancel);
        total += await DeleteFamiliesAsync(db, now, cancel);
        total += await DeleteSessionsAsync(db, now, cancel);
        var (dead, yearAgo) = ((DateTimeOffset?)(now - DeadSecrets), (DateTimeOffset?)(now - DeadTokens));
        total += await DeleteAsync("client-secret", db.Set<OAuthClientSecret>().Where(s => s.Expires < dead), cancel);
        total += await DeleteAsync("invitation", db.Invitations.Where(i => i.Expires < now - DeadInvitations), cancel);
        total += await DeleteAsync("management-token", db.ManagementTokens.Where(t => t.Expires < yearAgo || t.RevokedAt < yearAgo), cancel);
        total += await DeleteAsync("api-key", db.Keys.Where(k => k.LeftFeed && (k.RevokedAt < yearAgo || k.Expires < yearAgo)), cancel);
        total += await DeleteDeletedAsync(db, now, cancel);
        total += await DeleteUnconfirmedAsync(db, now - Unconfirmed, cancel);
        metrics.CleanedUp(time.GetElapsedTime(began));
        Log.Done(logger, total, (long)time.GetElapsedTime(began).TotalMilliseconds);
        return total;
    }

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        var interval = TimeSpan.FromMinutes(options.Value.CleanUp.IntervalMinutes);
        try
        {
            await Task.Delay(interval * (0.1 + (0.9 * Random.Shared.NextDouble())), time, stop);
            while (true)
            {
                await TryAsync(stop);
                await Task.Delay(interval * (0.9 + (0.2 * Random.Shared.NextDouble())), time, stop);
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    private async Task TryAsync(CancellationToken cancel)
    {
        try
        {
            await RunAsync(cancel);
        }
        catch (Exception lost) when (lost is not OperationCanceledException)
        {
            Log.Failed(logger, lost.Message);   // next time
        }
    }

    /// <summary>The gateways forget an expired revocation by themselves; here it leaves the log of changes, so that no new gateway is told.</summary>
    private async Task<int> DeleteRevokedAsync(IdentityDb db, DateTimeOffset over, CancellationToken cancel)
    {
        var size = options.Value.CleanUp.BatchSize;
        var total = 0;
        while (await db.RevokedTokens.Where(t => t.Expires < over).OrderBy(t => t.Expires).Select(t => t.Jti).Take(size).ToListAsync(cancel) is { Count: > 0 } ids)
        {
            await db.Set<Change>().Where(c => c.Kind == "revoked-token" && ids.Contains(c.Key)).ExecuteDeleteAsync(cancel);
            total += await db.RevokedTokens.Where(t => ids.Contains(t.Jti)).ExecuteDeleteAsync(cancel);
        }

        metrics.Deleted("revoked-token", total);
        return total;
    }

    /// <summary>Families that nothing can come of any more; their codes and refresh tokens go with them.</summary>
    private async Task<int> DeleteFamiliesAsync(IdentityDb db, DateTimeOffset now, CancellationToken cancel)
    {
        var day = now.AddDays(-1);
        var absolute = day.AddSeconds(-options.Value.RefreshTokenAbsoluteLifetimeSeconds);
        var total = await DeleteAsync("family", db.TokenFamilies.Where(f => f.Created < absolute), cancel);
        return total + await DeleteAsync("family", db.TokenFamilies.Where(f => f.Created < day
            && !db.RefreshTokens.Any(t => t.Family == f.Id && t.Expires > day)
            && !db.FamilyAccessTokens.Any(t => t.Family == f.Id && t.Expires > day)
            && !db.Sessions.Any(s => s.Id == f.Session && s.EndedAt == null)), cancel);
    }

    private async Task<int> DeleteSessionsAsync(IdentityDb db, DateTimeOffset now, CancellationToken cancel)
    {
        var (ended, idle) = ((DateTimeOffset?)(now - EndedSessions), now - IdleSessions);
        var total = await DeleteAsync("session", db.Sessions.Where(s => s.EndedAt < ended), cancel);
        return total + await DeleteAsync("session", db.Sessions.Where(s => s.EndedAt == null && (s.LastSeen ?? s.Opened) < idle
            && !db.TokenFamilies.Any(f => f.Session == s.Id && f.RevokedAt == null)), cancel);
    }

    /// <summary>What its owner deleted long ago, once nothing here speaks of it any more. What a client leaves behind otherwise (consents, secrets) goes with it.</summary>
    private async Task<int> DeleteDeletedAsync(IdentityDb db, DateTimeOffset now, CancellationToken cancel)
    {
        var (client, application) = ((DateTimeOffset?)(now - DeletedClients), (DateTimeOffset?)(now - DeletedApplications));
        var total = await DeleteAsync("client", db.OAuthClients.Where(c => c.DeletedAt < client && !db.TokenFamilies.Any(f => f.ClientId == c.ClientId)
            && !db.ReferenceTokens.Any(t => t.ClientId == c.ClientId) && !db.LogoutNotices.Any(n => n.ClientId == c.ClientId)), cancel);
        return total + await DeleteAsync("application", db.Applications.Where(a => a.DeletedAt < application
            && !db.Keys.Any(k => k.Application == a.Id) && !db.OAuthClients.Any(c => c.Application == a.Id)), cancel);
    }

    /// <summary>Accounts that nobody ever confirmed, and the organisations that came into being with them: anybody can sign up, so that these would have no end.</summary>
    private async Task<int> DeleteUnconfirmedAsync(IdentityDb db, DateTimeOffset before, CancellationToken cancel)
    {
        var size = options.Value.CleanUp.BatchSize;
        var total = 0;
        while (await db.Accounts.Where(a => !a.EmailConfirmed && a.Created < before && a.PlatformRole == null).OrderBy(a => a.Created).Select(a => a.Id).Take(size).ToListAsync(cancel)
            is { Count: > 0 } ids)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancel);
            var theirs = await db.Memberships.Where(m => ids.Contains(m.Account)).Select(m => m.Organisation).Distinct().ToListAsync(cancel);
            var gone = await db.Accounts.Where(a => ids.Contains(a.Id) && !a.EmailConfirmed && a.Created < before).ExecuteDeleteAsync(cancel);
            await db.Organisations.Where(o => theirs.Contains(o.Id) && !db.Memberships.Any(m => m.Organisation == o.Id) && !db.Applications.Any(a => a.Organisation == o.Id))
                .ExecuteDeleteAsync(cancel);
            await transaction.CommitAsync(cancel);
            if (gone == 0) break;
            total += gone;
        }

        metrics.Deleted("unconfirmed-account", total);
        return total;
    }

    private async Task<int> DeleteAsync<T>(string kind, IQueryable<T> rows, CancellationToken cancel) where T : class
    {
        var size = options.Value.CleanUp.BatchSize;
        var total = 0;
        int deleted;
        do
        {
            deleted = await rows.Take(size).ExecuteDeleteAsync(cancel);
            total += deleted;
        }
        while (deleted == size);
        metrics.Deleted(kind, total);
        return total;
    }

    private static partial class Log
    {
        [LoggerMessage(2431, LogLevel.Information, "{Rows} rows that were over are deleted, in {Milliseconds} ms")]
        public static partial void Done(ILogger logger, int rows, long milliseconds);

        [LoggerMessage(2432, LogLevel.Warning, "What is over could not be deleted, it stays until the next time: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
