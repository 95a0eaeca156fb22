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

    /// <summary>The same for a door that speaks http alone: the portal's and the internal one.</summary>
    /// <exception cref="SettingsException">It is https.</exception>
    public static string SettlePlain(string option, string urls) => urls.Contains("https://", StringComparison.OrdinalIgnoreCase)
        ? throw new SettingsException($"{option} {urls}: this door speaks http. Let a proxy before it end TLS, name the proxy in TrustedProxies:0, and give its https address as Identity:PublicUrl.")
        : Settle(option, urls);

    /// <summary>Tries a door of the web application, which would tell of a failure with its stack, and after everything else was started.</summary>
    /// <exception cref="IOException">This machine does not have the address, or somebody listens there.</exception>
    public static void Try(string option, string urls)
    {
        foreach (var url in urls.Split(';'))
        {
            var address = BindingAddress.Parse(url);
            if (address.IsUnixPipe || address.IsNamedPipe) continue;
            var place = address.Host == "localhost" ? IPAddress.Loopback : IPAddress.TryParse(address.Host, out var told) ? told : IPAddress.Any;
            try
            {
                using var door = new TcpListener(place, address.Port);
                door.Start();
            }
            catch (SocketException impossible)
            {
                throw new IOException($"{option} {url}: this machine cannot listen there ({impossible.Message}).", impossible);
            }
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
