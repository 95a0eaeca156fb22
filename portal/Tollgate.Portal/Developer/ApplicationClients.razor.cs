using Microsoft.AspNetCore.Components;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;
using Tollgate.Identity.OAuth.Clients;

namespace Tollgate.Portal.Developer;

/// <summary>The OAuth clients of an application: made, changed, their secrets shown once and rotated.</summary>
public sealed partial class ApplicationClients
{
    private static readonly string[] ProtectionFields = ["signingAlgorithm", "accessTokenType", "requireDpop", "requirePushedRequests"];
    private IReadOnlyList<ClientView>? _clients;
    private FreshClient? _fresh;
    private ClientView? _changing;
    private ClientView? _deleting;
    private ClientView? _rotating;
    private bool _editing;
    private bool _busy;
    private string _name = "";
    private ClientKind _kind;
    private string _redirectUris = "";
    private string _byes = "";
    private string _origins = "";
    private string _algorithm = "RS256";
    private string _type = AccessTokenTypes.Jwt;
    private bool _bound;
    private bool _pushed;
    private bool _isProtectionOpen;
    private IReadOnlyList<string> _offered = [];
    private HashSet<string> _scopes = [];
    private IReadOnlyDictionary<string, string> _errors = new Dictionary<string, string>();

    [Parameter, EditorRequired] public ApplicationView Application { get; set; } = null!;

    protected override async Task OnInitializedAsync()
    {
        await base.OnInitializedAsync();
        await ReloadAsync();
    }

    private async Task ReloadAsync() => _clients = await Clients.ListAsync(Organisation, Application.Id, Gone);

    private Task Edit(ClientView? client)
    {
        (_editing, _changing, _fresh, _errors) = (true, client, null, new Dictionary<string, string>());
        (_name, _kind, _scopes) = (client?.Name ?? "", client?.Kind ?? ClientKind.Service, [.. client?.Scopes ?? []]);
        (_redirectUris, _byes, _origins) = (Text(client?.RedirectUris), Text(client?.PostLogoutRedirectUris), Text(client?.Origins));
        (_algorithm, _type, _bound, _pushed) = (client?.SigningAlgorithm ?? "RS256", client?.AccessTokenType ?? AccessTokenTypes.Jwt, client?.RequireDpop ?? false, client?.RequirePushedRequests ?? false);
        _isProtectionOpen = _algorithm != "RS256" || _type != AccessTokenTypes.Jwt || _bound || _pushed;
        return LoadScopesAsync();
    }

    private async Task LoadScopesAsync() => _offered = await Clients.ScopesAsync(Application.Id, _kind, Gone);

    private void Choose(string scope, bool chosen)
    {
        if (chosen) _scopes.Add(scope);
        else _scopes.Remove(scope);
    }

    private Task SaveAsync()
    {
        var acts = _kind != ClientKind.Service;
        var form = new ClientForm(_name, _kind, [.. _scopes.Where(_offered.Contains)], acts ? Lines(_redirectUris) : [], acts ? Lines(_byes) : [], acts ? Lines(_origins) : [],
            _changing?.BackChannelLogoutUri)
        {
            SigningAlgorithm = _algorithm, AccessTokenType = _type, RequireDpop = _bound, RequirePushedRequests = acts && _pushed,
        };
        return TakeAsync(() => _changing is { } old
            ? Clients.UpdateAsync(Organisation, Application.Id, old.ClientId, old.Version, form, Gone)
            : Clients.CreateAsync(Organisation, Application.Id, form, Gone));
    }

    private Task RotateAsync(TimeSpan overlap) => TakeAsync(() => Clients.RotateAsync(Organisation, Application.Id, _rotating!.ClientId, overlap, Gone));

    private async Task RevokeSecretAsync(ClientView client, ClientSecretView secret)
    {
        if (await MayAsync(TollgatePolicies.CanManageApplications))
            await Clients.RevokeSecretAsync(Organisation, Application.Id, client.ClientId, secret.Id, Gone);
        await ReloadAsync();
    }

    private async Task DeleteAsync()
    {
        if (await MayAsync(TollgatePolicies.CanManageApplications))
            await Clients.DeleteAsync(Organisation, Application.Id, _deleting!.ClientId, Gone);
        _deleting = null;
        await ReloadAsync();
    }

    private async Task TakeAsync(Func<Task<ClientOutcome>> ask)
    {
        if (!await MayAsync(TollgatePolicies.CanManageApplications))
        {
            _errors = Whole("Your role does not let you change clients. Ask an owner, admin or developer.");
            return;
        }

        _busy = true;
        switch (await ask())
        {
            case ClientOutcome.Done(var client):
                (_fresh, _editing, _rotating, _changing, _errors) = (client, false, null, null, new Dictionary<string, string>());
                break;
            case ClientOutcome.Invalid(var errors):
                (_errors, _isProtectionOpen) = (errors, _isProtectionOpen || errors.Keys.Any(ProtectionFields.Contains));
                break;
            case ClientOutcome.TooMany(var limit):
                _errors = Whole($"An application holds at most {limit} clients. Delete one that is no longer used.");
                break;
            case ClientOutcome.Stale:
                _errors = Whole("Somebody else changed this client meanwhile. Cancel, look at it again, and change what it says now.");
                break;
            default:
                (_errors, _rotating) = (Whole("The client is no longer there."), null);
                break;
        }

        _busy = false;
        await ReloadAsync();
    }

    private static string Text(IReadOnlyList<string>? lines) => string.Join('\n', lines ?? []);

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static Dictionary<string, string> Whole(string sentence) => new() { [""] = sentence };
}
