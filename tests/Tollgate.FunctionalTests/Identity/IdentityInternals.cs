using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Sessions;

namespace Tollgate.FunctionalTests.Identity;

internal static class IdentityInternals
{
    /// <summary>The person as a session of theirs would say.</summary>
    public static async Task<ClaimsPrincipal> PrincipalAsync(this IServiceProvider services, string email)
    {
        var account = await services.GetRequiredService<UserManager<Account>>().FindByEmailAsync(email);
        var person = await services.GetRequiredService<IUserClaimsPrincipalFactory<Account>>().CreateAsync(account.ShouldNotBeNull());
        var session = await services.GetRequiredService<SessionBook>().OpenAsync(account.Id, SessionBook.ByPassword, default);
        person.Identities.First().AddClaim(new Claim(SessionBook.Claim, session.Id.ToString()));
        return person;
    }

    public static async Task<HttpStatusCode> ConfirmAsyncOrGone(this Visitor visitor, string link, string password) =>
        (await visitor.ConfirmAsync(link, password)).StatusCode;
}
