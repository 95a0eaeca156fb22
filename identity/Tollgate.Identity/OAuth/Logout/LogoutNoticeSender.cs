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

/// <summary>Tells clients of sessions that have ended (OpenID Connect Back-Channel Logout §2.5), and tries again for a day where nobody answers.</summary>
internal sealed partial class LogoutNoticeSender(
    IDbContextFactory<IdentityDb> databases, TokenSigner signer, LogoutSignal signal, OAuthMetrics metrics, IOptions<TollgateIdentityOptions> options,
    TimeProvider time, ILogger<LogoutNoticeSender> logger) : BackgroundService
{
    private const int AtOnce = 20;
    private const int MostAttempts = 12;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromMinutes(2);

    /// <summary>Who sets the signal may be a moment before the commit.</summary>
    private static readonly TimeSpan Commit = TimeSpan.FromMilliseconds(500);

    private readonly HttpClient _anywhere = Caller(null), _outside = Caller(PublicNetwork.ConnectAsync);

    public override void Dispose()
    {
        _anywhere.Dispose();
        _outside.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                while (await SendDueAsync(stop) == AtOnce)
                {
                    // There is more.
                }

                if (!await signal.WaitAsync(Look, stop)) continue;
                if (await SendDueAsync(stop) == 0) await Task.Delay(Commit, time, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception lost) when (OAuthSetup.IsDatabaseAway(lost))
            {
                Log.NotRead(logger, lost.Message);
                await Task.Delay(Look, time, stop).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
    }

    private async Task<int> SendDueAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var now = time.GetUtcNow();
        var due = await db.LogoutNotices.AsNoTracking().Where(n => n.Due <= now).OrderBy(n => n.Due).Take(AtOnce).ToListAsync(cancel);
        await Task.WhenAll(due.Select(notice => SendAsync(notice, cancel)));
        return due.Count;
    }

    private async Task SendAsync(LogoutNotice notice, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var (was, next) = (notice.Due, time.GetUtcNow() + TimeSpan.FromSeconds(Math.Min(7_200, 5 * Math.Pow(2, notice.Attempts))));
        var isOurs = await db.LogoutNotices.Where(n => n.Id == notice.Id && n.Due == was)
            .ExecuteUpdateAsync(n => n.SetProperty(x => x.Due, next).SetProperty(x => x.Attempts, x => x.Attempts + 1), cancel) == 1;
        if (!isOurs) return;   // another node has it
        var client = await db.OAuthClients.AsNoTracking().SingleOrDefaultAsync(c => c.ClientId == notice.ClientId, cancel);
        var isOver = client?.BackChannelLogoutUri is not { } uri || await DeliverAsync(notice, client, uri, cancel);
        if (isOver || notice.Attempts + 1 >= MostAttempts) await db.LogoutNotices.Where(n => n.Id == notice.Id).ExecuteDeleteAsync(cancel);
    }

    private async Task<bool> DeliverAsync(LogoutNotice notice, OAuthClient client, string uri, CancellationToken cancel)
    {
        try
        {
            using var form = new FormUrlEncodedContent([KeyValuePair.Create("logout_token", await TokenAsync(notice, client.SigningAlgorithm, cancel))]);
            using var answer = await (options.Value.CallsAnywhere || client.IsOfTheOperator ? _anywhere : _outside).PostAsync(uri, form, cancel);
            // 400 is the client's last word on this token (§2.8); other failures may pass.
            var isOver = (int)answer.StatusCode is (>= 200 and < 300) or 400;
            metrics.LogoutNotice(answer.IsSuccessStatusCode);
            if (!answer.IsSuccessStatusCode) Log.NotTaken(logger, notice.ClientId, (int)answer.StatusCode);
            return isOver;
        }
        catch (Exception lost) when (lost is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            metrics.LogoutNotice(delivered: false);
            Log.NotReached(logger, notice.ClientId, lost.Message);
            return false;
        }
    }

    private static HttpClient Caller(Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? connect)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(3) };
        if (connect is not null) handler.ConnectCallback = connect;
        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(5), MaxResponseContentBufferSize = 64 * 1024 };
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

        [LoggerMessage(2443, LogLevel.Warning, "The notices of ended sessions could not be read: {Reason}")]
        public static partial void NotRead(ILogger logger, string reason);
    }
}
