using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Scopes;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Storage;
using Tollgate.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>The OAuth clients of applications, and the platform's view of all clients. Every change is in the credentials feed with its own transaction.</summary>
public sealed class ClientService
{
    /// <summary>How many clients an application holds at most.</summary>
    public const int MaxClients = 5;

    /// <summary>How many secrets of a client may live at a time.</summary>
    public const int MaxSecrets = 2;

    /// <summary>How long a rotated secret may live on beside its successor.</summary>
    public static readonly TimeSpan MaxOverlap = TimeSpan.FromDays(30);

    private readonly IDbContextFactory<IdentityDb> _databases;
    private readonly AuditLog _audit;
    private readonly ClientCache _cache;
    private readonly ISubscribedScopes _subscribed;
    private readonly TollgateIdentityOptions _options;
    private readonly TimeProvider _time;

    internal ClientService(IDbContextFactory<IdentityDb> databases, AuditLog audit, ClientCache cache, ISubscribedScopes subscribed, IOptions<TollgateIdentityOptions> options, TimeProvider time) =>
        (_databases, _audit, _cache, _subscribed, _options, _time) = (databases, audit, cache, subscribed, options.Value, time);

    /// <summary>Whether clients of applications may have access tokens that gateways ask about: the operator knows whether they do.</summary>
    public bool OffersReferenceTokens => _options.ReferenceTokensForApplications;

    /// <summary>Where programs find the rest: the issuer's discovery document.</summary>
    public string Discovery => _options.IssuerName.TrimEnd('/') + OAuthPaths.Discovery;

    /// <summary>Where programs get tokens.</summary>
    public string TokenEndpoint => _options.IssuerName.TrimEnd('/') + OAuthPaths.Token;

    public async Task<IReadOnlyList<ClientView>> ListAsync(OrganisationId organisation, AppId application, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        var clients = await ClientsOf(db, organisation, application).AsNoTracking().Include(c => c.Secrets).OrderBy(c => c.Created).ToListAsync(cancel);
        if (clients.Count == 0) return [];
        var given = await _subscribed.OfAsync(application, cancel);
        return [.. clients.Select(c => View(c) with { MayAsk = ScopeBook.Within(c.Scopes, given) })];
    }

    /// <summary>All clients by name, for platform admins: those of applications, those that the operator declared, those that registered themselves.</summary>
    /// <param name="search">Part of a name or an id; null or empty = all.</param>
    /// <param name="page">From 1 on.</param>
    public async Task<Page<ClientView>> ListAllAsync(string? search, int page, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        var found = db.OAuthClients.AsNoTracking().Where(c => c.DeletedAt == null);
        if (OneLine.Sought(search) is { } part) found = found.Where(c => c.Name.ToLower().Contains(part) || c.ClientId.ToLower().Contains(part));
        return await found.Include(c => c.Secrets).OrderBy(c => c.Name).ThenBy(c => c.ClientId)
            .ToPageAsync(page, async rows => (await rows.ToListAsync(cancel)).ConvertAll(View), cancel);
    }

    /// <summary>The scopes among which the owner of an application's client chooses: those of OpenID Connect for one that acts for people, and what the subscriptions give.</summary>
    public async Task<IReadOnlyList<string>> ScopesAsync(AppId application, ClientKind kind, CancellationToken cancel) =>
        [.. kind == ClientKind.Service ? [] : StandardScopes.All, .. await _subscribed.OfAsync(application, cancel)];

