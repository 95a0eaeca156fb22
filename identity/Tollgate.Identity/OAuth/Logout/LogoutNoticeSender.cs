using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Logout;

/// <summary>
/// Tells clients of sessions that have ended (OpenID Connect Back-Channel Logout §2.5), and tries again for a day where nobody answers. Each client has a line of its own,
/// so that one who keeps us waiting keeps nobody else; a line holds one notice at a time, the others wait in the database.
/// </summary>
internal sealed partial class LogoutNoticeSender(
    IDbContextFactory<IdentityDb> databases, ClientCalls calls, TokenSigner signer, LogoutSignal signal, OAuthMetrics metrics, IOptions<TollgateIdentityOptions> options,
    TimeProvider time, ILogger<LogoutNoticeSender> logger) : BackgroundService
{
    private const int MostLines = 64;

    /// <summary>Then others have their turn.</summary>
    private const int MostInOneGo = 100;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(15);

    /// <summary>For so long no other node takes a notice that one is telling: longer than a call takes, wherever the clocks stand.</summary>
    private static readonly TimeSpan Hold = ClientCalls.Patience * 4;

    /// <summary>So soon a client that did not answer is asked again, if for another notice.</summary>
    private static readonly TimeSpan MostRest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MostBackOff = TimeSpan.FromHours(2);
    private static readonly TimeSpan GiveUp = TimeSpan.FromDays(1);
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromMinutes(2);
    private readonly Dictionary<string, Task> _lines = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                foreach (var (client, line) in _lines)
                    if (line.IsCompleted) _lines.Remove(client);
                await signal.WaitAsync(await OpenLinesAsync(stop), stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Task.WhenAll(_lines.Values);
        }
    }

    /// <summary>Opens a line to each client that has waited longest, as far as there is room. Returns until when there is nothing more to do, unless the signal is set.</summary>
    private async Task<TimeSpan> OpenLinesAsync(CancellationToken stop)
    {
        var room = MostLines - _lines.Count;
        if (room == 0) return Look;
        try
        {
            await using var db = await databases.CreateDbContextAsync(stop);
            var served = _lines.Keys.ToArray();
            var next = await db.LogoutNotices.Where(n => !served.Contains(n.ClientId)).GroupBy(n => n.ClientId)
                .Select(g => new { Client = g.Key, Due = g.Min(n => n.Due) }).OrderBy(n => n.Due).Take(room).ToListAsync(stop);
            var now = time.GetUtcNow();
            foreach (var (client, due) in next.Select(n => (n.Client, n.Due)))
            {
                if (due > now) return due - now < Look ? due - now : Look;
                var line = Task.Run(() => TellAsync(client, stop), CancellationToken.None);
                _lines[client] = line;
                _ = line.ContinueWith(_ => signal.Set(), TaskScheduler.Default);   // only now is it seen to have ended
            }
        }
        catch (Exception lost) when (OAuthSetup.IsDatabaseAway(lost))
        {
            Log.NotRead(logger, lost.Message);
        }

        return Look;
    }

    /// <summary>Tells one client what is due, until it does not answer.</summary>
    private async Task TellAsync(string clientId, CancellationToken stop)
    {
        try
        {
            for (var told = 0; told < MostInOneGo && await TellNextAsync(clientId, stop); told++)
            {
                // There may be more.
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Whoever starts next tells it.
        }
        catch (Exception lost)
        {
            Log.NotRead(logger, lost.Message);
            await Task.Delay(ClientCalls.Patience, time, stop).ContinueWith(_ => { }, TaskScheduler.Default);   // the line stays taken meanwhile
        }
    }

    private async Task<bool> TellNextAsync(string clientId, CancellationToken stop)
    {
        await using var db = await databases.CreateDbContextAsync(stop);
        var now = time.GetUtcNow();
        var ofClient = db.LogoutNotices.Where(n => n.ClientId == clientId);
        if (await ofClient.AsNoTracking().Where(n => n.Due <= now).OrderBy(n => n.Due).ThenBy(n => n.Id).FirstOrDefaultAsync(stop) is not { } notice) return false;

        var (was, held) = (notice.Due, now + Hold);
        var isOurs = await db.LogoutNotices.Where(n => n.Id == notice.Id && n.Due == was)
            .ExecuteUpdateAsync(n => n.SetProperty(x => x.Due, held).SetProperty(x => x.Attempts, x => x.Attempts + 1), stop) == 1;
        if (!isOurs) return true;   // another node has it
        var client = await db.OAuthClients.AsNoTracking().SingleOrDefaultAsync(c => c.ClientId == clientId && c.DeletedAt == null, stop);
        bool isOver;
        try
        {
            isOver = client?.BackChannelLogoutUri is not { } uri || await DeliverAsync(notice, client, uri, stop);
        }
        catch (OperationCanceledException)
        {
            // This process stops: the next may try at once.
            await db.LogoutNotices.Where(n => n.Id == notice.Id).ExecuteUpdateAsync(n => n.SetProperty(x => x.Due, now), CancellationToken.None);
            throw;
        }

        if (isOver)
        {
            await db.LogoutNotices.Where(n => n.Id == notice.Id).ExecuteDeleteAsync(CancellationToken.None);
            return true;
        }

        // The next one would wait as long: all of this client rest, and what is a day old is given up.
        now = time.GetUtcNow();
        var backOff = TimeSpan.FromSeconds(Math.Min(MostBackOff.TotalSeconds, 5 * Math.Pow(2, Math.Min(notice.Attempts, 16))));
        var (again, rested, tooOld) = (now + backOff, now + (backOff < MostRest ? backOff : MostRest), now - GiveUp);
        await db.LogoutNotices.Where(n => n.Id == notice.Id).ExecuteUpdateAsync(n => n.SetProperty(x => x.Due, again), stop);
        await ofClient.Where(n => n.Due < rested).ExecuteUpdateAsync(n => n.SetProperty(x => x.Due, rested), stop);
        if (await ofClient.Where(n => n.Created < tooOld).ExecuteDeleteAsync(stop) is > 0 and var given) Log.GivenUp(logger, clientId, given);
        return false;
    }

    private async Task<bool> DeliverAsync(LogoutNotice notice, OAuthClient client, string uri, CancellationToken stop)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, uri);
            request.Content = new FormUrlEncodedContent([KeyValuePair.Create("logout_token", await TokenAsync(notice, client.SigningAlgorithm, stop))]);
            using var answer = await calls.To(client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);   // what else it says is not read
            // 400 is the client's last word on this token (§2.8); other failures may pass.
            var isOver = (int)answer.StatusCode is (>= 200 and < 300) or 400;
            metrics.LogoutNotice(answer.IsSuccessStatusCode);
            if (!answer.IsSuccessStatusCode) Log.NotTaken(logger, notice.ClientId, (int)answer.StatusCode);
            return isOver;
        }
        catch (Exception lost) when (lost is HttpRequestException or TaskCanceledException && !stop.IsCancellationRequested)
        {
            metrics.LogoutNotice(delivered: false);
            Log.NotReached(logger, notice.ClientId, lost.Message);
            return false;
        }
    }

    private async Task<string> TokenAsync(LogoutNotice notice, string? algorithm, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        return await signer.SignAsync(TokenSigner.LogoutToken, algorithm, new JsonObject
        {
            ["iss"] = options.Value.IssuerName,
            ["sub"] = notice.Account.ToString(),
            ["aud"] = notice.ClientId,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + TokenLifetime).ToUnixTimeSeconds(),
            ["jti"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)),
            ["sid"] = notice.Session.ToString("N"),
            ["events"] = new JsonObject { ["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject() },
        }, cancel);
    }

    private static partial class Log
    {
        [LoggerMessage(2441, LogLevel.Warning, "Client {Client} answered {Status} to the end of a session")]
        public static partial void NotTaken(ILogger logger, string client, int status);

        [LoggerMessage(2442, LogLevel.Warning, "Client {Client} could not be told of the end of a session: {Reason}")]
        public static partial void NotReached(ILogger logger, string client, string reason);

        [LoggerMessage(2444, LogLevel.Warning, "Client {Client} has not answered for a day: {Count} ends of sessions are told no more")]
        public static partial void GivenUp(ILogger logger, string client, int count);

        [LoggerMessage(2443, LogLevel.Warning, "The notices of ended sessions could not be read: {Reason}")]
        public static partial void NotRead(ILogger logger, string reason);
    }
}
