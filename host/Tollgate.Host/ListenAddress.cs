using System.Net;
using System.Net.Sockets;
using Tollgate.ServiceDefaults;

namespace Tollgate.Host;

/// <summary>Addresses to listen on, with their ports settled before anything starts, because other parts must know them.</summary>
internal static class ListenAddress
{
    /// <summary>The first of several (<c>;</c> between), which links and printed lines use; a wildcard host becomes <c>localhost</c>.</summary>
    public static string Public(string urls)
    {
        var address = BindingAddress.Parse(urls.Split(';')[0]);
        var host = address.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : address.Host;
        return $"{address.Scheme}://{host}:{address.Port}";
    }

    public static IEnumerable<int> Ports(string urls) => urls.Split(';').Select(url => BindingAddress.Parse(url).Port);

    /// <summary>Replaces port 0 by one that is free.</summary>
    public static string Settle(string option, string urls)
    {
        return string.Join(';', urls.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(url =>
        {
            try
            {
                var address = BindingAddress.Parse(url);
                return address.Port == 0 ? $"{address.Scheme}://{address.Host}:{FreePort()}" : $"{address.Scheme}://{address.Host}:{address.Port}";
            }
            catch (FormatException)
            {
                throw new SettingsException($"{option} {url}: write an address such as http://localhost:8080.");
            }
        }));
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
