using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// Takes connections to upstreams, with a time-out that a route may set. Secrets are agreed on here too: the handler would take the name for that from the
/// call's <c>Host</c>, which may be its caller's.
/// </summary>
internal static class UpstreamConnect
{
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(10);

    private static readonly HttpRequestOptionsKey<int> Within = new("tollgate.connect-ms");

    private static readonly List<SslApplicationProtocol> First = [SslApplicationProtocol.Http11];
    private static readonly List<SslApplicationProtocol> SecondAlone = [SslApplicationProtocol.Http2];
    private static readonly List<SslApplicationProtocol> Both = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    public static void Limit(HttpRequestMessage message, int connectMs) => message.Options.Set(Within, connectMs);

    /// <summary>The handler's connect callback.</summary>
    /// <param name="options">What is asked of a service's certificate, and which of ours it sees.</param>
    /// <param name="serverName">Whom to ask for; null = the host that is called.</param>
    public static Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> By(SslClientAuthenticationOptions options, string? serverName) =>
        (context, cancel) => ConnectAsync(context, options, serverName, cancel);

    /// <summary>The same where a proxy may stand between: what is connected here is the proxy, and the handler goes on from there.</summary>
    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        using var limit = LimitOf(context, cancel);
        return await ReachAsync(context, limit, cancel);
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, SslClientAuthenticationOptions options, string? serverName, CancellationToken cancel)
    {
        using var limit = LimitOf(context, cancel);
        var stream = await ReachAsync(context, limit, cancel);
        var message = context.InitialRequestMessage;
        if (message.RequestUri!.Scheme is not ("https" or "wss")) return stream;

        var secured = new SslStream(stream);
        try
        {
            await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = serverName ?? context.DnsEndPoint.Host,
                ApplicationProtocols = ProtocolsOf(message),
                CertificateChainPolicy = options.CertificateChainPolicy,
                ClientCertificateContext = options.ClientCertificateContext,
                RemoteCertificateValidationCallback = options.RemoteCertificateValidationCallback,
                CertificateRevocationCheckMode = options.CertificateRevocationCheckMode,
            }, limit.Token);
            return secured;
        }
        catch (Exception failed)
        {
            await secured.DisposeAsync();
            cancel.ThrowIfCancellationRequested();
            throw failed as AuthenticationException ?? new AuthenticationException("No secrets could be agreed on.", failed);
        }
    }

    private static async ValueTask<NetworkStream> ReachAsync(SocketsHttpConnectionContext context, CancellationTokenSource limit, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
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

    private static CancellationTokenSource LimitOf(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(context.InitialRequestMessage.Options.TryGetValue(Within, out var connectMs) ? TimeSpan.FromMilliseconds(connectMs) : Usual);
        return limit;
    }

    // What the handler itself would offer.
    private static List<SslApplicationProtocol> ProtocolsOf(HttpRequestMessage message) =>
        message.Version.Major >= 2 ? message.VersionPolicy == HttpVersionPolicy.RequestVersionExact ? SecondAlone : Both
        : message.VersionPolicy == HttpVersionPolicy.RequestVersionOrHigher ? Both : First;
}
