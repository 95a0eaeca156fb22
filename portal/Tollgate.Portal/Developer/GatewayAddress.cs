using System.ComponentModel.DataAnnotations;

namespace Tollgate.Portal.Developer;

/// <summary>How callers reach the gateway, for the lines that people copy: <c>Gateway:PublicUrl</c>.</summary>
public sealed class GatewayAddress
{
    public const string Section = "Gateway";

    [Required, Url] public string PublicUrl { get; set; } = "http://localhost:8080";
}
