using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Tollgate.Gateway.Engines.Full;

/// <summary><c>Via</c> (RFC 9110 §7.6.3): names every proxy that a message passed, and so shows a loop.</summary>
internal static class ViaHeader
{
    private const string Pseudonym = "tollgate";
    private const string Http11 = "1.1 " + Pseudonym;

    /// <summary>How often a call has passed a Tollgate already.</summary>
    public static int Hops(StringValues via)
    {
        var hops = 0;
        foreach (var line in via)
            foreach (var range in line.AsSpan().Split(','))
                if (line.AsSpan()[range].Trim().EndsWith(" " + Pseudonym, StringComparison.OrdinalIgnoreCase))
                    hops++;
        return hops;
    }

    /// <summary>What it says with this hop.</summary>
    public static string With(StringValues via, string protocol)
    {
        var own = HttpProtocol.IsHttp11(protocol) ? Http11 : HttpProtocol.IsHttp2(protocol) ? "2 " + Pseudonym : HttpProtocol.IsHttp3(protocol) ? "3 " + Pseudonym : "1.0 " + Pseudonym;
        return via.Count == 0 ? own : $"{via}, {own}";
    }

    /// <summary>The same for an answer, by the version of the upstream's.</summary>
    public static string With(StringValues via, Version version)
    {
        var own = version.Major >= 2 ? version.Major == 2 ? "2 " + Pseudonym : "3 " + Pseudonym : version.Minor == 1 ? Http11 : "1.0 " + Pseudonym;
        return via.Count == 0 ? own : $"{via}, {own}";
    }
}
