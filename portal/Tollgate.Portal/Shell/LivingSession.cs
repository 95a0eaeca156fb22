using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.Extensions.Logging;
using Tollgate.Identity.Accounts;

namespace Tollgate.Portal.Shell;

/// <summary>Asks every minute whether the session that opened a circuit is still good: a circuit lives for hours, and sees no cookie after its start.</summary>
internal sealed class LivingSession(ILoggerFactory loggers, SessionCheck sessions) : RevalidatingServerAuthenticationStateProvider(loggers)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromMinutes(1);

    protected override async Task<bool> ValidateAuthenticationStateAsync(AuthenticationState state, CancellationToken cancel) =>
        await sessions.IsCurrentAsync(state.User, cancel);
}
