using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.ManagementTokens;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Bootstrap;

/// <summary>
/// Makes what the bootstrap file declares, all of it or nothing; twice equals once. Scopes and clients are as the file says. A person who is
/// there already is left alone: they may have chosen another password meanwhile.
/// </summary>
internal sealed partial class BootstrapSetup(
    IdentityDb db, UserManager<Account> users, IPasswordHasher<Account> hasher, AuditLog audit, IOptions<TollgateIdentityOptions> options,
    TimeProvider time, ILogger<BootstrapSetup> logger)
{
    public async Task ApplyAsync(CancellationToken cancel)
    {
        await OfferCommandLineAsync(cancel);
        if (options.Value.Bootstrap is not { Length: > 0 } path) return;
        var file = BootstrapFile.Read(path);
        foreach (var unknown in file.Unknown) Log.UnknownMember(logger, path, unknown);
        var scopes = await db.OAuthScopes.AsNoTracking().Select(s => s.Name).ToListAsync(cancel);
        var errors = file.Errors.Concat(BootstrapRules.WhatIsWrongWith(file, scopes, options.Value.IsHttps)).ToArray();
        if (errors.Length > 0) throw new BootstrapException([.. errors.Select(e => $"{path}: {e}")]);

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        foreach (var scope in file.Scopes) await ApplyAsync(scope, cancel);
        foreach (var client in file.Clients) await ApplyAsync(client, path, cancel);
        foreach (var user in file.Users) await ApplyAsync(user, cancel);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        Log.Applied(logger, path, file.Users.Count, file.Scopes.Count, file.Clients.Count);
    }

    /// <summary>The client of <c>tollgate login</c> is there without being declared.</summary>
    private async Task OfferCommandLineAsync(CancellationToken cancel)
    {
        var client = await db.OAuthClients.FindAsync([ManagementApiScopes.CommandLine], cancel);
        if (client is null) db.Add(client = new OAuthClient { ClientId = ManagementApiScopes.CommandLine, Name = "", Created = time.GetUtcNow() });
        ManagementApiScopes.Describe(client);
        await db.SaveChangesAsync(cancel);
    }

    private async Task ApplyAsync(DeclaredScope declared, CancellationToken cancel)
    {
        var scope = await db.OAuthScopes.FindAsync([declared.Name], cancel);
        if (scope is null) db.Add(scope = new OAuthScope { Name = declared.Name });
        scope.Audience = declared.Audience;
    }

    private async Task ApplyAsync(DeclaredClient declared, string path, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var client = await db.OAuthClients.Include(c => c.Secrets).SingleOrDefaultAsync(c => c.ClientId == declared.ClientId, cancel);
        if (client is { Application: not null }) throw new BootstrapException($"{path}: {declared.At}.clientId is taken by the client of an application.");
        if (client is null)
        {
            db.Add(client = new OAuthClient { ClientId = declared.ClientId, Name = declared.ClientId, Created = now });
            await audit.AddAsync(db, "client.declared", declared.ClientId);
        }

        client.DeletedAt = null;
        client.Name = declared.Name ?? declared.ClientId;
        (client.SigningAlgorithm, client.BackChannelLogoutUri) = (declared.SigningAlgorithm, declared.BackChannelLogoutUri);
        (client.RequiresPushedRequests, client.RequiresDpop) = (declared.RequirePushedRequests, declared.RequireDpop);
        client.UsesReferenceTokens = declared.AccessTokenType == "reference";
        (client.IsPublic, client.MayIntrospect, client.AsksConsent) = (declared.Public, declared.Introspect, declared.Consent);
        (client.Grants, client.Scopes, client.RedirectUris) = (declared.Grants, declared.Scopes, declared.RedirectUris);
        (client.PostLogoutRedirectUris, client.Origins) = (declared.PostLogoutRedirectUris, declared.Origins);
        (client.Jwks, client.JwksUri) = (declared.Jwks, declared.JwksUri);

        var digest = declared.Secret is { } secret ? Secrets.Sha256(secret) : null;
        db.RemoveRange(client.Secrets.Where(s => s.Sha256 != digest));
        if (digest is not null && client.Secrets.TrueForAll(s => s.Sha256 != digest))
        {
            db.Add(new OAuthClientSecret
            {
                Id = Guid.CreateVersion7(now), ClientId = client.ClientId, Sha256 = digest,
                LastFour = declared.Secret!.Length >= 16 ? declared.Secret[^4..] : "", Created = now,
            });
            await audit.AddAsync(db, "client.secret-declared", client.ClientId);
        }
    }

    private async Task ApplyAsync(DeclaredUser declared, CancellationToken cancel)
    {
        if (await users.FindByEmailAsync(declared.Email) is { } known)
        {
            known.EmailConfirmed |= declared.Confirmed;
            return;
        }

        if (PasswordRules.WhatIsWrongWith(declared.Password, declared.Email) is { } weak) Log.WeakPassword(logger, declared.Email, weak);
        var now = time.GetUtcNow();
        var account = Account.New(declared.Email, now);
        account.EmailConfirmed = declared.Confirmed;
        account.PasswordHash = hasher.HashPassword(account, declared.Password);   // the operator's word: the rules only warn
        var made = await users.CreateAsync(account);
        if (!made.Succeeded) throw new BootstrapException([.. made.Errors.Select(e => $"{declared.At}: {e.Description}")]);

        var organisation = new Organisation { Id = OrganisationId.New(), Name = declared.Email[..Math.Min(declared.Email.Length, Organisation.MaxNameLength)], Created = now };
        db.Add(organisation);
        db.Add(new Membership { Organisation = organisation.Id, Account = account.Id, Role = OrganisationRole.Owner, Since = now });
        await audit.AddAsync(db, "account.declared", account.Id.ToString(), organisation.Id);
    }

    private static partial class Log
    {
        [LoggerMessage(2411, LogLevel.Information, "{File} is applied: {Users} users, {Scopes} scopes, {Clients} clients")]
        public static partial void Applied(ILogger logger, string file, int users, int scopes, int clients);

        [LoggerMessage(2412, LogLevel.Warning, "{File} holds something that means nothing here: {Member}")]
        public static partial void UnknownMember(ILogger logger, string file, string member);

        [LoggerMessage(2413, LogLevel.Warning, "The password that the bootstrap file gives {Email} is weak: {Reason}")]
        public static partial void WeakPassword(ILogger logger, string email, string reason);
    }
}
