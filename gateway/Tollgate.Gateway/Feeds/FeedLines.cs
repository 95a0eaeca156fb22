using System.Buffers;
using System.IO.Pipelines;

namespace Tollgate.Gateway.Feeds;

/// <summary>Cuts a stream into lines without holding more than one of them.</summary>
internal static class FeedLines
{
    public const int LongestLine = 1 << 20;

    public delegate void OnLine(ReadOnlySpan<byte> line);

    /// <summary>Calls <paramref name="onLine"/> for every line that ends with a line feed. Answers whether anything was left after the last.</summary>
    /// <param name="beforeRead">Called before every wait for more.</param>
    public static async Task<bool> ReadAsync(Stream stream, OnLine onLine, Action? beforeRead, CancellationToken cancel)
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024));
        try
        {
            while (true)
            {
                beforeRead?.Invoke();
                var result = await reader.ReadAsync(cancel);
                var rest = Take(result.Buffer, onLine);
                if (result.IsCompleted)
                    return !rest.IsEmpty;
                if (rest.Length > LongestLine)
                    throw new FeedException($"A line of the feed is longer than {LongestLine} bytes.");
                reader.AdvanceTo(rest.Start, rest.End);
            }
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    private static ReadOnlySequence<byte> Take(ReadOnlySequence<byte> buffer, OnLine onLine)
    {
        while (buffer.PositionOf((byte)'\n') is { } end)
        {
            var line = buffer.Slice(0, end);
            if (line.IsSingleSegment)
            {
                onLine(line.FirstSpan);
            }
            else
            {
                var length = (int)line.Length;
                var rented = ArrayPool<byte>.Shared.Rent(length);
                line.CopyTo(rented);
                onLine(rented.AsSpan(0, length));
                ArrayPool<byte>.Shared.Return(rented);
            }
            buffer = buffer.Slice(buffer.GetPosition(1, end));
        }
        return buffer;
    }
}
