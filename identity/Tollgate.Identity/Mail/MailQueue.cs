using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Mail;

/// <summary>
/// Delivers letters behind the back of the request: a slow mail server slows nobody down, and its time tells nobody which addresses are known.
/// What waits lies sealed in the database, so that it survives a stop, and any node delivers it, once.
/// </summary>
internal sealed partial class MailQueue(
    IDbContextFactory<IdentityDb> databases, IMailCarrier carrier, IDataProtectionProvider protection, TimeProvider time, ILogger<MailQueue> logger) : BackgroundService
{
    private const int Capacity = 10_000;
    private static readonly TimeSpan Patience = TimeSpan.FromDays(1);
    private static readonly TimeSpan Turn = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan[] Pauses = [.. new[] { 1, 10, 60, 300, 900, 3600 }.Select(seconds => TimeSpan.FromSeconds(seconds))];
    private readonly IDataProtector _seal = protection.CreateProtector("Tollgate.Mail");
    private readonly SemaphoreSlim _news = new(0, 1);

    /// <summary>Takes a letter on: from here on it is delivered, though this process be killed.</summary>
    public async Task SendAsync(Letter letter, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.OutgoingMails.CountAsync(cancel) >= Capacity)
        {
            Log.QueueFull(logger, letter.Subject, Capacity);
            return;
        }

        db.Add(new OutgoingMail { Id = Guid.CreateVersion7(now), Sealed = _seal.Protect(letter.Write()), Created = now, Due = now });
        await db.SaveChangesAsync(cancel);
        Wake();
    }

    protected override async Task ExecuteAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                while (await TakeAsync(cancel) is { } mail) await DeliverAsync(mail, cancel);
                await _news.WaitAsync(LookEvery, cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception lost)
            {
                Log.Unreachable(logger, lost.Message);
                await Task.Delay(LookEvery, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    public override void Dispose()
    {
        _news.Dispose();
        base.Dispose();
    }

    private void Wake()
    {
        try
        {
            _news.Release();
        }
        catch (SemaphoreFullException)
        {
            // Woken already.
        }
    }

    /// <summary>The next letter that is due, taken out of the other nodes' hands for a while. Who dies with it in hand leaves it to them.</summary>
    private async Task<OutgoingMail?> TakeAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        while (true)
        {
            var now = time.GetUtcNow();
            if (await db.OutgoingMails.AsNoTracking().Where(m => m.Due <= now).OrderBy(m => m.Due).FirstOrDefaultAsync(cancel) is not { } mail) return null;
            if (await db.OutgoingMails.Where(m => m.Id == mail.Id && m.Due == mail.Due)
                    .ExecuteUpdateAsync(m => m.SetProperty(x => x.Due, now + Turn).SetProperty(x => x.Attempts, x => x.Attempts + 1), cancel) == 1)
                return mail;
        }
    }

    private async Task DeliverAsync(OutgoingMail mail, CancellationToken cancel)
    {
        var subject = "unreadable";
        try
        {
            var letter = Letter.Read(_seal.Unprotect(mail.Sealed));
            subject = letter.Subject;
            await carrier.CarryAsync(letter, cancel);
            await RemoveAsync(mail, CancellationToken.None);
            Log.Delivered(logger, subject);
        }
        catch (CryptographicException)
        {
            await RemoveAsync(mail, cancel);   // the key ring is another: nobody can read it any more
            Log.GivenUp(logger, subject, "its seal cannot be opened");
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            await PutOffAsync(mail, time.GetUtcNow());   // this process stops: the next may try at once
            throw;
        }
        catch (Exception failure)
        {
            var pause = Pauses[Math.Min(mail.Attempts, Pauses.Length - 1)];
            var next = time.GetUtcNow() + pause;
            if (next - mail.Created > Patience)
            {
                await RemoveAsync(mail, cancel);
                Log.GivenUp(logger, subject, failure.Message);
                return;
            }

            await PutOffAsync(mail, next);
            Log.Delayed(logger, subject, pause.TotalSeconds, failure.Message);
        }
    }

    private async Task PutOffAsync(OutgoingMail mail, DateTimeOffset due)
    {
        await using var db = await databases.CreateDbContextAsync(CancellationToken.None);
        await db.OutgoingMails.Where(m => m.Id == mail.Id).ExecuteUpdateAsync(m => m.SetProperty(x => x.Due, due), CancellationToken.None);
    }

    private async Task RemoveAsync(OutgoingMail mail, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.OutgoingMails.Where(m => m.Id == mail.Id).ExecuteDeleteAsync(cancel);
    }

    private static partial class Log
    {
        [LoggerMessage(3101, LogLevel.Debug, "A mail went out: {Subject}")]
        public static partial void Delivered(ILogger logger, string subject);

        [LoggerMessage(3102, LogLevel.Warning, "A mail ({Subject}) is tried again in {Seconds} s: {Reason}")]
        public static partial void Delayed(ILogger logger, string subject, double seconds, string reason);

        [LoggerMessage(3103, LogLevel.Error, "A mail ({Subject}) could not be delivered and is given up: {Reason}")]
        public static partial void GivenUp(ILogger logger, string subject, string reason);

        [LoggerMessage(3104, LogLevel.Error, "A mail ({Subject}) was dropped: {Capacity} others wait for the mail server")]
        public static partial void QueueFull(ILogger logger, string subject, int capacity);

        [LoggerMessage(3105, LogLevel.Warning, "The mails that wait could not be looked at: {Reason}")]
        public static partial void Unreachable(ILogger logger, string reason);
    }
}
