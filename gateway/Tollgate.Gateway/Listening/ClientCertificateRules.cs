using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Tollgate.Gateway.Ocelot;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway.Listening;

/// <summary>Whether callers over https show a certificate of their own. The section <c>Gateway:ClientCertificates</c>.</summary>
internal sealed record ClientCertificateRules
{
    public ClientCertificateMode Mode { get; init; }

    /// <summary>Authorities whose certificates are accepted, PEM.</summary>
    public string? CaFile { get; init; }

    /// <summary>Names (SNI) that ask for one; empty = all.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Header that tells the upstream the certificate's subject; null = none. A caller's own header of that name never passes.</summary>
    public string? SubjectHeader { get; init; }

    public static ClientCertificateRules Read(IConfigurationSection section)
    {
        var mode = section["Mode"]?.ToLowerInvariant() switch
        {
            null or "" or "none" => ClientCertificateMode.None,
            "optional" => ClientCertificateMode.Optional,
            "required" => ClientCertificateMode.Required,
            var other => throw new SettingsException($"--{section.Path}:Mode {other}: write none, optional or required."),
        };
        var caFile = section["CaFile"] is { Length: > 0 } file ? Path.GetFullPath(file) : null;
        if (mode != ClientCertificateMode.None && caFile is null) throw new SettingsException($"--{section.Path}:CaFile is needed: the authorities whose certificates are accepted, PEM.");
        if (caFile is not null && !File.Exists(caFile)) throw new SettingsException($"--{section.Path}:CaFile {caFile}: there is no such file.");
        var header = section["SubjectHeader"] is { Length: > 0 } name ? name : null;
        if (header is not null && !OcelotValidation.IsToken(header)) throw new SettingsException($"--{section.Path}:SubjectHeader {header}: write the name of a header.");
        return new ClientCertificateRules { Mode = mode, CaFile = caFile, Hosts = [.. ListenerOptions.Texts(section.GetSection("Hosts"))], SubjectHeader = header };
    }

    /// <summary>
    /// Whether a call over https is for a name that demands a certificate, on a connection that named another and so was not asked for one: the handshake
    /// decides by SNI, the route by <c>Host</c>, and a caller writes both.
    /// </summary>
    public bool IsEvaded(string host, string? subject)
    {
        if (Mode != ClientCertificateMode.Required || Hosts.Count == 0 || subject is not null) return false;
        var port = host.LastIndexOf(':');
        return Asks(port > host.LastIndexOf(']') ? host[..port] : host);
    }

    /// <summary>Makes a handshake ask for a certificate, and check it.</summary>
    public void Apply(SslServerAuthenticationOptions handshake, string? serverName, X509Certificate2Collection authorities)
    {
        if (Mode == ClientCertificateMode.None || !Asks(serverName)) return;

        handshake.ClientCertificateRequired = true;
        var chain = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        chain.CustomTrustStore.AddRange(authorities);
        chain.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.2"));   // for client authentication
        handshake.CertificateChainPolicy = chain;
        var optional = Mode == ClientCertificateMode.Optional;
        handshake.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            errors == SslPolicyErrors.None || optional && certificate is null && errors == SslPolicyErrors.RemoteCertificateNotAvailable;
    }

    private bool Asks(string? name) => Hosts.Count == 0 || Hosts.Any(host => HostPattern.Matches(host, name));
}

internal enum ClientCertificateMode : byte
{
    None,
    Optional,
    Required,
}

/// <summary>Host names with <c>*</c> for one label at the front.</summary>
internal static class HostPattern
{
    public static bool Matches(string pattern, string? host)
    {
        if (host is null) return false;
        if (!pattern.StartsWith("*.", StringComparison.Ordinal)) return pattern.Equals(host, StringComparison.OrdinalIgnoreCase);
        var dot = host.IndexOf('.');
        return dot > 0 && host.AsSpan(dot).Equals(pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase);
    }
}
