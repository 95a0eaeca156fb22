using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Gateway.Listening;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>What stays the same for every call of a connection, found out once.</summary>
internal sealed class CallerConnection
{
    private const int FreeResets = 200;

    private Element? _element;
    private ConnectionContext? _connection;
    private int _calls;
    private int _resets;

    private CallerConnection(IPAddress? address, ListenerOptions options, bool isTls, string? subject)
    {
        Address = address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        AddressText = Address?.ToString() ?? "unknown";
        IsTrusted = Address is not null && !options.TrustedProxies.IsEmpty && options.TrustedProxies.Contains(Address);
        IsTls = isTls;
        Scheme = isTls ? "https" : "http";
        CertificateSubject = subject;
        Options = options;
    }

    public IPAddress? Address { get; }
    public string AddressText { get; }
    public bool IsTls { get; }
    public string Scheme { get; }

    /// <summary>A proxy of ours: what it says of the caller is believed.</summary>
    public bool IsTrusted { get; }

    /// <summary>Of the certificate that the other end showed; null = none.</summary>
    public string? CertificateSubject { get; }

    public ListenerOptions Options { get; }

    /// <summary>Where the server writes its answers; null but for HTTP/1.</summary>
    public LastWordOutput? Output { get; private set; }

    /// <summary>Connection middleware that makes it a feature of the connection.</summary>
    public static ConnectionDelegate Attach(ConnectionDelegate next, ListenerOptions options) => connection =>
    {
        var tls = connection.Features.Get<ITlsConnectionFeature>();
        var caller = new CallerConnection((connection.RemoteEndPoint as IPEndPoint)?.Address, options, tls is not null, tls?.ClientCertificate?.Subject);
        connection.Features.Set(caller);
        caller._connection = connection;

        // The transport can be replaced before the protocol is known; HTTP/2 just writes through.
        caller.Output = new LastWordOutput(connection.Transport.Output);
        connection.Transport = new Duplex(connection.Transport.Input, caller.Output);
        return next(connection);
    };

    public static CallerConnection Of(IPAddress? address, bool isTls, ListenerOptions options) => new(address, options, isTls, null);

    /// <summary>This hop as an element of <c>Forwarded</c> (RFC 7239).</summary>
    public string ForwardedElement(string host)
    {
        if (Volatile.Read(ref _element) is { } known && known.Host == host) return known.Text;
        var node = Address is null ? "unknown" : Address.AddressFamily == AddressFamily.InterNetworkV6 ? $"\"[{AddressText}]\"" : AddressText;
        var named = host.Length > 0 && host.AsSpan().IndexOfAny('"', '\\') < 0 ? $";host=\"{host}\"" : "";
        var element = new Element(host, $"for={node}{named};proto={Scheme}");
        Volatile.Write(ref _element, element);
        return element.Text;
    }

    /// <summary>
    /// Counts a call of an HTTP/2 connection. One that opens streams only to reset them costs its services more than it costs its caller, and is cut off.
    /// </summary>
    public void Count(bool reset)
    {
        var calls = Interlocked.Increment(ref _calls);
        if (reset && Interlocked.Increment(ref _resets) is var resets && resets > FreeResets && resets > calls / 2)
            _connection?.Abort(new ConnectionAbortedException("Too many streams were reset."));
    }

    private sealed record Element(string Host, string Text);

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;
        public PipeWriter Output => output;
    }
}
