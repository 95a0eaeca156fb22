using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Tollgate.Identity.Mail;

/// <summary>
/// Delivers letters behind the back of the request: a slow mail server slows nobody down, and its time tells nobody which addresses are known.
/// A letter lives in memory alone, for it carries a token; whoever misses one asks for another.
/// </summary>
internal sealed class MailQueue(IMailCarrier carrier, TimeProvider time, ILogger<MailQueue> logger) : BackgroundService
{
    private const int Capacity = 1000;
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60)];
    private readonly Channel<Letter> _letters = Channel.CreateBounded<Letter>(new BoundedChannelOptions(Capacity) { SingleReader = true });

    public void Send(Letter letter)
    {
        if (!_letters.Writer.TryWrite(letter)) Log.QueueFull(logger, letter.Subject, Capacity);
    }

    protected override async Task ExecuteAsync(CancellationToken cancel)
    {
        try
        {
            await foreach (var letter in _letters.Reader.ReadAllAsync(cancel)) await DeliverAsync(letter, cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            if (_letters.Reader.Count is > 0 and var left) Log.LeftBehind(logger, left);
        }
    }

    private async Task DeliverAsync(Letter letter, CancellationToken cancel)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await carrier.CarryAsync(letter, cancel);
                Log.Delivered(logger, letter.Subject);
                return;
            }
            catch (Exception failure) when (!cancel.IsCancellationRequested)
            {
                if (attempt == Pauses.Length)
                {
                    Log.GivenUp(logger, letter.Subject, failure.Message);
                    return;
                }

                Log.Delayed(logger, letter.Subject, Pauses[attempt].TotalSeconds, failure.Message);
                await Task.Delay(Pauses[attempt], time, cancel);
            }
        }
    }

    private static class Log
    {
        private static readonly Action<ILogger, string, Exception?> DeliveredMessage =
            LoggerMessage.Define<string>(LogLevel.Debug, new EventId(3101, nameof(Delivered)), "A mail went out: {Subject}");

        private static readonly Action<ILogger, string, double, string, Exception?> DelayedMessage =
            LoggerMessage.Define<string, double, string>(LogLevel.Warning, new EventId(3102, nameof(Delayed)), "A mail ({Subject}) is tried again in {Seconds} s: {Reason}");

        private static readonly Action<ILogger, string, string, Exception?> GivenUpMessage =
            LoggerMessage.Define<string, string>(LogLevel.Error, new EventId(3103, nameof(GivenUp)), "A mail ({Subject}) could not be delivered and is given up: {Reason}");

        private static readonly Action<ILogger, string, int, Exception?> QueueFullMessage =
            LoggerMessage.Define<string, int>(LogLevel.Error, new EventId(3104, nameof(QueueFull)), "A mail ({Subject}) was dropped: {Capacity} others wait for the mail server");

        private static readonly Action<ILogger, int, Exception?> LeftBehindMessage =
            LoggerMessage.Define<int>(LogLevel.Warning, new EventId(3105, nameof(LeftBehind)), "{Count} mails were still waiting at the stop and are lost");

        public static void Delivered(ILogger logger, string subject) => DeliveredMessage(logger, subject, null);

        public static void Delayed(ILogger logger, string subject, double seconds, string reason) => DelayedMessage(logger, subject, seconds, reason, null);

        public static void GivenUp(ILogger logger, string subject, string reason) => GivenUpMessage(logger, subject, reason, null);

        public static void QueueFull(ILogger logger, string subject, int capacity) => QueueFullMessage(logger, subject, capacity, null);

        public static void LeftBehind(ILogger logger, int count) => LeftBehindMessage(logger, count, null);
    }
}
