using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Tollgate.Gateway.Transport;

/// <summary>How a route's services are known, and how the gateway shows itself to them.</summary>
/// <param name="CaFile">Authorities, PEM, in the place of the machine's own; null = the machine's.</param>
/// <param name="CertificateFile">The gateway's certificate for them, PEM or PKCS#12; null = none.</param>
/// <param name="ServerName">The name that the service's certificate has; null = the host that is called.</param>
/// <param name="Content">Digest of the files: what is in them tells rules apart, not what they are called.</param>
internal sealed record UpstreamTls(string? CaFile, string? CertificateFile, string? KeyFile, string? Password, string? ServerName, string Content)
{
    /// <summary>For the watcher: a certificate that was renewed is shown to services without a word in the configuration.</summary>
    public IEnumerable<string> Files => new[] { CaFile, CertificateFile, KeyFile }.OfType<string>();

    /// <exception cref="System.Security.Cryptography.CryptographicException">A file holds no certificate.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public SslClientAuthenticationOptions Load()
    {
        var options = new SslClientAuthenticationOptions();
        if (CaFile is not null)
        {
            var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            trust.CustomTrustStore.ImportFromPemFile(CaFile);
            options.CertificateChainPolicy = trust;
        }

        if (CertificateFile is not null)
            options.ClientCertificateContext = new Listening.CertificateFile(CertificateFile, KeyFile, Password, ["*"]).Load().Context;
        return options;
    }
}
