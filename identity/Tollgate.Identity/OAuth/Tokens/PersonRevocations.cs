using Microsoft.Extensions.Options;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>What gateways are told when nothing that was given out for a person until now is good any more: the account is locked, or gone.</summary>
internal sealed class PersonRevocations(IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    public RevokedBeforeItem UntilNow(Guid account) => Until(account, time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>
    /// Leaves out the present second, in which the person may get new ones: tokens tell their age in seconds. What of that second is old has been taken back
    /// one by one, with its session.
    /// </summary>
    public RevokedBeforeItem UntilThisSecond(Guid account) => Until(account, (time.GetUtcNow().ToUnixTimeSeconds() * 1000) - 1);

    private RevokedBeforeItem Until(Guid account, long beforeUnixMs) =>
        new(TokenHolder.Subject, account.ToString(), beforeUnixMs, time.GetUtcNow().AddSeconds(options.Value.AccessTokenLifetimeSeconds).ToUnixTimeMilliseconds());
}
