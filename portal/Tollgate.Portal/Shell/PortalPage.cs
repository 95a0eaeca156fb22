using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;

namespace Tollgate.Portal.Shell;

/// <summary>
/// What every page behind the sign-in knows: who looks, for which organisation, and when they have gone. A page lives as long as its circuit,
/// so what a person may do is asked again each time they do something.
/// </summary>
public abstract class PortalPage : ComponentBase, IDisposable
{
    private readonly CancellationTokenSource _gone = new();

    [CascadingParameter] private Task<AuthenticationState> State { get; set; } = null!;
    [Inject] private IAuthorizationService Authorization { get; set; } = null!;
    [Inject] private SessionCheck Sessions { get; set; } = null!;
    [Inject] private protected VisitorClock Clock { get; set; } = null!;
    [Inject] protected NavigationManager Navigation { get; set; } = null!;

    /// <summary>Ends when the visitor leaves the page.</summary>
    protected CancellationToken Gone => _gone.Token;

    /// <summary>The organisation that the visitor works for. Only on pages that ask for <see cref="TollgatePolicies.Member"/>.</summary>
    protected OrganisationId Organisation { get; private set; }

    protected bool MayManageApplications { get; private set; }
    protected bool MayManageBilling { get; private set; }

    /// <summary>A platform admin: others of the staff look at these pages without changing anything.</summary>
    protected bool MayAdminister { get; private set; }

    /// <summary>A platform admin, or of the platform's billing staff.</summary>
    protected bool MaySetPrices { get; private set; }

    /// <summary>Another page that shows nothing because what it was asked for is not there, or not the visitor's.</summary>
    protected bool IsNotFound { get; private set; }

    protected override async Task OnInitializedAsync()
    {
        var user = (await State).User;
        Organisation = user.OrganisationId() ?? default;
        MayManageApplications = await MayAsync(TollgatePolicies.CanManageApplications);
        MayManageBilling = await MayAsync(TollgatePolicies.CanManageBilling);
        MayAdminister = await MayAsync(TollgatePolicies.PlatformAdmin);
        MaySetPrices = await MayAsync(TollgatePolicies.PlatformBilling);
    }

    /// <summary>Whether the visitor may still do this.</summary>
    protected async Task<bool> MayAsync(string policy) => (await Authorization.AuthorizeAsync((await State).User, policy)).Succeeded;

    /// <summary>Whether the visitor has proven within the last half hour who they are. False: they are on the way to the sign-in page, and back here.</summary>
    protected async Task<bool> IsRecentAsync()
    {
        if (await Sessions.IsRecentAsync((await State).User, Gone)) return true;
        Navigation.NavigateTo(SessionCheck.SignInAgain("/" + Navigation.ToBaseRelativePath(Navigation.Uri)), forceLoad: true);
        return false;
    }

    /// <summary>Answers 404 with the page for it, or shows that page when the visitor is here already.</summary>
    protected void NotFound()
    {
        IsNotFound = true;
        if (!RendererInfo.IsInteractive) Navigation.NotFound();
    }

    /// <summary>Does something again and again until the visitor leaves. What fails once is tried again at the next turn.</summary>
    protected async Task RepeatAsync(TimeSpan every, Func<Task> work)
    {
        using var timer = new PeriodicTimer(every);
        try
        {
            while (await timer.WaitForNextTickAsync(Gone))
                await InvokeAsync(work);
        }
        catch (OperationCanceledException)
        {
            // The visitor has left.
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (_gone.IsCancellationRequested) return;
        _gone.Cancel();
        _gone.Dispose();
    }
}
