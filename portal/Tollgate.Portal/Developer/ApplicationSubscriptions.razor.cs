using Microsoft.AspNetCore.Components;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Subscriptions;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;

namespace Tollgate.Portal.Developer;

/// <summary>What an application is subscribed to: subscribe, change the plan, cancel.</summary>
public sealed partial class ApplicationSubscriptions
{
    private IReadOnlyList<SubscriptionView>? _rows;
    private IReadOnlyList<ProductView>? _products;
    private SubscriptionView? _changing;
    private SubscriptionView? _cancelling;
    private bool _adding;
    private string? _message;
    private bool _isGood;

    [Parameter, EditorRequired] public ApplicationView Application { get; set; } = null!;
    [Parameter] public EventCallback OnChanged { get; set; }

    private bool MayManage => MayManageBilling || MayManageApplications;

    /// <summary>Products with a plan that the application is not on yet.</summary>
    private IEnumerable<ProductView> Open =>
        (_products ?? []).Where(p => p.Plans.Count > 0 && _rows?.Any(s => s.ProductName == p.Name) != true);

    protected override async Task OnInitializedAsync()
    {
        await base.OnInitializedAsync();
        _products = await Catalogue.ListPublishedAsync(Gone);
        await ReloadAsync();
    }

    private async Task ReloadAsync() =>
        _rows = [.. (await Subscriptions.ListAsync(Organisation, Gone)).Where(s => s.Application == Application.Id)];

    private Task SubscribeAsync(PlanView plan) => DoAsync(() => Desk.SubscribeAsync(Organisation, Application.Id, plan.Id, Gone));

    private Task ChangePlanAsync(SubscriptionView row, PlanView plan) =>
        DoAsync(() => Desk.ChangePlanAsync(Organisation, row.Id, plan.Id, Gone));

    private Task CancelAsync() => DoAsync(() => Desk.CancelAsync(Organisation, _cancelling!.Id, Gone));

    private async Task DoAsync(Func<Task<SubscriptionOutcome>> ask)
    {
        if (!await MayAsync(TollgatePolicies.CanManageBilling) && !await MayAsync(TollgatePolicies.CanManageApplications)) return;
        (_isGood, _message) = SubscriptionDesk.Say(await ask());
        (_changing, _cancelling, _adding) = (null, null, false);
        await ReloadAsync();
        await OnChanged.InvokeAsync();
    }
}
