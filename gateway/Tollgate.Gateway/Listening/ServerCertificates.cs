using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway.Listening;

/// <summary>
/// The certificates of the https listeners, chosen by the name that a client asks for (SNI, RFC 6066 §3). Files that change are read again; connections
/// keep what they began with, and files that cannot be read leave the certificates as they were.
/// </summary>
internal sealed partial class ServerCertificates : IAsyncDisposable
{
    private static readonly List<SslApplicationProtocol> Protocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    private readonly ListenerOptions _options;
    private readonly ILogger _logger;
    private readonly List<FileWatch> _watches = [];
    private State _state;

    private ServerCertificates(ListenerOptions options, ILogger logger)
    {
        (_options, _logger) = (options, logger);
        _state = null!;
    }

    /// <exception cref="SettingsException">The files cannot be used.</exception>
    public static ServerCertificates Open(ListenerOptions options, ILogger logger)
    {
        var certificates = new ServerCertificates(options, logger);
        foreach (var file in options.Certificates.SelectMany(file => new[] { file.Path, file.Key }).Append(options.ClientCertificates.CaFile).OfType<string>().Distinct())
            certificates._watches.Add(FileWatch.Start(file, "*", certificates.ReloadAsync, logger));
        try
        {
            certificates._state = certificates.Load();
        }
        catch (Exception unusable) when (unusable is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"The certificates of Gateway:Certificates cannot be used. {unusable.Message}");
        }

        return certificates;
    }

    /// <summary>What a handshake is told.</summary>
    public TlsHandshakeCallbackOptions Handshake => new() { OnConnection = hello => ValueTask.FromResult(For(hello.ClientHelloInfo.ServerName)) };

    public async ValueTask DisposeAsync()
    {
        foreach (var watch in _watches) await watch.DisposeAsync();
    }

    private SslServerAuthenticationOptions For(string? serverName)
    {
        var state = Volatile.Read(ref _state);
        var handshake = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = state.Choose(serverName).Context,
            ApplicationProtocols = Protocols,
            EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13,
            AllowRenegotiation = false,
        };
        _options.ClientCertificates.Apply(handshake, serverName, state.Authorities);
        return handshake;
    }

    private State Load()
    {
        var authorities = new X509Certificate2Collection();
        if (_options.ClientCertificates.CaFile is { } file) authorities.ImportFromPemFile(file);
        return new State([.. _options.Certificates.Select(certificate => certificate.Load())], authorities);
    }

    private Task ReloadAsync(CancellationToken cancel)
    {
        try
        {
            Volatile.Write(ref _state, Load());
            Log.InForce(_logger);
        }
        catch (Exception unusable) when (unusable is CryptographicException or IOException or UnauthorizedAccessException)
        {
            Log.Refused(_logger, unusable.Message);    // often half of a change: certificate and key are two files
        }

        return Task.CompletedTask;
    }

    private sealed record State(LoadedCertificate[] Certificates, X509Certificate2Collection Authorities)
    {
        public LoadedCertificate Choose(string? serverName)
        {
            foreach (var certificate in Certificates)
                foreach (var host in certificate.Hosts)
                    if (HostPattern.Matches(host, serverName))
                        return certificate;
            return Certificates[0];
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1011, LogLevel.Information, "The changed certificates are shown to new connections")]
        public static partial void InForce(ILogger logger);

        [LoggerMessage(1012, LogLevel.Warning, "The changed certificates cannot be used, those before are shown: {Reason}")]
        public static partial void Refused(ILogger logger, string reason);
    }
}
