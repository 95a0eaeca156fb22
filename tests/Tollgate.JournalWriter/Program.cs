using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Policy.Metering;

// A process to be killed: writes journal records on several threads and says on its output, after the fact, how far each has come.
// Arguments: data folder, number of this life, threads, and a control plane when it should ship as well.
var (data, life, threads) = (args[0], ulong.Parse(args[1], CultureInfo.InvariantCulture), int.Parse(args[2], CultureInfo.InvariantCulture));
var controlPlane = args.Length > 3 ? new Uri(args[3]) : null;
var journal = Journal.Open(new JournalOptions { DataFolder = data, SegmentRecords = 8192, MaxBytes = 512 << 20, Ships = controlPlane is not null });
if (controlPlane is not null)
    await new UsageShipper(journal, controlPlane, "tgw_test", UsageShipper.CreateClient(), TimeProvider.System, NullLogger<UsageShipper>.Instance, TimeSpan.FromMilliseconds(20))
        .StartAsync(default);
var account = journal.AccountOf(new JournalAccount(new SubscriptionId(new Guid(1, 0, 0, new byte[8])), new AppId(new Guid(2, 0, 0, new byte[8])), "app", "key", "weather", "forecast", "requests"));
Console.WriteLine("ready");
var said = new Lock();
for (var i = 0; i < threads; i++)
{
    var thread = (ulong)i;
    new Thread(() =>
    {
        for (ulong written = 0; ;)
        {
            if (!journal.IsAccepting)
            {
                lock (said) Console.WriteLine("refusing");
                Thread.Sleep(50);
                continue;
            }

            var slot = journal.Record(account, 200, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), 1, new UInt128(life << 32 | thread, written));
            if (!slot.IsRecorded) throw new InvalidOperationException("accepted and not recorded");
            if (++written % 3 != 0) journal.Complete(slot, 1, 1);
            if (written % 50 != 0) continue;
            lock (said) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"wrote {life} {thread} {written}"));
            Thread.Sleep(1);
        }
    }).Start();
}

Thread.Sleep(Timeout.Infinite);
