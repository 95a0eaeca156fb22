using System.Buffers;

namespace Tollgate.Gateway.Cache;

/// <summary>Keeps a copy of what is written through it, up to a limit.</summary>
internal sealed class AnswerRecorder(Stream inner, int limit, Action overflowed) : Stream
{
    private ArrayBufferWriter<byte>? _copy = new();

    /// <summary>What was written; null = too much was.</summary>
    public byte[]? Body => _copy?.WrittenSpan.ToArray();

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancel = default)
    {
        Copy(buffer.Span);
        return inner.WriteAsync(buffer, cancel);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancel) => WriteAsync(buffer.AsMemory(offset, count), cancel).AsTask();

    public override void Write(byte[] buffer, int offset, int count)
    {
        Copy(buffer.AsSpan(offset, count));
        inner.Write(buffer, offset, count);
    }

    public override Task FlushAsync(CancellationToken cancel) => inner.FlushAsync(cancel);
    public override void Flush() => inner.Flush();
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

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
