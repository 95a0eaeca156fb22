using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Subscriptions;
using Tollgate.Identity;
using Tollgate.Identity.Applications;
using Tollgate.Identity.Keys;

namespace Tollgate.Host.Demo;

/// <summary>
/// An application with a key on the demo's Free plan, so that the first call needs no account. Its key is kept in the data folder,
/// readable by its owner alone, for the line that each start prints.
/// </summary>
internal static class DemoAccount
{
    private const string KeyFile = "demo-key";

    /// <summary>The key; made when <paramref name="admin"/> says that this is the first start. Null where there is none any more.</summary>
    public static async Task<string?> KeyAsync(IServiceProvider services, string dataFolder, FirstAdmin? admin, CancellationToken cancel)
    {
        var file = Path.Combine(dataFolder, KeyFile);
        if (admin is null) return File.Exists(file) ? (await File.ReadAllTextAsync(file, cancel)).Trim() : null;

        await using var scope = services.CreateAsyncScope();
        if (await MakeAsync(scope.ServiceProvider, admin, cancel) is not { } secret) return null;
        OwnerFile.Write(file, secret);
        return secret;
    }

    private static async Task<string?> MakeAsync(IServiceProvider services, FirstAdmin admin, CancellationToken cancel)
    {
        var product = await services.GetRequiredService<CatalogueService>().GetPublishedAsync("weather", cancel);
        if (product?.Product.Plans.MinBy(plan => plan.Order) is not { } plan) return null;

        var applications = services.GetRequiredService<ApplicationService>();
        if (await applications.CreateAsync(admin.Organisation, "Demo", "Calls the weather demo.", cancel)
            is not CreateApplicationOutcome.Created { Application: var application }) return null;

        await services.GetRequiredService<SubscriptionService>().SubscribeAsync(admin.Organisation, application.Id, plan.Id, cancel);
        return await services.GetRequiredService<KeyService>().IssueAsync(admin.Organisation, application.Id, new IssueKeyRequest("Demo"), cancel)
            is IssueKeyOutcome.Issued { Key.Secret: var secret } ? secret : null;
    }
}
