using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;
using Tollgate.Identity.Applications;

namespace Tollgate.Portal.Developer;

/// <summary>Ends an application in both modules: its subscriptions first, so that a failure between the two leaves something that can be tried again.</summary>
internal sealed class ApplicationRemoval(ApplicationService applications, SubscriptionService subscriptions)
{
    /// <summary>False: there is no such application in this organisation.</summary>
    public async Task<bool> RemoveAsync(OrganisationId organisation, AppId application, CancellationToken cancel)
    {
        if (await applications.GetAsync(organisation, application, cancel) is null) return false;
        foreach (var subscription in (await subscriptions.ListAsync(organisation, cancel)).Where(s => s.Application == application))
            await subscriptions.CancelAsync(organisation, subscription.Id, cancel);
        return await applications.DeleteAsync(organisation, application, cancel);
    }
}
