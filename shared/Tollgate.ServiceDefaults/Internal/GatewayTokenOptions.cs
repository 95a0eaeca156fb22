namespace Tollgate.ServiceDefaults.Internal;

/// <summary>
/// The gateway tokens that the control plane accepts, by digest: <c>ControlPlane:GatewayTokenSha256:0 = &lt;64 hex digits&gt;</c>.
/// Two at a time make a rotation: add the new one, move the gateways over, take the old one out.
/// </summary>
public sealed class GatewayTokenOptions
{
    public const string Section = "ControlPlane";

    public string[] GatewayTokenSha256 { get; set; } = [];
}
