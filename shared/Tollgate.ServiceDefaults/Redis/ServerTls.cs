using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Tollgate.ServiceDefaults.Redis;

/// <summary>How a server's certificate is judged, and what certificate it is shown.</summary>
/// <param name="host">The name that the server's certificate must have; null = the one that it is called by.</param>
/// <param name="authority">Null = those that the machine trusts.</param>
internal sealed class ServerTls(string? host, TrustedAuthority? authority, X509Certificate2? own)
{
    /// <summary>Reads a certificate of our own and its key, both PEM. Throws <see cref="FormatException"/> for files that hold none.</summary>
    public static X509Certificate2 Load(string certificate, string key)
    {
        try
        {
            using var read = X509Certificate2.CreateFromPemFile(certificate, key);
            return X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null);    // with a key that TLS can use
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new FormatException($"The certificate '{certificate}' with the key '{key}' (tlsCert and tlsKey of the Redis connection string) cannot be read: {unreadable.Message}", unreadable);
        }
    }

    public bool Accepts(X509Certificate? certificate, SslPolicyErrors errors) => authority?.Accepts(certificate, errors) ?? errors == SslPolicyErrors.None;

    public X509Certificate? Own => own;

    public async Task<Stream> SecureAsync(Stream plain, EndPoint server, CancellationToken cancel)
    {
        var secured = new SslStream(plain);
        try
        {
            await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = host ?? (server is DnsEndPoint name ? name.Host : ((IPEndPoint)server).Address.ToString()),
                RemoteCertificateValidationCallback = (_, certificate, _, errors) => Accepts(certificate, errors),
                ClientCertificates = own is null ? null : [own],
            }, cancel);
            return secured;
        }
        catch
        {
            await secured.DisposeAsync();
            throw;
        }
    }
}
