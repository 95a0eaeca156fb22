using Tollgate.Gateway.Transport;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Counts what is written through it, for answers that do not say their length.</summary>
internal sealed class CountingStream(Stream inner) : WriteOnlyStream
{
    public long Written { get; private set; }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancel = default)
    {
        Written += buffer.Length;
        return inner.WriteAsync(buffer, cancel);
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        Written += count;
        inner.Write(buffer, offset, count);
    }

    public override Task FlushAsync(CancellationToken cancel) => inner.FlushAsync(cancel);
    public override void Flush() => inner.Flush();
}
