using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Tollgate.ServiceDefaults.Redis;

/// <summary>Certificates of a server are good when one authority, read from a PEM file, has issued them, and for the name that was called.</summary>
internal sealed class TrustedAuthority
{
    private readonly X509Certificate2Collection _roots;

    private TrustedAuthority(X509Certificate2Collection roots) => _roots = roots;

    /// <summary>Throws <see cref="FormatException"/> for a file that is not there or holds no certificate.</summary>
    public static TrustedAuthority Load(string path)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPemFile(path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new FormatException($"The certificates in '{path}' (tlsCa of the Redis connection string) cannot be read: {unreadable.Message}", unreadable);
        }
        return roots.Count > 0 ? new TrustedAuthority(roots) : throw new FormatException($"'{path}' (tlsCa of the Redis connection string) holds no certificate.");
    }

    public bool Accepts(X509Certificate? certificate, SslPolicyErrors errors)
    {
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        using var leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(leaf);
    }
}
