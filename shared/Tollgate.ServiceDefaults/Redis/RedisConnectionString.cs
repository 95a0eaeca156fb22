using StackExchange.Redis;

namespace Tollgate.ServiceDefaults.Redis;

/// <summary>
/// <c>host:port[,host:port…][,user=…][,password=…][,ssl=true][,sslHost=…][,tlsCa=file][,tlsCert=file,tlsKey=file]</c>: what the client library
/// knows, and what it does not. With <c>tlsCa</c>, certificates of that authority alone are trusted instead of the machine's.
/// </summary>
internal static class RedisConnectionString
{
    private const string User = "user";
    private const string Authority = "tlsCa";
    private const string Certificate = "tlsCert";
    private const string Key = "tlsKey";

    /// <summary>Throws <see cref="FormatException"/>, with a sentence that holds no password, for what makes no sense.</summary>
    public static (ConfigurationOptions Options, NamedUserRelay? Relay) Read(string text)
    {
        var own = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var ofLibrary = new List<string>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=');
            if (equals > 0 && part[..equals].TrimEnd() is var name && new[] { User, Authority, Certificate, Key }.Contains(name, StringComparer.OrdinalIgnoreCase))
                own[name] = part[(equals + 1)..].Trim();
            else
                ofLibrary.Add(part);
        }
        var options = Parse(string.Join(',', ofLibrary));
        if (options.EndPoints.Count == 0)
            throw new FormatException("The Redis connection string names no server. Write it as host:port.");
        if (own.ContainsKey(Certificate) != own.ContainsKey(Key))
            throw new FormatException("The Redis connection string has only one of tlsCert and tlsKey: a certificate is of use with its key alone.");

        var tls = new ServerTls(options.SslHost,
            own.TryGetValue(Authority, out var authority) ? TrustedAuthority.Load(authority) : null,
            own.TryGetValue(Certificate, out var certificate) ? ServerTls.Load(certificate, own[Key]) : null);
        if (own.TryGetValue(User, out var user) && user.Length > 0)
            return (options, NamedUserRelay.Start(options, user, options.Ssl ? tls : null));
        if (authority is not null)
            options.CertificateValidation += (_, shown, _, errors) => tls.Accepts(shown, errors);
        if (tls.Own is not null)
            options.CertificateSelection += (_, _, _, _, _) => tls.Own;
        return (options, null);
    }

    // The library's own words name the option, and never what stands behind it.
    private static ConfigurationOptions Parse(string text)
    {
        try
        {
            return ConfigurationOptions.Parse(text);
        }
        catch (Exception unknown) when (unknown is ArgumentException or FormatException or OverflowException)
        {
            throw new FormatException($"The Redis connection string cannot be read: {unknown.Message}", unknown);
        }
    }
}
