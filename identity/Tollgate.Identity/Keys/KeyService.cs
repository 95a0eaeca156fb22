using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.Keys;

/// <summary>The API keys of an application. Every change is in the credentials feed with its own transaction.</summary>
public sealed class KeyService
{
    /// <summary>How many live keys an application holds at most.</summary>
    public const int MaxLiveKeys = 20;

    /// <summary>How long a rotated key may live on beside its successor.</summary>
    public static readonly TimeSpan MaxOverlap = TimeSpan.FromDays(30);

    private readonly IDbContextFactory<IdentityDb> _databases;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal KeyService(IDbContextFactory<IdentityDb> databases, AuditLog audit, TimeProvider time) =>
        (_databases, _audit, _time) = (databases, audit, time);

    /// <summary>All keys, the newest first, dead ones too. Empty when there is no such application.</summary>
    public async Task<IReadOnlyList<KeyView>> ListAsync(OrganisationId organisation, AppId application, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        var keys = await KeysOf(db, organisation, application).AsNoTracking().OrderByDescending(k => k.Created).ThenByDescending(k => k.Id).ToListAsync(cancel);
        var now = _time.GetUtcNow();
        return [.. keys.Select(k => k.ToView(now))];
    }

    public async Task<IssueKeyOutcome> IssueAsync(OrganisationId organisation, AppId application, IssueKeyRequest request, CancellationToken cancel)
    {
        var now = _time.GetUtcNow();
        var terms = new KeyTerms(request, now);
        if (terms.Errors.Count > 0) return new IssueKeyOutcome.Invalid(terms.Errors);

        var (secret, key) = Make(application, terms, request.Test, request.HighRisk, now);
        return await AddAsync(organisation, key, "key.issued", now, cancel) ?? new IssueKeyOutcome.Issued(new IssuedKey(secret, key.ToView(now)));
    }

    /// <summary>Takes a key that was made elsewhere by its digest, so that its holder need not change anything.</summary>
    public async Task<IssueKeyOutcome> ImportAsync(OrganisationId organisation, AppId application, ImportKeyRequest request, CancellationToken cancel)
    {
        var now = _time.GetUtcNow();
        var terms = new KeyTerms(request, now);
        if (terms.Errors.Count > 0) return new IssueKeyOutcome.Invalid(terms.Errors);

        var key = Make(application, terms, request.Test, request.HighRisk, now, terms.Sha256!, terms.LastFour);
        return await AddAsync(organisation, key, "key.imported", now, cancel) ?? new IssueKeyOutcome.Imported(key.ToView(now));
    }

