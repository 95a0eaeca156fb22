using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway.Listening;

/// <summary>Where a certificate with its private key is: PEM (chain and key in one file or two) or PKCS#12. One item of <c>Gateway:Certificates</c>.</summary>
/// <param name="Hosts">Names it is shown for, also <c>*.example.com</c>; empty = those that it holds.</param>
internal sealed record CertificateFile(string Path, string? Key, string? Password, IReadOnlyList<string> Hosts)
{
    public static CertificateFile Read(IConfigurationSection section)
    {
        if (section["Path"] is not { Length: > 0 } path) throw new SettingsException($"--{section.Path}:Path is needed: the file of a certificate, PEM or PKCS#12.");
        return new CertificateFile(System.IO.Path.GetFullPath(path), section["Key"] is { Length: > 0 } key ? System.IO.Path.GetFullPath(key) : null,
            section["Password"], [.. ListenerOptions.Texts(section.GetSection("Hosts"))]);
    }

    /// <summary>Reads the files as they are now.</summary>
    /// <exception cref="CryptographicException">They hold no certificate with its key.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public LoadedCertificate Load()
    {
        X509Certificate2 own;
        X509Certificate2Collection chain = [];
        if (IsPem(Path))
        {
            chain.ImportFromPemFile(Path);
            try
            {
                own = Password is null ? X509Certificate2.CreateFromPemFile(Path, Key ?? Path) : X509Certificate2.CreateFromEncryptedPemFile(Path, Password, Key ?? Path);
            }
            catch (ArgumentException mismatch)    // a key of another certificate, where it is no RSA
            {
                throw new CryptographicException("The key is not the certificate's.", mismatch);
            }
        }
        else
        {
            chain = X509CertificateLoader.LoadPkcs12CollectionFromFile(Path, Password, X509KeyStorageFlags.DefaultKeySet);
            own = chain.FirstOrDefault(certificate => certificate.HasPrivateKey) ?? throw new CryptographicException("The file holds no private key.");
        }

        var names = Hosts.Count > 0 ? Hosts : NamesIn(own);
        return new LoadedCertificate(names, SslStreamCertificateContext.Create(own, chain, offline: true));
    }

    private static bool IsPem(string path)
    {
        using var file = new StreamReader(path);
        var beginning = new char[4096];
        return new string(beginning, 0, file.ReadBlock(beginning)).Contains("-----BEGIN ", StringComparison.Ordinal);
    }

    private static string[] NamesIn(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames()).ToArray();
        return names.Length > 0 ? names : [certificate.GetNameInfo(X509NameType.DnsName, false)];
    }
}

/// <summary>A certificate that can be shown, and the names that it is for.</summary>
internal sealed record LoadedCertificate(IReadOnlyList<string> Hosts, SslStreamCertificateContext Context);
