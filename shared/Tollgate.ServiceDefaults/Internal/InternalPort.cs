using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
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
        services.AddSingleton<InternalPortPolicy>();
        services.AddSingleton<MatcherPolicy>(provider => provider.GetRequiredService<InternalPortPolicy>());
        return services;
    }

    /// <summary>Says which of the process's ports are internal. Until it is said, no port is.</summary>
    public static IApplicationBuilder UseInternalPort(this IApplicationBuilder app, Func<int, bool> isInternalPort)
    {
        app.ApplicationServices.GetRequiredService<InternalPortPolicy>().IsInternal = isInternalPort;
        return app;
    }

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

    /// <summary>Takes the other door's endpoints out of the choice, so that both may use the same path.</summary>
    private sealed class InternalPortPolicy : MatcherPolicy, IEndpointSelectorPolicy
    {
        public Func<int, bool> IsInternal { get; set; } = _ => false;

        public override int Order => int.MinValue;

        public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => true;

        public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
        {
            var isInternalPort = IsInternal(httpContext.Connection.LocalPort);
            for (var i = 0; i < candidates.Count; i++)
            {
                var isInternal = candidates[i].Endpoint.Metadata.GetMetadata<InternalEndpoint>() is not null;
                if (isInternal != isInternalPort) candidates.SetValidity(i, false);
            }

            return Task.CompletedTask;
        }
    }
}
