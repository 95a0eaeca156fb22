using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.ManagementTokens;
using Tollgate.Identity.Organisations;

namespace Tollgate.Portal.Developer;

/// <summary>The organisation that the visitor looks at: its members, those who are invited, and the tokens that reach into it.</summary>
public sealed partial class OrganisationPage
{
    private OrganisationView? _organisation;
    private IReadOnlyList<MemberView>? _members;
    private IReadOnlyList<InvitationView>? _invitations;
    private IReadOnlyList<ManagementTokenView>? _tokens;
    private MemberView? _removing;
    private MemberView? _handingOver;
    private ManagementTokenView? _revoking;
    private IssuedManagementToken? _fresh;
    private Guid _me;
    private bool _mayManage;
    private bool _isOwner;
    private bool _issuing;
    private bool _busy;
    private bool _isGood;
    private string? _message;
    private string _email = "";
    private string _name = "";
    private string _tokenName = "";
    private int _tokenDays = 90;
    private OrganisationRole _role = OrganisationRole.Developer;
    private OrganisationRole _tokenRole = OrganisationRole.Developer;
    private IReadOnlyDictionary<string, string> _errors = new Dictionary<string, string>();

    [Inject] private OrganisationService Organisations { get; set; } = null!;
    [Inject] private MembershipService Members { get; set; } = null!;
    [Inject] private InvitationService Invitations { get; set; } = null!;
    [Inject] private ManagementTokenService Tokens { get; set; } = null!;
    [Inject] private TimeProvider Time { get; set; } = null!;
    [CascadingParameter] private Task<AuthenticationState> Visitor { get; set; } = null!;

    protected override async Task OnInitializedAsync()
    {
        await base.OnInitializedAsync();
        _me = (await Visitor).User.UserId();
        await ReloadAsync();
        _name = _organisation?.Name ?? "";
    }

    private async Task ReloadAsync()
    {
        _mayManage = await MayAsync(TollgatePolicies.CanManageMembers);
        _isOwner = await MayAsync(TollgatePolicies.Owner);
        _organisation = await Organisations.GetAsync(Organisation, Gone);
        _members = await Members.ListAsync(Organisation, Gone);
        if (!_mayManage) return;
        _invitations = await Invitations.ListAsync(Organisation, Gone);
        _tokens = await Tokens.ListAsync(Organisation, Gone);
    }

    private bool MayTouch(MemberView member) => member.Id != _me && (_isOwner || (_mayManage && member.Role != OrganisationRole.Owner));

    /// <summary>The roles that the visitor may give, and the one that is there.</summary>
    private IEnumerable<OrganisationRole> Roles(OrganisationRole present) =>
        Enum.GetValues<OrganisationRole>().Where(role => _isOwner || role == present || role != OrganisationRole.Owner);

    private static string Describe(OrganisationRole role) => role switch
    {
        OrganisationRole.Owner => "everything",
        OrganisationRole.Admin => "everything but ownership",
        OrganisationRole.Developer => "applications, keys, subscriptions",
        OrganisationRole.Billing => "plans, invoices, payment",
        _ => "looks, changes nothing",
    };

    private Task ChangeRoleAsync(MemberView member, ChangeEventArgs change) => Enum.TryParse<OrganisationRole>(change.Value?.ToString(), out var role)
        ? DoAsync(() => Members.ChangeRoleAsync(_me, Organisation, member.Id, role, Gone), $"{member.Email} is {role.ToString().ToLowerInvariant()} now.")
        : Task.CompletedTask;

    private async Task HandOverAsync(MemberView heir)
    {
        if (!await IsRecentAsync()) return;
        await DoAsync(() => Members.HandOverAsync(_me, Organisation, heir.Id, Gone), $"{heir.Email} is the owner now, and you are an admin.");
    }

    private Task RenameAsync() => DoAsync(() => Members.RenameAsync(_me, Organisation, _name, Gone), "The new name is saved.");

    private async Task RemoveAsync(MemberView leaver)
    {
        await DoAsync(() => Members.RemoveAsync(_me, Organisation, leaver.Id, Gone), $"{leaver.Email} is no longer a member.");
        if (leaver.Id == _me && _isGood) Navigation.NavigateTo("/account", forceLoad: true);
    }

    private async Task InviteAsync()
    {
        _busy = true;
        var outcome = await Invitations.InviteAsync(_me, Organisation, _email, _role, Gone);
        _errors = outcome is MembershipOutcome.Invalid(var errors) ? errors : new Dictionary<string, string>();
        (_isGood, _message) = outcome is MembershipOutcome.Invited ? (true, $"The invitation is on its way to {_email}.") : (false, Api.Membership.Say(outcome));
        if (_isGood) _email = "";
        await ReloadAsync();
        _busy = false;
    }

    private async Task WithdrawAsync(InvitationView invitation)
    {
        if (!await MayAsync(TollgatePolicies.CanManageMembers)) return;
        await Invitations.WithdrawAsync(Organisation, invitation.Id, Gone);
        (_isGood, _message) = (true, "The invitation is withdrawn: its link is dead.");
        await ReloadAsync();
    }

    private async Task IssueAsync()
    {
        if (!await IsRecentAsync()) return;
        _busy = true;
        switch (await Tokens.IssueServiceAsync(_me, Organisation, new NewManagementToken(_tokenName, null, Time.GetUtcNow().AddDays(_tokenDays), _tokenRole), Gone))
        {
            case IssueTokenOutcome.Issued(var token):
                (_fresh, _issuing, _tokenName, _errors) = (token, false, "", new Dictionary<string, string>());
                break;
            case IssueTokenOutcome.Invalid(var errors):
                _errors = errors;
                break;
            case IssueTokenOutcome.TooMany(var limit):
                (_isGood, _message) = (false, $"There are {limit} live service tokens already. Revoke one first.");
                break;
            default:
                (_isGood, _message) = (false, "Your role does not reach this far.");
                break;
        }

        await ReloadAsync();
        _busy = false;
    }

    private async Task RevokeAsync(ManagementTokenView token)
    {
        _revoking = null;
        if (!await MayAsync(TollgatePolicies.CanManageMembers)) return;
        await Tokens.RevokeAsync(Organisation, token.Id, Gone);
        await ReloadAsync();
    }

    private async Task DoAsync(Func<Task<MembershipOutcome>> ask, string done)
    {
        (_removing, _handingOver, _busy) = (null, null, true);
        var outcome = await ask();
        (_isGood, _message) = outcome is MembershipOutcome.Done ? (true, done) : (false, Api.Membership.Say(outcome));
        await ReloadAsync();
        _busy = false;
    }
}
