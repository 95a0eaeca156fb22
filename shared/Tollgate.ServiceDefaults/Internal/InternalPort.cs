using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Tollgate.ServiceDefaults.Internal;

/// <summary>
/// Keeps the two doors of a process apart: endpoints mapped with <see cref="MapInternal"/> answer on the internal port alone, all others never there.
/// The port is that of the socket, not what the <c>Host</c> header claims.
/// </summary>
public static class InternalPort
{
    private sealed class InternalEndpoint;

    /// <summary>Reads the accepted gateway tokens; a malformed digest stops the process with a sentence.</summary>
    public static IServiceCollection AddInternalPort(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<GatewayTokenOptions>()
            .Bind(configuration.GetSection(GatewayTokenOptions.Section))
            .Validate(o => o.GatewayTokenSha256.All(hex => hex.Length == 64 && hex.All(char.IsAsciiHexDigit)),
                "ControlPlane:GatewayTokenSha256 takes SHA-256 digests of gateway tokens, 64 hex digits each.")
            .ValidateOnStart();
        return services;
    }

    /// <summary>Place after routing, before everything that answers.</summary>
    public static IApplicationBuilder UseInternalPort(this IApplicationBuilder app, Func<int, bool> isInternalPort) => app.Use((http, next) =>
    {
        var endpoint = http.GetEndpoint();
        if (endpoint is null) return isInternalPort(http.Connection.LocalPort) ? NotFound(http) : next(http);
        var isInternal = endpoint.Metadata.GetMetadata<InternalEndpoint>() is not null;
        return isInternal == isInternalPort(http.Connection.LocalPort) ? next(http) : NotFound(http);
    });

    /// <summary>A group whose endpoints answer on the internal port only. Those that carry data add <see cref="RequireGatewayToken{T}"/>.</summary>
    public static RouteGroupBuilder MapInternal(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("");
        group.WithMetadata(new InternalEndpoint());
        group.AllowAnonymous();
        return group;
    }

    public static T RequireGatewayToken<T>(this T endpoint) where T : IEndpointConventionBuilder =>
        endpoint.AddEndpointFilter<T>(GatewayToken.Require);

    private static Task NotFound(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