    public async Task<ClientOutcome> CreateAsync(OrganisationId organisation, AppId application, ClientForm form, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        if (await WhatIsWrongAsync(application, form, [], keeps: false, cancel) is { Count: > 0 } errors) return new ClientOutcome.Invalid(errors);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel)
            || !await db.Applications.AnyAsync(a => a.Id == application && a.Organisation == organisation && a.DeletedAt == null, cancel))
            return new ClientOutcome.NotFound();
        if (await ClientsOf(db, organisation, application).CountAsync(cancel) >= MaxClients) return new ClientOutcome.TooMany(MaxClients);

        var now = _time.GetUtcNow();
        var client = new OAuthClient
        {
            // The prefix keeps it apart from people, whose subject is a UUID.
            ClientId = "app_" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)), Application = application, Name = "", AsksConsent = true, Created = now,
        };
        Write(form, client);
        db.Add(client);
        var secret = client.IsPublic ? null : AddSecret(db, client, now);
        await _audit.AddAsync(db, "client.made", client.ClientId, organisation);
        await db.SaveWithChangesAsync([Item(client)], cancel);
        await transaction.CommitAsync(cancel);
        return new ClientOutcome.Done(new FreshClient(View(client), secret));
    }

    /// <param name="version">What the person saw: a change that somebody else made meanwhile is not undone.</param>
    public async Task<ClientOutcome> UpdateAsync(
        OrganisationId organisation, AppId application, string clientId, int version, ClientForm form, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await LockAsync(db, organisation, application, clientId, cancel) is not { } client) return new ClientOutcome.NotFound();
        // What it has been given stays choosable while a subscription is away.
        if (await WhatIsWrongAsync(application, form, client.Scopes, client.UsesReferenceTokens, cancel) is { Count: > 0 } errors) return new ClientOutcome.Invalid(errors);
        if (client.Version != version) return new ClientOutcome.Stale(View(client));
        if (client.IsPublic != (form.Kind == ClientKind.Public))
            return new ClientOutcome.Invalid(new Dictionary<string, string> { ["kind"] = "A client with a secret and one without are two things: make another one." });

        Write(form, client);
        client.Version++;
        await _audit.AddAsync(db, "client.changed", clientId, organisation);
        await db.SaveWithChangesAsync([Item(client)], cancel);
        await transaction.CommitAsync(cancel);
        _cache.Forget(clientId);
        return new ClientOutcome.Done(new FreshClient(View(client), null));
    }

    /// <summary>Makes a second secret; the one in use goes on being good for <paramref name="overlap"/>, none at all when that is zero.</summary>
    public async Task<ClientOutcome> RotateAsync(OrganisationId organisation, AppId application, string clientId, TimeSpan overlap, CancellationToken cancel)
    {
        if (overlap < TimeSpan.Zero || overlap > MaxOverlap)
            return new ClientOutcome.Invalid(new Dictionary<string, string> { ["overlap"] = $"Choose an overlap between none and {MaxOverlap.Days} days." });
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await LockAsync(db, organisation, application, clientId, cancel) is not { IsPublic: false } client) return new ClientOutcome.NotFound();

        var now = _time.GetUtcNow();
        var live = client.Secrets.Where(s => s.IsLive(now)).OrderByDescending(s => s.Created).ToList();
        foreach (var old in live.Skip(MaxSecrets - 1)) old.Expires = now;   // of three, the oldest goes
        if (live.FirstOrDefault() is { } latest && !(latest.Expires < now + overlap)) latest.Expires = now + overlap;
        var secret = AddSecret(db, client, now);
        await _audit.AddAsync(db, "client.secret-rotated", clientId, organisation);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        _cache.Forget(clientId);
        return new ClientOutcome.Done(new FreshClient(View(client), secret));
    }

    /// <summary>Ends a secret at once. False: there is no such live one.</summary>
    public async Task<bool> RevokeSecretAsync(OrganisationId organisation, AppId application, string clientId, Guid secret, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var now = _time.GetUtcNow();
        if (await LockAsync(db, organisation, application, clientId, cancel) is not { } client || client.Secrets.Find(s => s.Id == secret && s.IsLive(now)) is not { } row) return false;
        row.Expires = now;
        await _audit.AddAsync(db, "client.secret-revoked", clientId, organisation);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        _cache.Forget(clientId);
        return true;
    }

    /// <summary>Takes the client from every gateway, its tokens included. False: there is no such client.</summary>
    public async Task<bool> DeleteAsync(OrganisationId organisation, AppId application, string clientId, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await LockAsync(db, organisation, application, clientId, cancel) is not { } client) return false;
        client.DeletedAt = _time.GetUtcNow();
        await _audit.AddAsync(db, "client.deleted", clientId, organisation);
        await db.SaveWithChangesAsync([new RemovedItem("client", Item(client).Key), TokensUntilNow(clientId)], cancel);
        await transaction.CommitAsync(cancel);
        _cache.Forget(clientId);
        return true;
    }

    /// <summary>Ends a client that registered itself, at its own wish.</summary>
    internal async Task EndAsync(OAuthClient registered, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var now = (DateTimeOffset?)_time.GetUtcNow();
        await db.OAuthClients.Where(c => c.ClientId == registered.ClientId).ExecuteUpdateAsync(c => c.SetProperty(x => x.DeletedAt, now), cancel);
        await _audit.AddAsync(db, "client.deleted", registered.ClientId);
        await db.SaveWithChangesAsync([TokensUntilNow(registered.ClientId)], cancel);
        await transaction.CommitAsync(cancel);
        _cache.Forget(registered.ClientId);
    }

    /// <summary>Refuses a client everywhere, or takes it again: the platform's own word, whoever's it is. False: there is no such client.</summary>
    public async Task<bool> DisableAsync(string clientId, bool disabled, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await db.OAuthClients.SingleOrDefaultAsync(c => c.ClientId == clientId && c.DeletedAt == null, cancel) is not { } client) return false;
        if (client.DisabledAt is not null == disabled) return true;
        client.DisabledAt = disabled ? _time.GetUtcNow() : null;
        client.Version++;
        await _audit.AddAsync(db, disabled ? "client.disabled" : "client.enabled", clientId);
        await db.SaveWithChangesAsync(disabled ? [TokensUntilNow(clientId)] : [], cancel);
        await transaction.CommitAsync(cancel);
        _cache.Forget(clientId);
        return true;
    }

    /// <summary>What the gateways are told when an application goes, and all its clients with it. Within the open transaction.</summary>
    internal async Task<IReadOnlyList<FeedItem>> DeleteAllAsync(IdentityDb db, AppId application, CancellationToken cancel)
    {
        var clients = await db.OAuthClients.Where(c => c.Application == application && c.DeletedAt == null).ToListAsync(cancel);
        foreach (var client in clients)
        {
            client.DeletedAt = _time.GetUtcNow();
            _cache.Forget(client.ClientId);
        }

        return [.. clients.Select(c => new RemovedItem("client", Item(c).Key)), .. clients.Select(c => TokensUntilNow(c.ClientId))];
    }

    /// <summary>What is remembered of an application's clients is read anew.</summary>
    internal async Task ForgetAllAsync(IdentityDb db, AppId application, CancellationToken cancel)
    {
        foreach (var client in await db.OAuthClients.Where(c => c.Application == application && c.DeletedAt == null).Select(c => c.ClientId).ToListAsync(cancel)) _cache.Forget(client);
    }

    /// <param name="keeps">It has reference tokens already, and may go on with them.</param>
    private async Task<Dictionary<string, string>> WhatIsWrongAsync(AppId application, ClientForm form, IReadOnlyList<string> has, bool keeps, CancellationToken cancel) =>
        ClientFormRules.WhatIsWrongWith(form, [.. await ScopesAsync(application, form.Kind, cancel), .. form.Kind == ClientKind.Service ? has.Except(StandardScopes.All) : has], OffersReferenceTokens || keeps, _options.IsHttps);

    private static async Task<OAuthClient?> LockAsync(IdentityDb db, OrganisationId organisation, AppId application, string clientId, CancellationToken cancel) =>
        await db.LockOrganisationAsync(organisation, cancel)
            ? await ClientsOf(db, organisation, application).Include(c => c.Secrets).SingleOrDefaultAsync(c => c.ClientId == clientId, cancel)
            : null;

    private static IQueryable<OAuthClient> ClientsOf(IdentityDb db, OrganisationId organisation, AppId application) =>
        db.OAuthClients.Where(c => c.Application == application && c.DeletedAt == null
            && db.Applications.Any(a => a.Id == application && a.Organisation == organisation && a.DeletedAt == null));

    private static void Write(ClientForm form, OAuthClient client)
    {
        client.Name = form.Name.Trim();
        client.IsPublic = form.Kind == ClientKind.Public;
        client.Grants = form.Kind == ClientKind.Service ? [Grants.ClientCredentials] : [Grants.AuthorizationCode, Grants.RefreshToken];
        (client.Scopes, client.RedirectUris) = ([.. (form.Scopes ?? []).Distinct()], [.. (form.RedirectUris ?? []).Distinct()]);
        (client.PostLogoutRedirectUris, client.Origins) = ([.. (form.PostLogoutRedirectUris ?? []).Distinct()], [.. (form.Origins ?? []).Distinct()]);
        client.BackChannelLogoutUri = form.BackChannelLogoutUri is { Length: > 0 } uri ? uri : null;
        client.SigningAlgorithm = form.SigningAlgorithm ?? client.SigningAlgorithm;
        client.UsesReferenceTokens = form.AccessTokenType is { } type ? type == AccessTokenTypes.Reference : client.UsesReferenceTokens;
        client.RequiresDpop = form.RequireDpop ?? client.RequiresDpop;
        client.RequiresPushedRequests = form.Kind != ClientKind.Service && (form.RequirePushedRequests ?? client.RequiresPushedRequests);
    }

    private static string AddSecret(IdentityDb db, OAuthClient client, DateTimeOffset now)
    {
        var secret = Secrets.New();
        var row = new OAuthClientSecret { Id = Guid.CreateVersion7(now), ClientId = client.ClientId, Sha256 = Secrets.Sha256(secret), LastFour = secret[^4..], Created = now };
        db.Add(row);   // joins the client's list by itself
        return secret;
    }

    private ClientItem Item(OAuthClient client) => new(client.ClientId, client.Application!.Value, _options.IssuerName);

    private RevokedBeforeItem TokensUntilNow(string clientId)
    {
        var now = _time.GetUtcNow();
        return new RevokedBeforeItem(TokenHolder.Client, clientId, now.ToUnixTimeMilliseconds(), now.AddSeconds(_options.AccessTokenLifetimeSeconds).ToUnixTimeMilliseconds());
    }

    private ClientView View(OAuthClient client)
    {
        var now = _time.GetUtcNow();
        var kind = client.IsPublic ? ClientKind.Public : client.Has(Grants.AuthorizationCode) ? ClientKind.Web : ClientKind.Service;
        return new ClientView(client.ClientId, client.Application, client.Name, kind, client.Grants, client.Scopes, client.RedirectUris, client.PostLogoutRedirectUris,
            client.Origins, client.BackChannelLogoutUri, client.DisabledAt is not null, client.Created, client.Version,
            [.. client.Secrets.Where(s => s.IsLive(now)).OrderByDescending(s => s.Created).Select(s => new ClientSecretView(s.Id, s.LastFour, s.Created, s.Expires))])
        {
            SigningAlgorithm = client.SigningAlgorithm ?? Algorithms.Rs256, AccessTokenType = client.UsesReferenceTokens ? AccessTokenTypes.Reference : AccessTokenTypes.Jwt,
            RequireDpop = client.RequiresDpop, RequirePushedRequests = client.RequiresPushedRequests,
        };
    }
}
