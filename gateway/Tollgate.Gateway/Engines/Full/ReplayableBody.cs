using System.Buffers;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>A request body that remembers what was read of it, up to a limit, so that it can be sent once more or to somebody else besides.</summary>
internal sealed class ReplayableBody(Stream inner, int most) : Stream
{
    private byte[] _kept = [];
    private int _length;
    private int _position;
    private bool _ended;

    /// <summary>Everything that was read is still there.</summary>
    public bool IsReplayable { get; private set; } = true;

    /// <summary>The whole body was read and is still there.</summary>
    public bool IsWhole => IsReplayable && _ended;

    public ReadOnlySpan<byte> Kept => _kept.AsSpan(0, _length);

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>What was read comes once more, then the rest.</summary>
    public void Rewind() => _position = 0;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancel = default)
    {
        if (IsReplayable && _position < _length)
        {
            var again = Math.Min(buffer.Length, _length - _position);
            _kept.AsMemory(_position, again).CopyTo(buffer);
            _position += again;
            return again;
        }

        var read = await inner.ReadAsync(buffer, cancel);
        if (read == 0 && buffer.Length > 0) _ended = true;
        else Keep(buffer.Span[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancel) => ReadAsync(buffer.AsMemory(offset, count), cancel).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Flush() => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Forgets what was kept.</summary>
    public void Forget()
    {
        IsReplayable = false;
        if (_kept.Length > 0) ArrayPool<byte>.Shared.Return(_kept);
        _kept = [];
        _length = 0;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (!IsReplayable) return;
        if (_length + bytes.Length > most)
        {
            Forget();
            return;
        }

        if (_length + bytes.Length > _kept.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(4096, Math.Min(most, (_length + bytes.Length) * 2)));
            Kept.CopyTo(larger);
            if (_kept.Length > 0) ArrayPool<byte>.Shared.Return(_kept);
            _kept = larger;
        }

        bytes.CopyTo(_kept.AsSpan(_length));
        _length += bytes.Length;
        _position = _length;
    }
}
