using System.Diagnostics.CodeAnalysis;
using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Plans;

/// <summary>Which application may use which product, and under which limits.</summary>
internal sealed class EntitlementTable
{
    public bool TryGet(AppId application, string product, [NotNullWhen(true)] out Entitlement? entitlement)
    {
        entitlement = null;
        return false;
    }
}
