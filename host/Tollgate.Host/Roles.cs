namespace Tollgate.Host;

/// <summary>What one process does. A laptop does all of it; a cluster spreads it.</summary>
[Flags]
internal enum Roles
{
    Gateway = 1,
    Identity = 2,
    Billing = 4,
    Portal = 8,
    ControlPlane = Identity | Billing | Portal,
    All = Gateway | ControlPlane,
}
