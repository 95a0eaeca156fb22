using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Passkeys;

/// <summary>
/// Passkeys (WebAuthn) by the framework's own ceremonies. What a ceremony must remember lies sealed in the page's own form for five minutes, beside the
/// token that binds the form to its browser: pages in several tabs do not disturb each other. A passkey that verified its person is two factors in one.
/// </summary>
internal sealed class PasskeyService(
    IPasskeyHandler<Account> ceremonies, UserManager<Account> users, IdentityDb db, AccountMails mails, SeenTokens seen, AuditLog audit,
    IDataProtectionProvider protection, TimeProvider time)
{
    public const int MaxPasskeys = 20;
    public const int MaxNameLength = 60;
    private const int MaxCredentialLength = 8 * 1024;
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);
    private readonly IDataProtector _seal = protection.CreateProtector("Tollgate.Passkeys");

    /// <summary>The account's passkeys, the newest first.</summary>
    public async Task<IReadOnlyList<PasskeyView>> ListAsync(Account account) =>
        [.. (await users.GetPasskeysAsync(account)).OrderByDescending(p => p.CreatedAt)
            .Select(p => new PasskeyView(Convert.ToHexStringLower(p.CredentialId), p.Name ?? "Passkey", p.CreatedAt, p.IsBackedUp))];

    /// <summary>What the browser is asked for to make one.</summary>
    public async Task<PasskeyQuestion> OfferAsync(HttpContext http, Account account)
    {
        var made = await ceremonies.MakeCreationOptionsAsync(new PasskeyUserEntity { Id = account.Id.ToString(), Name = account.Email!, DisplayName = account.Email! }, http);
        return new PasskeyQuestion(made.CreationOptionsJson, Seal("create", made.AttestationState));
    }

    /// <summary>What the browser is asked for to prove one.</summary>
    public async Task<PasskeyQuestion> AskAsync(HttpContext http)
    {
        var asked = await ceremonies.MakeRequestOptionsAsync(null, http);
        return new PasskeyQuestion(asked.RequestOptionsJson, Seal("get", asked.AssertionState));
    }

    /// <summary>Keeps a new passkey. A sentence when it cannot be.</summary>
    public async Task<string?> AddAsync(HttpContext http, Account account, PasskeyAnswer answer, string name, CancellationToken cancel)
    {
        if (WhatIsWrongWithName(ref name) is { } wrong) return wrong;
        if (await OpenAsync("create", answer, cancel) is not { } state) return "That took too long, or the browser sent nothing. Try it once more.";
        if ((await users.GetPasskeysAsync(account)).Count >= MaxPasskeys) return $"An account has at most {MaxPasskeys} passkeys. Remove one that you no longer use.";
        var result = await ceremonies.PerformAttestationAsync(new PasskeyAttestationContext { HttpContext = http, CredentialJson = answer.Credential, AttestationState = state });
        if (!result.Succeeded || result.UserEntity.Id != account.Id.ToString()) return "The passkey could not be verified. Try it once more.";

        result.Passkey.Name = name;
        await audit.AddAsync(db, "passkey.added", account.Id.ToString());
        var kept = await users.AddOrUpdatePasskeyAsync(account, result.Passkey);
        if (!kept.Succeeded) return "The passkey could not be kept. Try it once more.";
        await db.SaveChangesAsync(cancel);
        await mails.SendPasskeyAddedAsync(account, name, cancel);
        return null;
    }

    /// <summary>Whose passkey it is, and how it was proven (RFC 8176).</summary>
    public async Task<PasskeyOutcome> ProveAsync(HttpContext http, PasskeyAnswer answer, CancellationToken cancel)
    {
        if (await OpenAsync("get", answer, cancel) is not { } state) return new PasskeyOutcome.Stale();
        var result = await ceremonies.PerformAssertionAsync(new PasskeyAssertionContext { HttpContext = http, CredentialJson = answer.Credential, AssertionState = state });
        if (!result.Succeeded || !result.User.EmailConfirmed)
        {
            await audit.AddAsync(db, "session.refused", result.User?.Id.ToString() ?? "unknown", result: "wrong-passkey");
            await db.SaveChangesAsync(cancel);
            return new PasskeyOutcome.Refused();
        }

        await users.AddOrUpdatePasskeyAsync(result.User, result.Passkey);   // its counter has moved on
        return new PasskeyOutcome.Proven(result.User, [result.Passkey.IsBackupEligible ? "swk" : "hwk", "user", "mfa"]);
    }

    public async Task<string?> RenameAsync(Account account, string id, string name, CancellationToken cancel)
    {
        if (WhatIsWrongWithName(ref name) is { } wrong) return wrong;
        if (await FindAsync(account, id) is not { } passkey) return "There is no such passkey.";
        passkey.Name = name;
        await audit.AddAsync(db, "passkey.renamed", account.Id.ToString());
        await users.AddOrUpdatePasskeyAsync(account, passkey);
        await db.SaveChangesAsync(cancel);
        return null;
    }

    public async Task<bool> RemoveAsync(Account account, string id, CancellationToken cancel)
    {
        if (await FindAsync(account, id) is not { } passkey) return false;
        await audit.AddAsync(db, "passkey.removed", account.Id.ToString());
        await users.RemovePasskeyAsync(account, passkey.CredentialId);
        await db.SaveChangesAsync(cancel);
        return true;
    }

    private async Task<UserPasskeyInfo?> FindAsync(Account account, string id) =>
        (await users.GetPasskeysAsync(account)).FirstOrDefault(p => Convert.ToHexStringLower(p.CredentialId) == id);

    private static string? WhatIsWrongWithName(ref string name)
    {
        name = name.Trim();
        if (name.Length == 0) return "Give the passkey a name, such as the device that holds it.";
        return name.Length > MaxNameLength || !OneLine.Is(name) ? $"A name is written on one line of at most {MaxNameLength} characters." : null;
    }

    private string Seal(string ceremony, string? state) => Sealer(ceremony).Protect(state ?? "", time.GetUtcNow() + Life);

    /// <summary>What a ceremony remembers, for one answer to its question: of a form that is sent twice the first counts alone, on all nodes.</summary>
    private async Task<string?> OpenAsync(string ceremony, PasskeyAnswer answer, CancellationToken cancel)
    {
        if (answer.Credential.Length is 0 or > MaxCredentialLength) return null;
        try
        {
            var state = Sealer(ceremony).Unprotect(answer.Ceremony);
            return await seen.IsFirstAsync(SeenTokens.Passkey, ceremony, state, time.GetUtcNow() + Life, cancel) ? state : null;
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null;
        }
    }

    private ITimeLimitedDataProtector Sealer(string ceremony) => _seal.CreateProtector(ceremony).ToTimeLimitedDataProtector();
}

/// <summary>What a page asks the browser.</summary>
/// <param name="Options">The WebAuthn options, as JSON.</param>
/// <param name="Ceremony">What its answer is checked against, sealed: the form brings it back.</param>
public sealed record PasskeyQuestion(string Options, string Ceremony);

/// <summary>What the browser's form brings back.</summary>
/// <param name="Ceremony">As the question had it.</param>
/// <param name="Credential">The authenticator's answer, as JSON; empty when there was none.</param>
internal sealed record PasskeyAnswer(string Ceremony, string Credential);

/// <summary>What came of a passkey that was shown.</summary>
internal abstract record PasskeyOutcome
{
    public sealed record Proven(Account Account, string[] Methods) : PasskeyOutcome;

    /// <summary>Its question is older than five minutes, was answered before, or was never ours.</summary>
    public sealed record Stale : PasskeyOutcome;

    public sealed record Refused : PasskeyOutcome;
}

/// <summary>A passkey as its page shows it.</summary>
/// <param name="Synced">Kept by the person's account with their system or password manager, on several devices.</param>
public sealed record PasskeyView(string Id, string Name, DateTimeOffset Created, bool Synced);