    /// <summary>Null when the key is in force.</summary>
    private async Task<IssueKeyOutcome?> AddAsync(OrganisationId organisation, ApiKey key, string what, DateTimeOffset now, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel) || !await IsThereAsync(db, organisation, key.Application, cancel))
            return new IssueKeyOutcome.ApplicationNotFound();
        if (await CountLiveAsync(db, key.Application, now, cancel) >= MaxLiveKeys) return new IssueKeyOutcome.TooManyKeys(MaxLiveKeys);
        if (await db.Keys.AnyAsync(k => k.Sha256 == key.Sha256, cancel)) return new IssueKeyOutcome.KeyTaken();

        db.Add(key);
        await _audit.AddAsync(db, what, key.Id.ToString(), organisation);
        try
        {
            await db.SaveWithChangesAsync([key.ToFeedItem()], cancel);
        }
        catch (DbUpdateException) when (key.Prefix.Length == 0)
        {
            return new IssueKeyOutcome.KeyTaken();    // another organisation brought the same key at the same moment
        }

        await transaction.CommitAsync(cancel);
        return null;
    }

    /// <summary>Refused by every gateway from now on. True also when it had been revoked before; false: there is no such key.</summary>
    public async Task<bool> RevokeAsync(OrganisationId organisation, AppId application, ApiKeyId key, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel)
            || await KeysOf(db, organisation, application).SingleOrDefaultAsync(k => k.Id == key, cancel) is not { } row)
            return false;
        if (row.RevokedAt is not null) return true;

        row.RevokedAt = _time.GetUtcNow();
        await _audit.AddAsync(db, "key.revoked", key.ToString(), organisation);
        await db.SaveWithChangesAsync([row.ToFeedItem()], cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }

    /// <summary>
    /// Makes a key with the terms of the old one (and its whole lifetime, where it had one); the old one expires after
    /// <paramref name="overlap"/>, at once when that is zero.
    /// </summary>
    public async Task<IssueKeyOutcome> RotateAsync(
        OrganisationId organisation, AppId application, ApiKeyId key, TimeSpan overlap, CancellationToken cancel)
    {
        if (overlap < TimeSpan.Zero || overlap > MaxOverlap)
            return new IssueKeyOutcome.Invalid(new Dictionary<string, string> { ["overlap"] = $"Choose an overlap between none and {MaxOverlap.Days} days." });

        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel) || !await IsThereAsync(db, organisation, application, cancel))
            return new IssueKeyOutcome.ApplicationNotFound();

        var now = _time.GetUtcNow();
        var old = await KeysOf(db, organisation, application).SingleOrDefaultAsync(k => k.Id == key, cancel);
        if (old is null || !old.IsLive(now)) return new IssueKeyOutcome.KeyNotFound();
        var others = await CountLiveAsync(db, application, now, cancel) - (overlap == TimeSpan.Zero ? 1 : 0);
        if (others >= MaxLiveKeys) return new IssueKeyOutcome.TooManyKeys(MaxLiveKeys);

        var (secret, next) = Follow(old, now);
        old.Expires = old.Expires is { } sooner && sooner < now + overlap ? sooner : now + overlap;
        db.Add(next);
        await _audit.AddAsync(db, "key.rotated", $"{old.Id} → {next.Id}", organisation);
        await db.SaveWithChangesAsync([old.ToFeedItem(), next.ToFeedItem()], cancel);
        await transaction.CommitAsync(cancel);
        return new IssueKeyOutcome.Issued(new IssuedKey(secret, next.ToView(now)));
    }

    private static (string Secret, ApiKey Key) Make(AppId application, KeyTerms terms, bool test, bool highRisk, DateTimeOffset now)
    {
        var secret = ApiKeyFormat.Generate(test);
        return (secret, Make(application, terms, test, highRisk, now, ApiKeyFormat.Sha256Hex(secret), ApiKeyFormat.LastFour(secret), ApiKeyFormat.Prefix(secret)));
    }

    private static ApiKey Make(
        AppId application, KeyTerms terms, bool test, bool highRisk, DateTimeOffset now, string sha256, string lastFour, string prefix = "") => new()
    {
        Id = ApiKeyId.New(),
        Application = application,
        Name = terms.Name,
        Sha256 = sha256,
        Prefix = prefix,
        LastFour = lastFour,
        Test = test,
        Created = now,
        Expires = terms.Expires,
        Scopes = terms.Scopes,
        Networks = terms.Networks,
        HighRisk = highRisk,
    };

    /// <summary>The successor of an imported key is one of ours.</summary>
    private static (string Secret, ApiKey Key) Follow(ApiKey old, DateTimeOffset now)
    {
        var secret = ApiKeyFormat.Generate(old.Test);
        return (secret, new ApiKey
        {
            Id = ApiKeyId.New(),
            Application = old.Application,
            Name = old.Name,
            Sha256 = ApiKeyFormat.Sha256Hex(secret),
            Prefix = ApiKeyFormat.Prefix(secret),
            LastFour = ApiKeyFormat.LastFour(secret),
            Test = old.Test,
            Created = now,
            Expires = now + (old.Expires - old.Created),
            Scopes = old.Scopes,
            Networks = old.Networks,
            HighRisk = old.HighRisk,
            Replaces = old.Id,
        });
    }

    private static Task<bool> IsThereAsync(IdentityDb db, OrganisationId organisation, AppId application, CancellationToken cancel) =>
        db.Applications.AnyAsync(a => a.Id == application && a.Organisation == organisation && a.DeletedAt == null, cancel);

    private static IQueryable<ApiKey> KeysOf(IdentityDb db, OrganisationId organisation, AppId application) =>
        db.Keys.Where(k => k.Application == application
            && db.Applications.Any(a => a.Id == application && a.Organisation == organisation && a.DeletedAt == null));

    private static Task<int> CountLiveAsync(IdentityDb db, AppId application, DateTimeOffset now, CancellationToken cancel) =>
        db.Keys.CountAsync(k => k.Application == application && k.RevokedAt == null && (k.Expires == null || k.Expires > now), cancel);
}
