using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// <c>Tollgate.Gateway journal DIR [--sum]</c>: what a journal holds, as JSON lines. Reads only, so it works beside a running gateway and after a crash.
/// </summary>
public static class JournalCommand
{
    private const string Usage =
        "Usage: Tollgate.Gateway journal DIR [--sum]\n  DIR    a gateway's data folder, or the journal folder in it\n  --sum  one line an application, product and status instead of one a call";

    /// <param name="args">What follows the word <c>journal</c> on the command line; the word itself is tolerated.</param>
    /// <returns>0, or 2 when it could not do what was asked.</returns>
    public static int Run(string[] args)
    {
        using var output = new BufferedStream(Console.OpenStandardOutput(), 1 << 16);
        return Run(args, output, Console.Error);
    }

    internal static int Run(string[] args, Stream output, TextWriter errors)
    {
        var words = args is ["journal", .. var rest] ? rest : args;
        var sum = words.Contains("--sum");
        var folders = words.Where(word => word != "--sum").ToArray();
        if (folders.Any(word => word is "--help" or "-h"))
        {
            errors.WriteLine(Usage);
            return 0;
        }

        if (folders is not [var given] || given.StartsWith("--", StringComparison.Ordinal)) return Fail(errors, Usage);
        if (!Directory.Exists(given)) return Fail(errors, $"There is no folder '{given}'.");
        if (FolderIn(given) is not { } folder)
            return Fail(errors, $"'{given}' holds no journal. Give a gateway's data folder (what it was started with as --data), or the journal folder in it.");
        try
        {
            Print(folder, sum, output, errors);
            output.Flush();
            return 0;
        }
        catch (IOException gone) when (gone.Message.Contains("Broken pipe", StringComparison.OrdinalIgnoreCase))
        {
            return 0;       // the reader has seen enough: journal DIR | head
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Fail(errors, $"The journal in '{folder}' cannot be read: {failure.Message}");
        }
    }

    private static int Fail(TextWriter errors, string sentence)
    {
        errors.WriteLine(sentence);
        return 2;
    }

    private static string? FolderIn(string given)
    {
        foreach (var folder in new[] { JournalOptions.FolderOf(given), given })
            if (Directory.Exists(folder) && (File.Exists(Path.Combine(folder, JournalState.FileName)) || Directory.EnumerateFiles(folder, JournalSegment.FilePattern).Any()))
                return folder;
        return null;
    }

    private static void Print(string folder, bool sum, Stream output, TextWriter errors)
    {
        var accounts = new KnownAccounts(Path.Combine(folder, JournalAccounts.FileName));
        var sums = new Dictionary<(string Application, string Id, string Product, int Status), Total>();
        var line = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(line, new JsonWriterOptions { SkipValidation = true });
        var torn = 0;
        foreach (var record in JournalReader.Records(folder))
        {
            if (record.IsTorn) torn++;
            if (!record.IsWhole) continue;
            var account = accounts.Find(record.Account);
            if (!sum)
            {
                Write(json, record, account);
                End(json, line, output);
                continue;
            }

            var key = (account?.ApplicationName ?? "?", account?.Application.ToString() ?? "?", account?.Product ?? "?", (int)record.Status);
            if (!sums.TryGetValue(key, out var total)) sums[key] = total = new Total();
            total.Calls++;
            total.Units += record.Units;
            total.BytesOut += record.BytesOut;
            total.DurationUs += record.DurationUs;
            if (account is not { Owner.IsTest: true }) continue;
            total.TestCalls++;
            total.TestUnits += record.Units;
        }

        foreach (var (key, total) in sums.OrderBy(entry => entry.Key))
        {
            json.WriteStartObject();
            json.WriteString("application", key.Application);
            json.WriteString("applicationId", key.Id);
            json.WriteString("product", key.Product);
            json.WriteNumber("status", key.Status);
            json.WriteNumber("calls", total.Calls);
            json.WriteNumber("units", total.Units);
            json.WriteNumber("bytesOut", total.BytesOut);
            json.WriteNumber("durationUs", total.DurationUs);
            if (total.TestCalls > 0)    // of the calls and units above
            {
                json.WriteNumber("testCalls", total.TestCalls);
                json.WriteNumber("testUnits", total.TestUnits);
            }

            json.WriteEndObject();
            End(json, line, output);
        }

        if (torn > 0) errors.WriteLine($"{torn} records were not written whole before a crash and are left out.");
    }

    private static void Write(Utf8JsonWriter json, in JournalRecord record, JournalAccount? account)
    {
        json.WriteStartObject();
        json.WriteString("application", account?.ApplicationName ?? "?");
        json.WriteString("applicationId", account?.Application.ToString() ?? "?");
        json.WriteString("subscription", account?.Subscription.ToString() ?? "?");
        json.WriteString("credential", account?.Credential ?? "?");
        json.WriteString("product", account?.Product ?? "?");
        json.WriteString("route", account?.Route ?? "?");
        json.WriteString("meter", account?.Meter ?? "?");
        json.WriteNumber("status", record.Status);
        json.WriteNumber("units", record.Units);
        json.WriteString("arrived", Iso(record.ArrivedUnixMs));
        json.WriteString("requestId", RequestId(record.RequestId));
        if (record.HasEnded)
        {
            json.WriteNumber("bytesOut", record.BytesOut);
            json.WriteNumber("durationUs", record.DurationUs);
        }
        else
        {
            json.WriteNull("bytesOut");
            json.WriteNull("durationUs");
        }

        json.WriteEndObject();
    }

    private static string Iso(long unixMs) =>
        unixMs is >= -62135596800000 and <= 253402300799999
            ? DateTimeOffset.FromUnixTimeMilliseconds(unixMs).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
            : unixMs.ToString(CultureInfo.InvariantCulture);

    /// <summary>As the caller saw it where the gateway chose it: a UUID.</summary>
    private static Guid RequestId(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new Guid(bytes, bigEndian: true);
    }

    private static void End(Utf8JsonWriter json, ArrayBufferWriter<byte> line, Stream output)
    {
        json.Flush();
        json.Reset();
        output.Write(line.WrittenSpan);
        output.WriteByte((byte)'\n');
        line.ResetWrittenCount();
    }

    private sealed class Total
    {
        public long Calls;
        public long Units;
        public long BytesOut;
        public long DurationUs;
        public long TestCalls;
        public long TestUnits;
    }

    /// <summary>The dictionary as far as it was written; read again when a record names someone newer.</summary>
    private sealed class KnownAccounts(string path)
    {
        private readonly Dictionary<int, JournalAccount> _known = [];
        private readonly HashSet<int> _missing = [];

        public JournalAccount? Find(int number)
        {
            if (_known.TryGetValue(number, out var account)) return account;
            if (!_missing.Add(number) || !File.Exists(path)) return null;
            foreach (var entry in JournalAccounts.Entries(path)) _known[entry.Number] = entry.Account;
            return _known.TryGetValue(number, out account) ? account : null;
        }
    }
}
