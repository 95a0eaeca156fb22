using System.Buffers;
using Tollgate.Gateway.Transport;

namespace Tollgate.Gateway.Cache;

/// <summary>Keeps a copy of what is written through it, up to a limit.</summary>
internal sealed class AnswerRecorder(Stream inner, int limit, Action overflowed) : WriteOnlyStream
{
    private ArrayBufferWriter<byte>? _copy = new();

    /// <summary>What was written; null = too much was.</summary>
    public byte[]? Body => _copy?.WrittenSpan.ToArray();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancel = default)
    {
        Copy(buffer.Span);
        return inner.WriteAsync(buffer, cancel);
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        Copy(buffer.AsSpan(offset, count));
        inner.Write(buffer, offset, count);
    }

    public override Task FlushAsync(CancellationToken cancel) => inner.FlushAsync(cancel);
    public override void Flush() => inner.Flush();

    private void Copy(ReadOnlySpan<byte> bytes)
    {
        if (_copy is null) return;
        if (_copy.WrittenCount + bytes.Length <= limit)
        {
            _copy.Write(bytes);
            return;
        }

        _copy = null;
        overflowed();
    }
}
