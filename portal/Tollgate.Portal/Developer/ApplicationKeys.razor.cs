using Microsoft.AspNetCore.Components;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;
using Tollgate.Identity.Keys;

namespace Tollgate.Portal.Developer;

/// <summary>The keys of an application: issued, shown once, rotated, revoked.</summary>
public sealed partial class ApplicationKeys
{
    private IReadOnlyList<KeyView>? _keys;
    private IssuedKey? _issued;
    private KeyView? _revoking;
    private KeyView? _rotating;
    private bool _issuing;
    private bool _busy;
    private string _name = "";
    private string _kind = "live";
    private int _days;
    private string _networks = "";
    private string _scopes = "";
    private bool _highRisk;
    private IReadOnlyDictionary<string, string> _errors = new Dictionary<string, string>();

    [Parameter, EditorRequired] public ApplicationView Application { get; set; } = null!;

    protected override async Task OnInitializedAsync()
    {
        await base.OnInitializedAsync();
        await ReloadAsync();
    }

    private async Task ReloadAsync() => _keys = await Keys.ListAsync(Organisation, Application.Id, Gone);

    private static string Shown(KeyView key) => key.Imported ? $"imported …{key.LastFour}" : $"{key.Prefix}…{key.LastFour}";

    private static string[] Words(string text) => text.Split([',', ' ', ';'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private void BeginIssue()
    {
        (_issuing, _issued, _errors) = (true, null, new Dictionary<string, string>());
        (_name, _kind, _days, _networks, _scopes, _highRisk) = ("", "live", 0, "", "", false);
    }

    private Task IssueAsync() => TakeAsync(() => Keys.IssueAsync(Organisation, Application.Id,
        new IssueKeyRequest(_name, _kind == "test", _days == 0 ? null : Time.GetUtcNow().AddDays(_days), Words(_scopes), Words(_networks), _highRisk), Gone));

    private Task RotateAsync(TimeSpan overlap) => TakeAsync(() => Keys.RotateAsync(Organisation, Application.Id, _rotating!.Id, overlap, Gone));

    private async Task RevokeAsync()
    {
        if (await MayAsync(TollgatePolicies.CanManageApplications))
            await Keys.RevokeAsync(Organisation, Application.Id, _revoking!.Id, Gone);
        _revoking = null;
        await ReloadAsync();
    }

    private async Task TakeAsync(Func<Task<IssueKeyOutcome>> ask)
    {
        if (!await MayAsync(TollgatePolicies.CanManageApplications))
        {
            _errors = Whole("Your role does not let you make keys. Ask an owner, admin or developer.");
            return;
        }

        _busy = true;
        switch (await ask())
        {
            case IssueKeyOutcome.Issued(var key):
                (_issued, _issuing, _rotating, _errors) = (key, false, null, new Dictionary<string, string>());
                break;
            case IssueKeyOutcome.Invalid(var errors):
                _errors = errors;
                break;
            case IssueKeyOutcome.TooManyKeys(var limit):
                _errors = Whole($"An application holds at most {limit} live keys. Revoke one that is no longer used.");
                break;
            case IssueKeyOutcome.KeyNotFound:
                _errors = Whole("The key is no longer live. Make a new one instead.");
                break;
            default:
                _errors = Whole("The application is no longer there.");
                break;
        }

        _busy = false;
        await ReloadAsync();
    }

    private static Dictionary<string, string> Whole(string sentence) => new() { [""] = sentence };
}
