using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Protocol;

/// <summary>
/// Writes down what programs do: thousands a second, so that it is gathered and written once or more a second, beside the work and not within it.
/// Never a token or a secret: an access token is named by its <c>jti</c>.
/// </summary>
internal sealed class TokenAudit(Caller caller, AuditBuffer buffer, OAuthMetrics metrics, TimeProvider time)
{
    /// <summary>A client proved itself. Written once an hour for each client, address and way: it happens with every request.</summary>
    public void Authenticated(KnownClient client, string method)
    {
        metrics.Authentication(method, proven: true);
        if (buffer.IsNews($"{client.Client.ClientId}\n{caller.Address}\n{method}", time.GetUtcNow())) Add("client.authenticated", client.Client.ClientId, method, client);
    }

    public void NotAuthenticated(string? clientId, string method)
    {
        metrics.Authentication(method, proven: false);
        Add("client.refused", Named(clientId), method);
    }

    public void Issued(KnownClient client, string grant, string jti)
    {
        metrics.Issued(grant);
        Add("token.issued", $"{client.Client.ClientId} {jti}", AuditLog.Ok, client);
    }

    public void Refused(string? clientId, OAuthRefusal refusal)
    {
        metrics.Refused(refusal.Error);
        if (refusal.Error != "invalid_client" && refusal.Error is not ("authorization_pending" or "slow_down" or "use_dpop_nonce") && refusal.RetryAfter is null)
            Add("token.refused", Named(clientId), refusal.Error);
    }

    public void Introspected(KnownClient client, string? jti)
    {
        metrics.Introspection(jti is not null);
        Add("token.introspected", jti is null ? client.Client.ClientId : $"{client.Client.ClientId} {jti}", jti is null ? "inactive" : AuditLog.Ok, client);
    }

    private static string Named(string? clientId) =>
        clientId is null ? "unknown" : new string([.. clientId.Take(InputLimits.ClientId).Select(c => char.IsControl(c) ? ' ' : c)]);

    private void Add(string action, string target, string result, KnownClient? client = null) =>
        buffer.Add(AuditLog.OfAClient(caller, action, target, client?.Organisation, result, time.GetUtcNow()));
}

/// <summary>Holds audit events for a moment and writes them many at once. Bounded: when the database is away for long, the rest is counted as lost.</summary>
internal sealed partial class AuditBuffer(IDbContextFactory<IdentityDb> databases, OAuthMetrics metrics, ILogger<AuditBuffer> logger) : BackgroundService
{
    private const int Capacity = 20_000;
    private const int MostAtOnce = 1_000;
    private const int MostNews = 10_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan NewsAfter = TimeSpan.FromHours(1);

    private readonly Channel<AuditEvent> _events = Channel.CreateBounded<AuditEvent>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly ConcurrentDictionary<string, DateTimeOffset> _told = new();

    public void Add(AuditEvent one)
    {
        if (!_events.Writer.TryWrite(one)) metrics.AuditLost(1);
    }

    /// <summary>Whether a thing that goes on and on has not been written for a while.</summary>
    public bool IsNews(string thing, DateTimeOffset now)
    {
        if (_told.TryGetValue(thing, out var last) && now - last < NewsAfter) return false;
        if (_told.Count >= MostNews) _told.Clear();
        _told[thing] = now;
        return true;
    }

    public override async Task StopAsync(CancellationToken cancel)
    {
        _events.Writer.TryComplete();
        await base.StopAsync(cancel);
        await WriteAsync(CancellationToken.None);
    }

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        try
        {
            while (await _events.Reader.WaitToReadAsync(stop))
            {
                await WriteAsync(stop);
                await Task.Delay(Pause, stop);
            }
        }
        catch (OperationCanceledException)
        {
            // What is left is written when stopping.
        }
    }

    private async Task WriteAsync(CancellationToken cancel)
    {
        var batch = new List<AuditEvent>(MostAtOnce);
        while (_events.Reader.TryPeek(out _))
        {
            batch.Clear();
            while (batch.Count < MostAtOnce && _events.Reader.TryRead(out var one)) batch.Add(one);
            try
            {
                await using var db = await databases.CreateDbContextAsync(cancel);
                db.AddRange(batch);
                await db.SaveChangesAsync(cancel);
            }
            catch (Exception lost) when (OAuthSetup.IsDatabaseAway(lost))
            {
                metrics.AuditLost(batch.Count);
                Log.NotWritten(logger, batch.Count, lost.Message);
                return;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2421, LogLevel.Warning, "{Count} audit events of tokens could not be written: {Reason}")]
        public static partial void NotWritten(ILogger logger, int count, string reason);
    }
}
