using System.Net;
using System.Net.Quic;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Tollgate.Gateway.Engines.Full;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway.Listening;

/// <summary>Binds Kestrel to the addresses of <c>--urls</c>, within the limits of the options.</summary>
internal static class Listeners
{
    public static void Configure(KestrelServerOptions kestrel, string urls, ListenerOptions options, ServerCertificates? certificates, PriorKnowledge priorKnowledge)
    {
        // A line ends with CR LF. Who also takes a bare LF may see other lines than the proxy before him (RFC 9112 §2.2).
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);

        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        kestrel.RequestHeaderEncodingSelector = HeaderEncodings.OfRequest;
        kestrel.ResponseHeaderEncodingSelector = HeaderEncodings.OfAnswer;
        Limit(kestrel.Limits, options.Limits);

        foreach (var url in urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var address = BindingAddress.Parse(url);
            if (address.Scheme == "https" && certificates is null)
                throw new SettingsException($"--urls {url}: https needs a certificate. Write --Gateway:Certificates:0:Path and its Key or Password.");
            Bind(kestrel, address, listener =>
            {
                if (address.Scheme == "https")
                {
                    if (QuicListener.IsSupported) listener.Protocols = HttpProtocols.Http1AndHttp2AndHttp3;
                    listener.UseHttps(certificates!.Handshake);
                }
                else
                {
                    listener.Use(priorKnowledge.Attach);
                }

                listener.Use(next => CallerConnection.Attach(next, options));
            });
        }

        kestrel.Listen(PriorKnowledge.EndPoint, listener =>
        {
            listener.Protocols = HttpProtocols.Http2;
            listener.Use(next => CallerConnection.Attach(next, options));
        });
    }

    /// <summary>The addresses that callers can use.</summary>
    public static bool IsPublic(string address) => !address.EndsWith(PriorKnowledge.EndPoint.ToString()!, StringComparison.Ordinal);

    private static void Limit(KestrelServerLimits kestrel, ListenerLimits limits)
    {
        kestrel.MaxRequestBodySize = limits.MaxBodyBytes;
        kestrel.MaxRequestHeadersTotalSize = limits.MaxHeaderBytes;
        kestrel.MaxRequestHeaderCount = limits.MaxHeaders;
        kestrel.MaxRequestLineSize = limits.MaxRequestLineBytes;
        kestrel.MaxRequestBufferSize = Math.Max(1_048_576, Math.Max(limits.MaxHeaderBytes, limits.MaxRequestLineBytes));
        kestrel.MaxConcurrentConnections = limits.MaxConnections;
        kestrel.MaxConcurrentUpgradedConnections = limits.MaxUpgradedConnections;
        kestrel.RequestHeadersTimeout = TimeSpan.FromSeconds(limits.HeaderSeconds);
        kestrel.KeepAliveTimeout = TimeSpan.FromSeconds(limits.KeepAliveSeconds);
        kestrel.MinRequestBodyDataRate = limits.MinBodyBytesPerSecond == 0 ? null : new MinDataRate(limits.MinBodyBytesPerSecond, TimeSpan.FromSeconds(5));
        kestrel.Http2.MaxStreamsPerConnection = limits.MaxStreamsPerConnection;
        kestrel.Http2.MaxRequestHeaderFieldSize = limits.MaxHeaderBytes;
    }

    private static void Bind(KestrelServerOptions kestrel, BindingAddress address, Action<ListenOptions> configure)
    {
        if (address.IsUnixPipe) kestrel.ListenUnixSocket(address.UnixPipePath, configure);
        else if (address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) kestrel.ListenLocalhost(address.Port, configure);
        else if (IPAddress.TryParse(address.Host, out var ip)) kestrel.Listen(ip, address.Port, configure);
        else kestrel.ListenAnyIP(address.Port, configure);
    }
}
