using System.Net;

namespace Tollgate.Gateway.Policy;

/// <summary>What arrived, as far as the policy looks at it. An engine fills it in once a call.</summary>
internal struct CallFacts
{
    public string Method;

    /// <summary>The <c>Host</c> header, port included.</summary>
    public string Host;

    /// <summary>As <see cref="Routing.CanonicalTarget"/> spells it.</summary>
    public string Path;

    /// <summary>Without <c>?</c>.</summary>
    public string Query;

    /// <summary><c>X-Api-Key</c>; null = not sent. Several lines are joined with a comma, which no key holds.</summary>
    public string? ApiKey;

    /// <summary><c>Authorization</c>; null = not sent.</summary>
    public string? Authorization;

    /// <summary>The other end of the connection; IPv4 as such, never mapped.</summary>
    public IPAddress? Remote;

    /// <summary>Of the client certificate that was shown; null = none.</summary>
    public string? CertificateSubject;

    /// <summary>Asked by routes that look at headers of their own.</summary>
    public ICallHeaders? Headers;

    /// <summary>Null = the route is looked for.</summary>
    public MemberCall? Member;

    public long ArrivedUnixMs;

    /// <summary>Of the body; null = not said.</summary>
    public long? ContentLength;
}
