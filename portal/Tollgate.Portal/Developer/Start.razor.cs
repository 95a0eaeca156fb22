using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Options;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Invoicing;
using Tollgate.Billing.Metering;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;
using Tollgate.Identity.Keys;
using Tollgate.Portal.Wording;

namespace Tollgate.Portal.Developer;

/// <summary>From nothing to the first call on the chart, on one page.</summary>
public sealed partial class Start
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private IReadOnlyList<ApplicationView>? _applications;
    private IReadOnlyList<ProductView>? _products;
    private IReadOnlyList<SubscriptionView> _subscriptions = [];
    private IReadOnlyList<KeyView> _keys = [];
    private IReadOnlyList<UsageSum> _usage = [];
    private ApplicationView? _application;
    private IssuedKey? _issued;
    private string? _path;
    private string? _cost;
    private string? _message;
    private string? _keyMessage;
    private bool _compare;
    private bool _again;
    private bool _busy;
    private bool _isLooking;

    [Inject] private ApplicationService Applications { get; set; } = null!;
    [Inject] private KeyService Keys { get; set; } = null!;
    [Inject] private CatalogueService Catalogue { get; set; } = null!;
    [Inject] private SubscriptionService Subscriptions { get; set; } = null!;
    [Inject] private UsageService Usage { get; set; } = null!;
    [Inject] private InvoiceService Invoices { get; set; } = null!;
    [Inject] private SubscriptionDesk Desk { get; set; } = null!;
    [Inject] private FirstCallPaths Paths { get; set; } = null!;
    [Inject] private IOptionsMonitor<GatewayAddress> Gateway { get; set; } = null!;

    /// <summary>The plan that the visitor chose before signing up.</summary>
    [SupplyParameterFromQuery(Name = "plan")] private string? PlanWish { get; set; }

    private SubscriptionView? Subscription =>
        _subscriptions.Where(s => s.Application == _application?.Id).OrderBy(s => s.State == SubscriptionState.Active ? 0 : 1).FirstOrDefault();

    private KeyView? LiveKey => _keys.FirstOrDefault(k => k.State == KeyState.Live);

    private long Calls => _usage.Where(u => u.Application == _application?.Id).Sum(u => u.Calls);

    private long TestCalls => _usage.Where(u => u.Application == _application?.Id).Sum(u => u.TestCalls);

    private bool IsDone => Calls + TestCalls > 0;

    private (ProductView Product, PlanView Plan)? Wished
    {
        get
        {
            if (_compare || !Guid.TryParse(PlanWish, out var wish)) return null;
            foreach (var product in _products ?? [])
                if (product.Plans.FirstOrDefault(p => p.Id.Value == wish && p.Current is not null) is { } plan) return (product, plan);
            return null;
        }
    }

    protected override async Task OnInitializedAsync()
    {
        await base.OnInitializedAsync();
        _products = await Catalogue.ListPublishedAsync(Gone);
        await LoadAsync(null);
        if (RendererInfo.IsInteractive) _ = RepeatAsync(LookEvery, LookAsync);
    }

    private async Task LoadAsync(AppId? wanted)
    {
        var applications = await Applications.ListAsync(Organisation, Gone);
        _subscriptions = await Subscriptions.ListAsync(Organisation, Gone);
        _usage = await Usage.TotalsAsync(Organisation, Gone);
        _application = applications.FirstOrDefault(a => a.Id == wanted)
            ?? applications.OrderByDescending(a => a.Created).FirstOrDefault();
        _keys = _application is null ? [] : await Keys.ListAsync(Organisation, _application.Id, Gone);
        _path = await Paths.OfAsync(Subscription?.ProductName, Gone);
        await LoadCostAsync();
        _applications = applications;
    }

    /// <summary>Looks for the call while it is awaited, and afterwards keeps the numbers true.</summary>
    private async Task LookAsync()
    {
        if (_isLooking || Subscription is null || LiveKey is null) return;
        _isLooking = true;
        try
        {
            var before = (Calls, TestCalls);
            _usage = await Usage.TotalsAsync(Organisation, Gone);
            if ((Calls, TestCalls) == before) return;
            await LoadCostAsync();
            StateHasChanged();
        }
        catch (Exception away) when (away is not OperationCanceledException)
        {
            // The database may be away for a moment; the next look tells.
        }
        finally
        {
            _isLooking = false;
        }
    }

    private async Task LoadCostAsync()
    {
        var costs = await Invoices.RunningCostAsync(Organisation, Gone);
        _cost = costs.Count == 0 ? null : string.Join(" and ", costs.Select(c => MoneyText.Of(c.Total, c.Currency)));
    }

    private async Task PickApplicationAsync(ChangeEventArgs picked)
    {
        (_issued, _again, _message, _keyMessage) = (null, false, null, null);
        await LoadAsync(Guid.TryParse(picked.Value?.ToString(), out var id) ? new AppId(id) : null);
    }

    private Task ApplicationCreatedAsync(ApplicationView created) => LoadAsync(created.Id);

    private async Task SubscribeAsync(PlanView plan)
    {
        _message = null;
        if (!await MayAsync(TollgatePolicies.CanManageApplications) && !await MayAsync(TollgatePolicies.CanManageBilling))
        {
            _message = "Your role does not let you subscribe. Ask an owner, admin, developer or billing member.";
            return;
        }

        _busy = true;
        var (isGood, sentence) = SubscriptionDesk.Say(await Desk.SubscribeAsync(Organisation, _application!.Id, plan.Id, Gone));
        if (!isGood) _message = sentence;
        await LoadAsync(_application.Id);
        _busy = false;
    }

    private async Task IssueAsync()
    {
        _keyMessage = null;
        if (!await MayAsync(TollgatePolicies.CanManageApplications))
        {
            _keyMessage = "Your role does not let you make keys. Ask an owner, admin or developer.";
            return;
        }

        _busy = true;
        switch (await Keys.IssueAsync(Organisation, _application!.Id, new IssueKeyRequest("first key"), Gone))
        {
            case IssueKeyOutcome.Issued(var key):
                (_issued, _again) = (key, false);
                break;
            case IssueKeyOutcome.TooManyKeys(var limit):
                _keyMessage = $"The application holds {limit} live keys already. Revoke one that is no longer used.";
                break;
            default:
                _keyMessage = "The application is no longer there.";
                break;
        }

        await LoadAsync(_application.Id);
        _busy = false;
    }
}
