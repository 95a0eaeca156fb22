using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Fragments;
using Tollgate.Publishing.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Publishing.Fragments;

/// <summary>Takes what services publish, holds what they own against each other, and keeps every version.</summary>
/// <param name="read">How a gateway reads a fragment.</param>
/// <param name="reserved">What belongs to files of a gateway in this process.</param>
public sealed class FragmentService(IDbContextFactory<PublishingDb> databases, ReadFragment read, ReservedClaims reserved, TimeProvider time)
{
    // A feed's line may have a megabyte (docs/architecture.md §5).
    private const int MostLineBytes = 1_000_000;

    /// <summary>Every service that has routes, by name.</summary>
    public async Task<IReadOnlyList<FragmentView>> ListAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var inForce = await db.Versions.AsNoTracking().Where(v => v.IsInForce).OrderBy(v => v.Service).ToListAsync(cancel);
        return [.. inForce.Select(View)];
    }

    /// <summary>A version with its words; the one in force unless a number is named. Null = there is none.</summary>
    public async Task<FragmentDetails?> GetAsync(string service, long? number, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var version = await db.Versions.AsNoTracking()
            .SingleOrDefaultAsync(v => v.Service == service && (number == null ? v.IsInForce : v.Number == number), cancel);
        return version is null ? null : new FragmentDetails(service, Summary(version), version.Content);
    }

    /// <summary>Every version, the newest first. Empty = the service is not known.</summary>
    public async Task<IReadOnlyList<FragmentVersionView>> HistoryAsync(string service, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.Versions.AsNoTracking().Where(v => v.Service == service).OrderByDescending(v => v.Number).Take(500)
            .Select(v => new FragmentVersionView(v.Number, v.Change, v.From, v.Routes, v.Sha256, v.By, v.At, v.IsInForce)).ToListAsync(cancel);
    }

    /// <summary>What changed between two versions; without numbers, what the newest changed. Null = one of them is not there.</summary>
    public async Task<FragmentDiff?> DiffAsync(string service, long? from, long? to, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var newest = to ?? await db.Versions.Where(v => v.Service == service).MaxAsync(v => (long?)v.Number, cancel);
        if (newest is not { } last) return null;
        var first = from ?? last - 1;
        var contents = await db.Versions.AsNoTracking().Where(v => v.Service == service && (v.Number == first || v.Number == last)).ToDictionaryAsync(v => v.Number, v => v.Content, cancel);
        if (!contents.TryGetValue(last, out var after)) return null;
        if (!contents.TryGetValue(first, out var before))
        {
            if (first != 0) return null;
            before = "";
        }

        return new FragmentDiff(service, first, last, LineDiff.Unified(before, after, $"{service} v{first}", $"{service} v{last}"));
    }

    /// <summary>Puts a service's routes in force: on every gateway within a second.</summary>
    /// <param name="expected">The version that the author believes to be in force, 0 for none; null = does not matter.</param>
    /// <param name="dryRun">Only says what would come of it.</param>
    public async Task<PublishOutcome> PublishAsync(string service, string content, string by, long? expected, bool dryRun, CancellationToken cancel)
    {
        if (!FragmentRules.IsName(service)) return new PublishOutcome.BadName();
        if (Encoding.UTF8.GetByteCount(content) > FragmentRules.MostBytes || LineBytes(service, content) > MostLineBytes) return new PublishOutcome.TooLarge();
        var reading = read(service, content);
        return reading.Mistakes.Count > 0 ? new PublishOutcome.Mistaken(reading.Mistakes) : await SaveAsync(service, content, reading, FragmentChange.Published, null, by, expected, dryRun, cancel);
    }

    /// <summary>Puts an old version's words in force again, as a new version.</summary>
    public async Task<PublishOutcome> RollBackAsync(string service, long number, string by, CancellationToken cancel)
    {
        if (await GetAsync(service, number, cancel) is not { Content.Length: > 0 } old) return new PublishOutcome.NotFound();
        var reading = read(service, old.Content);    // what was fine once may not be with today's gateways
        return reading.Mistakes.Count > 0 ? new PublishOutcome.Mistaken(reading.Mistakes) : await SaveAsync(service, old.Content, reading, FragmentChange.RolledBack, number, by, null, false, cancel);
    }

    /// <summary>Takes a service's routes away. False = it has none.</summary>
    public async Task<bool> RemoveAsync(string service, string by, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await OneAtATimeAsync(db, cancel);
        if (await db.Versions.SingleOrDefaultAsync(v => v.Service == service && v.IsInForce, cancel) is not { } current) return false;
        current.IsInForce = false;
        db.Add(new FragmentVersion
        {
            Service = service, Number = current.Number + 1, Content = "", Sha256 = Sha256(""), Routes = 0, Change = FragmentChange.Removed, By = by, At = time.GetUtcNow(), IsInForce = false,
        });
        await db.SaveWithChangesAsync([new RemovedItem("fragment", service)], cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }

    private async Task<PublishOutcome> SaveAsync(
        string service, string content, FragmentReading reading, FragmentChange change, long? from, string by, long? expected, bool dryRun, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await OneAtATimeAsync(db, cancel);
        var newest = await db.Versions.Where(v => v.Service == service).OrderByDescending(v => v.Number).FirstOrDefaultAsync(cancel);
        var current = newest is { IsInForce: true } ? newest : null;
        if (expected is { } version && version != (current?.Number ?? 0)) return new PublishOutcome.Outdated(current?.Number ?? 0);
        if (await ConflictsAsync(db, service, reading.Claims, cancel) is { Count: > 0 } conflicts) return new PublishOutcome.Conflicts(conflicts);

        var number = (newest?.Number ?? 0) + 1;
        if (dryRun)
            return new PublishOutcome.Fits(new FragmentDiff(service, current?.Number ?? 0, 0,
                LineDiff.Unified(current?.Content ?? "", content, $"{service} v{current?.Number ?? 0}", $"{service} as sent")), reading.Warnings);
        if (current?.Content == content) return new PublishOutcome.Published(View(current), reading.Warnings, IsNew: false, Changed: false);

        if (current is not null) current.IsInForce = false;
        var next = new FragmentVersion
        {
            Service = service, Number = number, Content = content, Sha256 = Sha256(content), Routes = reading.Claims.Count, Change = change, From = from, By = by, At = time.GetUtcNow(), IsInForce = true,
        };
        db.Add(next);
        await db.SaveWithChangesAsync([new FragmentItem(service, number, content)], cancel);
        await transaction.CommitAsync(cancel);
        return new PublishOutcome.Published(View(next), reading.Warnings, IsNew: current is null, Changed: true);
    }

    private async Task<List<OwnershipConflict>> ConflictsAsync(PublishingDb db, string service, IReadOnlyList<PathClaim> claims, CancellationToken cancel)
    {
        var others = await db.Versions.AsNoTracking().Where(v => v.IsInForce && v.Service != service).OrderBy(v => v.Service).Select(v => new { v.Service, v.Content }).ToListAsync(cancel);
        var owned = reserved().Select(file => (Owner: file.File, file.Claim)).Concat(others.SelectMany(other => read(other.Service, other.Content).Claims.Select(claim => (Owner: other.Service, Claim: claim))));
        return [.. from owner in owned
            from claim in claims
            where claim.Overlaps(owner.Claim)
            select new OwnershipConflict(service, claim.ToString(), claim.Line, owner.Owner, owner.Claim.ToString(), owner.Claim.Line)];
    }

    // The head's row stays locked until the end of the transaction: nobody claims a path between another's look and his writing.
    private static Task<int> OneAtATimeAsync(PublishingDb db, CancellationToken cancel) => db.Set<FeedHead>().ExecuteUpdateAsync(head => head.SetProperty(h => h.Epoch, h => h.Epoch), cancel);

    private FragmentView View(FragmentVersion version) =>
        new(version.Service, version.Number, version.Routes, [.. read(version.Service, version.Content).Claims.Select(claim => claim.ToString()).Distinct()], version.Sha256, version.By, version.At);

    private static FragmentVersionView Summary(FragmentVersion v) => new(v.Number, v.Change, v.From, v.Routes, v.Sha256, v.By, v.At, v.IsInForce);

    private static string Sha256(string content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)));

    private static int LineBytes(string service, string content) => JsonSerializer.SerializeToUtf8Bytes<FeedLine>(new FragmentItem(service, long.MaxValue, content), ContractJson.Default.FeedLine).Length;
}

/// <summary>What belongs to files of a gateway in this process, by the files' names.</summary>
public delegate IReadOnlyList<(string File, PathClaim Claim)> ReservedClaims();
