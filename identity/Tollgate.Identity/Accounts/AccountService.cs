using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.SecondFactor;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.Accounts;

/// <summary>What people do with their own account: another password, their sessions, all of it as a file, its end.</summary>
internal sealed class AccountService(
    IdentityDb db, UserManager<Account> users, IPasswordHasher<Account> hasher, PasswordCheck passwords, SessionBook sessions, RememberedDevices devices, AccountMails mails, PersonRevocations revocations,
    AuditLog audit, TimeProvider time)
{
    private const int MostEvents = 10_000;

    public async Task<Account> GetAsync(ClaimsPrincipal user, CancellationToken cancel)
    {
        var id = user.UserId();
        return await db.Accounts.SingleAsync(a => a.Id == id, cancel);
    }

    /// <summary>Saves another password and ends every session, the present one too: the caller opens a new one. One sentence a field; empty = done.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ChangePasswordAsync(Account account, string current, string wanted, CancellationToken cancel)
    {
        var errors = new Dictionary<string, string>();
        if (account.PasswordHash is not null && !await passwords.IsRightAsync(account, current, cancel)) errors["current"] = "This is not your password.";
        if (PasswordRules.WhatIsWrongWith(wanted, account.Email) is { } weak) errors["password"] = weak;
        if (errors.Count > 0) return errors;

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        account.PasswordHash = hasher.HashPassword(account, wanted);
        await audit.AddAsync(db, "password.changed", account.Id.ToString());
        if (!(await users.UpdateSecurityStampAsync(account)).Succeeded)   // saves; refresh tokens are bound to it
        {
            db.ChangeTracker.Clear();
            return new Dictionary<string, string> { ["current"] = "The password was changed at this very moment: this is not yours any more." };
        }

        await sessions.EndAllAsync(account.Id, but: null, cancel);
        await db.SaveWithChangesAsync([revocations.UntilThisSecond(account.Id)], cancel);
        await transaction.CommitAsync(cancel);
        await mails.SendPasswordChangedAsync(account, cancel);
        return errors;
    }

    public async Task<IReadOnlyList<SessionView>> SessionsAsync(Guid account, Guid? current, CancellationToken cancel)
    {
        var rows = await db.Sessions.AsNoTracking().Where(s => s.Account == account && s.EndedAt == null)
            .OrderByDescending(s => s.LastSeen ?? s.Opened).Take(100).ToListAsync(cancel);
        return [.. rows.Select(s => new SessionView(s.Id, s.Client is null ? UserAgents.Describe(s.Agent) : s.Agent ?? s.Client, s.Address, s.Opened, s.LastSeen ?? s.Opened, SignInWays.Describe(s.Methods), s.Id == current))];
    }

    /// <summary>False: there is no such session.</summary>
    public async Task<bool> EndSessionAsync(Guid account, Guid session, CancellationToken cancel)
    {
        if (!await sessions.EndAsync(account, session, cancel)) return false;
        await audit.AddAsync(db, "session.ended-from-afar", account.ToString());
        await db.SaveChangesAsync(cancel);
        return true;
    }

    public async Task EndSessionsAsync(Guid account, Guid? but, CancellationToken cancel)
    {
        var count = await sessions.EndAllAsync(account, but, cancel);
        await devices.ForgetAsync(account, cancel);
        await audit.AddAsync(db, "session.all-ended", account.ToString(), result: count.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await db.SaveChangesAsync(cancel);
    }

    /// <summary>Everything that is kept of a person, as JSON. No secret is in it, for none is kept in a form that could be.</summary>
    public async Task<byte[]> ExportAsync(Account account, CancellationToken cancel)
    {
        var id = account.Id;
        var self = id.ToString();   // what was done to the account, by whoever was not signed in
        var all = new
        {
            exportedAt = time.GetUtcNow(),
            account = new { id, account.Email, account.EmailConfirmed, account.Created, twoFactor = account.TwoFactorEnabled, account.PlatformRole },
            organisations = await db.Memberships.Where(m => m.Account == id)
                .Join(db.Organisations, m => m.Organisation, o => o.Id, (m, o) => new { o.Id, o.Name, m.Role, m.Since }).ToListAsync(cancel),
            invitations = await db.Invitations.Where(i => i.Email == account.Email).Select(i => new { i.Organisation, i.Role, i.Created, i.Expires, i.AcceptedAt }).ToListAsync(cancel),
            sessions = await db.Sessions.Where(s => s.Account == id).Select(s => new { s.Id, s.Opened, s.LastSeen, s.EndedAt, s.Methods, s.Client, s.Address, s.Agent }).ToListAsync(cancel),
            rememberedDevices = await db.RememberedDevices.Where(d => d.Account == id).Select(d => new { d.Created, d.Expires, d.Agent }).ToListAsync(cancel),
            passkeys = (await users.GetPasskeysAsync(account)).Select(p => new { p.Name, p.CreatedAt, p.IsBackedUp }),
            connections = (await users.GetLoginsAsync(account)).Select(l => new { l.LoginProvider, l.ProviderDisplayName, l.ProviderKey }),
            accessTokens = await db.ManagementTokens.Where(t => t.Account == id)
                .Select(t => new { t.Id, t.Name, t.Prefix, t.Organisation, t.Scopes, t.Created, t.Expires, t.LastUsed, t.RevokedAt }).ToListAsync(cancel),
            serviceTokensMade = await db.ManagementTokens.Where(t => t.CreatedBy == id && t.Account == null)
                .Select(t => new { t.Id, t.Name, t.Organisation, t.Role, t.Created, t.Expires, t.RevokedAt }).ToListAsync(cancel),
            consents = await db.Consents.Where(c => c.Account == id).Select(c => new { c.ClientId, c.Scopes, c.Given }).ToListAsync(cancel),
            grants = await db.TokenFamilies.Where(f => f.Account == id).Select(f => new { f.ClientId, f.Scopes, f.Resources, f.Session, f.Methods, f.SignedIn, f.Created, f.RevokedAt }).ToListAsync(cancel),
            invitationsSent = await db.Invitations.Where(i => i.InvitedBy == id).Select(i => new { i.Organisation, i.Email, i.Role, i.Created, i.Expires, i.AcceptedAt, i.RevokedAt }).ToListAsync(cancel),
            events = await db.AuditEvents.Where(e => e.Actor == id || e.Target == self).OrderByDescending(e => e.At).Take(MostEvents)
                .Select(e => new { e.At, e.Action, e.Target, e.Result, e.Address, e.Agent }).ToListAsync(cancel),
        };
        await audit.AddAsync(db, "account.exported", id.ToString());
        await db.SaveChangesAsync(cancel);
        return JsonSerializer.SerializeToUtf8Bytes(all, ExportJson);
    }

    /// <summary>
    /// Ends an account. Null when it is gone; else a sentence that says what is in the way: an organisation is never left without an owner, and one that
    /// still has applications is not left at all.
    /// </summary>
    public async Task<string?> DeleteAsync(Account account, CancellationToken cancel)
    {
        var id = account.Id;
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var admins = await db.LockPlatformAdminsAsync(cancel);
        if (admins == 1 && await db.Accounts.AnyAsync(a => a.Id == id && a.PlatformRole == PlatformRole.Admin, cancel))
            return "You are the only platform admin. Make another one first.";
        var owned = await db.Memberships.Where(m => m.Account == id && m.Role == OrganisationRole.Owner).OrderBy(m => m.Organisation).Select(m => m.Organisation).ToListAsync(cancel);
        foreach (var organisation in owned)
        {
            await db.LockOrganisationAsync(organisation, cancel);
            var name = await db.Organisations.Where(o => o.Id == organisation).Select(o => o.Name).SingleAsync(cancel);
            var others = await db.Memberships.Where(m => m.Organisation == organisation && m.Account != id).Select(m => m.Role).ToListAsync(cancel);
            if (others.Contains(OrganisationRole.Owner)) continue;
            if (others.Count > 0) return $"You are the only owner of {name}. Hand it over to another member first.";
            if (await db.Applications.AnyAsync(a => a.Organisation == organisation && a.DeletedAt == null, cancel))
                return $"{name} still has applications. Delete them first, so that nothing goes on being billed.";
            var now = (DateTimeOffset?)time.GetUtcNow();
            await db.Organisations.Where(o => o.Id == organisation).ExecuteUpdateAsync(o => o.SetProperty(x => x.SuspendedAt, now), cancel);
            await db.ManagementTokens.Where(t => t.Organisation == organisation && t.RevokedAt == null).ExecuteUpdateAsync(t => t.SetProperty(x => x.RevokedAt, now), cancel);
            await audit.AddAsync(db, "organisation.closed", organisation.ToString(), organisation);
        }

        await sessions.EndAllAsync(id, but: null, cancel);   // applications that the person is signed in to hear of it
        await db.WithdrawInvitationsAsync(id, null, _ => false, time.GetUtcNow(), cancel);
        await audit.AddAsync(db, "account.deleted", id.ToString());
        await db.SaveWithChangesAsync([revocations.UntilNow(id)], cancel);
        await db.Accounts.Where(a => a.Id == id).ExecuteDeleteAsync(cancel);   // sessions, tokens, passkeys, codes go with it
        await transaction.CommitAsync(cancel);
        await mails.SendDeletedAsync(account.Email!, cancel);
        return null;
    }

    private static readonly JsonSerializerOptions ExportJson = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };
}

/// <summary>A session as its page shows it.</summary>
public sealed record SessionView(Guid Id, string Device, string? Address, DateTimeOffset Opened, DateTimeOffset LastSeen, string How, bool IsCurrent);
