using System.Security.Claims;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Identity.Accounts;

namespace Tollgate.Identity.Audit;

/// <summary>Who stands behind the present scope: the visitor of a request, or of a Blazor circuit, which has no request.</summary>
internal sealed class Caller(IHttpContextAccessor http, IServiceProvider services)
{
    public const int MostOfAgent = 256;

    public string? Address => http.HttpContext?.Connection.RemoteIpAddress is { } address
        ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString()
        : null;

    /// <summary>What the caller's program calls itself: no more of it than is kept anywhere.</summary>
    public string? Agent => http.HttpContext?.Request.Headers.UserAgent.ToString() is { Length: > 0 } agent ? agent[..Math.Min(agent.Length, MostOfAgent)] : null;

    public async Task<(Guid? Id, AuditActor Kind)> WhoAsync()
    {
        var user = http.HttpContext?.User;
        if (user?.Identity?.IsAuthenticated != true) user = await OfCircuitAsync();
        if (user?.Identity?.IsAuthenticated != true) return (null, AuditActor.Nobody);
        if (!user.IsToken()) return (user.UserId(), AuditActor.Person);
        return user.FindFirst(TollgateClaims.Subject) is null
            ? (Guid.Parse(user.FindFirst(TollgateClaims.Token)!.Value), AuditActor.ServiceToken)
            : (user.UserId(), AuditActor.PersonalToken);
    }

    private async Task<ClaimsPrincipal?> OfCircuitAsync()
    {
        try
        {
            return services.GetService<AuthenticationStateProvider>() is { } state ? (await state.GetAuthenticationStateAsync()).User : null;
        }
        catch (InvalidOperationException)
        {
            return null;   // the provider is registered, but this scope is no circuit
        }
    }
}
