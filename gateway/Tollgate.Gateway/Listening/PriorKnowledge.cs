using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Tollgate.Gateway.Listening;

/// <summary>
/// HTTP/2 without TLS on a port that speaks HTTP/1.1 too. A client that knows begins with the preface (RFC 9113 §3.3); its connection, with the bytes
/// already read, is handed to a listener for HTTP/2 alone that has no socket of its own.
/// </summary>
internal sealed class PriorKnowledge(TimeSpan patience) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly Channel<ConnectionContext> _handedOver = Channel.CreateUnbounded<ConnectionContext>();

    /// <summary>Where the listener is bound. No address.</summary>
    public static EndPoint EndPoint { get; } = new Nowhere();

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    public bool CanBind(EndPoint endpoint) => endpoint is Nowhere;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => ValueTask.FromResult<IConnectionListener>(new Listener(_handedOver));

    /// <summary>Connection middleware that looks at the first bytes.</summary>
    public ConnectionDelegate Attach(ConnectionDelegate next) => connection => TellAsync(connection, next);

    private async Task TellAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        using (var limit = new CancellationTokenSource(patience))
        {
            var input = connection.Transport.Input;
            while (true)
            {
                ReadResult read;
                try
                {
                    read = await input.ReadAsync(limit.Token);
                }
                catch (OperationCanceledException)
                {
                    return;    // nothing was said for long: closed
                }

                var begins = Begins(read.Buffer, out var whole);
                input.AdvanceTo(read.Buffer.Start, begins && !whole && !read.IsCompleted ? read.Buffer.End : read.Buffer.Start);
                if (read.IsCompleted && read.Buffer.IsEmpty) return;
                if (whole) break;
                if (begins && !read.IsCompleted) continue;
                await next(connection);
                return;
            }
        }

        var handed = new HandedConnection(connection);
        if (_handedOver.Writer.TryWrite(handed)) await handed.Ended;
    }

    private static bool Begins(in ReadOnlySequence<byte> buffer, out bool whole)
    {
        Span<byte> first = stackalloc byte[Preface.Length];
        var length = (int)Math.Min(buffer.Length, first.Length);
        buffer.Slice(0, length).CopyTo(first);
        whole = length == Preface.Length && first.SequenceEqual(Preface);
        return length > 0 && Preface.StartsWith(first[..length]);
    }

    private sealed class Nowhere : EndPoint
    {
        public override string ToString() => "prior-knowledge";
    }

    private sealed class Listener(Channel<ConnectionContext> handedOver) : IConnectionListener
    {
        private readonly CancellationTokenSource _unbound = new();

        public EndPoint EndPoint => PriorKnowledge.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _unbound.Token);
                return await handedOver.Reader.ReadAsync(either.Token);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _unbound.Cancel();
            return default;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }

    /// <summary>The same connection, whose end the first pipeline waits for.</summary>
    private sealed class HandedConnection(ConnectionContext inner) : ConnectionContext
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ended => _ended.Task;
        public override string ConnectionId { get => inner.ConnectionId; set => inner.ConnectionId = value; }
        public override IFeatureCollection Features => inner.Features;
        public override IDictionary<object, object?> Items { get => inner.Items; set => inner.Items = value; }
        public override IDuplexPipe Transport { get => inner.Transport; set => inner.Transport = value; }
        public override EndPoint? LocalEndPoint { get => inner.LocalEndPoint; set => inner.LocalEndPoint = value; }
        public override EndPoint? RemoteEndPoint { get => inner.RemoteEndPoint; set => inner.RemoteEndPoint = value; }
        public override CancellationToken ConnectionClosed { get => inner.ConnectionClosed; set => inner.ConnectionClosed = value; }
        public override void Abort(ConnectionAbortedException abortReason) => inner.Abort(abortReason);
        public override void Abort() => inner.Abort();

        public override ValueTask DisposeAsync()
        {
            _ended.TrySetResult();
            return default;
        }
    }
}
