using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Identity.Accounts;

namespace Tollgate.FunctionalTests.Identity;

internal static class IdentityInternals
{
    /// <summary>The person as a session of theirs would say.</summary>
    public static async Task<ClaimsPrincipal> PrincipalAsync(this IServiceProvider services, string email)
    {
        var account = await services.GetRequiredService<UserManager<Account>>().FindByEmailAsync(email);
        return await services.GetRequiredService<IUserClaimsPrincipalFactory<Account>>().CreateAsync(account.ShouldNotBeNull());
    }

    public static async Task<HttpStatusCode> ConfirmAsyncOrGone(this Visitor visitor, string link, string password) =>
        (await visitor.ConfirmAsync(link, password)).StatusCode;
}
