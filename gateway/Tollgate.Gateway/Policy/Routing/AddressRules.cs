using System.Net;

namespace Tollgate.Gateway.Policy.Routing;

/// <summary>From where a route may be called (<c>SecurityOptions</c>). What is blocked is blocked, unless what is allowed was taken out of it.</summary>
internal sealed class AddressRules(AddressSet allowed, AddressSet blocked, bool excludeAllowedFromBlocked)
{
    /// <param name="remote">Null = not known, which nothing allows.</param>
    public bool Admit(IPAddress? remote)
    {
        if (remote is null) return false;
        var isAllowed = allowed.Contains(remote);
        if (blocked.Contains(remote) && !(excludeAllowedFromBlocked && isAllowed)) return false;
        return isAllowed || allowed.IsEmpty;
    }
}
