using System.Buffers;
using System.IO.Pipelines;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// Writes through to a connection until it is muted with a last word. The server answers a message that is no HTTP without asking anybody; this lets
/// the gateway say why, and keeps the server's own answer from following.
/// </summary>
internal sealed class LastWordOutput(PipeWriter inner) : PipeWriter
{
    private byte[]? _void;

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;
    public override long UnflushedBytes => _void is null ? inner.UnflushedBytes : 0;

    public void Mute(ReadOnlySpan<byte> lastWord)
    {
        if (_void is not null) return;
        inner.Write(lastWord);
        _void = new byte[4096];
    }

    public override void Advance(int bytes)
    {
        if (_void is null) inner.Advance(bytes);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _void is null ? inner.GetMemory(sizeHint) : Scratch(sizeHint);
    public override Span<byte> GetSpan(int sizeHint = 0) => _void is null ? inner.GetSpan(sizeHint) : Scratch(sizeHint);
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);
    public override void CancelPendingFlush() => inner.CancelPendingFlush();
    public override void Complete(Exception? exception = null) => inner.Complete(exception);
    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    private byte[] Scratch(int sizeHint) => sizeHint <= _void!.Length ? _void : _void = new byte[sizeHint];
}
