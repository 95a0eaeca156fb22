using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>Reads segment files, whoever writes them: it opens them for reading, takes no lock and maps nothing.</summary>
internal static class JournalReader
{
    /// <summary>The segments of a folder in order; those released while it looks are left out.</summary>
    public static IEnumerable<JournalRecord> Records(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, JournalSegment.FilePattern).Order(StringComparer.Ordinal))
        {
            SafeFileHandle file;
            try
            {
                file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            }
            catch (FileNotFoundException)
            {
                continue;
            }

            using (file)
            {
                if (ReadHeader(file) is null) continue;
                var buffer = new JournalRecord[4096];
                for (int from = 0, read; (read = ReadRecords(file, from, buffer)) > 0; from += read)
                    for (var i = 0; i < read; i++)
                        yield return buffer[i];
            }
        }
    }

    public static JournalSegmentHeader? ReadHeader(SafeFileHandle file)
    {
        Span<byte> page = stackalloc byte[256];
        var read = Fill(file, page, 0);
        return JournalSegmentHeader.TryRead(page[..read], out var header) ? header : null;
    }

    /// <summary>Reads whole slots from <paramref name="from"/> on, as many as the file has and the buffer holds.</summary>
    public static int ReadRecords(SafeFileHandle file, int from, Span<JournalRecord> into) =>
        Fill(file, MemoryMarshal.AsBytes(into), JournalSegment.HeaderBytes + (long)from * JournalRecord.SizeBytes) / JournalRecord.SizeBytes;

    private static int Fill(SafeFileHandle file, Span<byte> into, long offset)
    {
        var filled = 0;
        while (filled < into.Length)
        {
            var read = RandomAccess.Read(file, into[filled..], offset + filled);
            if (read == 0) break;
            filled += read;
        }

        return filled;
    }
}
