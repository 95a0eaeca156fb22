using System.Net.Sockets;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Takes connections to upstreams, with a time-out that a route may set.</summary>
internal static class UpstreamConnect
{
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(10);

    private static readonly HttpRequestOptionsKey<int> Within = new("tollgate.connect-ms");

    public static void Limit(HttpRequestMessage message, int connectMs) => message.Options.Set(Within, connectMs);

    /// <summary>The handler's connect callback.</summary>
    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var within = context.InitialRequestMessage.Options.TryGetValue(Within, out var connectMs) ? TimeSpan.FromMilliseconds(connectMs) : Usual;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(within);
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, limit.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception failed)
        {
            socket.Dispose();
            if (failed is OperationCanceledException && !cancel.IsCancellationRequested) throw new SocketException((int)SocketError.TimedOut);
            throw;
        }
    }
}
