using System.Security.Cryptography;
using Tollgate.Gateway.Transport;

namespace Tollgate.Gateway.Ocelot;

/// <summary><c>"Tls": { … }</c> of a <c>Tollgate</c> block: the authorities of a route's services, and the gateway's certificate for them.</summary>
internal static class TollgateTls
{
    public static UpstreamTls? Read(JsonEntry parent, List<ConfigurationError> errors)
    {
        if (parent.ReadObject("Tollgate", errors)?.ReadObject("Tls", errors) is not { } json) return null;

        var caFile = FileOf(json, "CaFile", errors);
        var certificate = FileOf(json, "CertificateFile", errors);
        var key = FileOf(json, "KeyFile", errors);
        if (key is not null && certificate is null) errors.Add(json.Error("CertificateFile", "a key needs its certificate beside it."));
        var name = json.ReadText("ServerName", errors) is { Length: > 0 } text ? text : null;
        if (name is not null && Uri.CheckHostName(name) == UriHostNameType.Unknown) errors.Add(json.Error("ServerName", $"\"{name}\" is not a host name."));

        var tls = new UpstreamTls(caFile, certificate, key, json.ReadText("Password", errors), name, "");
        try
        {
            tls = tls with { Content = string.Concat(tls.Files.Select(file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))))) };
            if (errors.Count == 0) tls.Load();
        }
        catch (Exception unusable) when (unusable is CryptographicException or IOException or UnauthorizedAccessException)
        {
            errors.Add(json.Error($"the certificates cannot be used. {unusable.Message}"));
        }

        return tls;
    }

    private static string? FileOf(JsonEntry json, string name, List<ConfigurationError> errors)
    {
        if (json.ReadText(name, errors) is not { Length: > 0 } text) return null;
        var file = Path.GetFullPath(text, Path.GetDirectoryName(Path.GetFullPath(json.File))!);
        if (File.Exists(file)) return file;
        errors.Add(json.Error(name, $"there is no file {file}."));
        return null;
    }
}
