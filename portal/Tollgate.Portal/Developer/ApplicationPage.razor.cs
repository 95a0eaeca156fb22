using Microsoft.AspNetCore.Components;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;

namespace Tollgate.Portal.Developer;

/// <summary>One application: its keys and what it is subscribed to.</summary>
public sealed partial class ApplicationPage
{
    private ApplicationView? _application;
    private ApplicationSubscriptions? _subscriptions;
    private bool _editing;
    private bool _deleting;
    private string _name = "";
    private string _description = "";
    private IReadOnlyDictionary<string, string> _errors = new Dictionary<string, string>();

    [Parameter] public Guid Id { get; set; }

    [Inject] private ApplicationRemoval Removal { get; set; } = null!;

    protected override async Task OnParametersSetAsync()
    {
        await ReloadAsync();
        if (_application is null) NotFound();
    }

    private async Task ReloadAsync() => _application = await Service.GetAsync(Organisation, new AppId(Id), Gone);

    private void BeginEdit() => (_editing, _name, _description, _errors) =
        (true, _application!.Name, _application.Description ?? "", new Dictionary<string, string>());

    private async Task SaveAsync()
    {
        if (!await MayAsync(TollgatePolicies.CanManageApplications)) return;
        switch (await Service.UpdateAsync(Organisation, new AppId(Id), _name, _description, Gone))
        {
            case UpdateApplicationOutcome.Updated(var application):
                (_application, _editing) = (application, false);
                break;
            case UpdateApplicationOutcome.Invalid(var errors):
                _errors = errors;
                break;
            default:
                NotFound();
                break;
        }
    }

    private async Task DeleteAsync()
    {
        if (!await MayAsync(TollgatePolicies.CanManageApplications)) return;
        await Removal.RemoveAsync(Organisation, new AppId(Id), Gone);
        Navigation.NavigateTo("/apps");
    }
}
