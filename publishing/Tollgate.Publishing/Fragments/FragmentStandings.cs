using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts.Fragments;
using Tollgate.Publishing.Storage;

namespace Tollgate.Publishing.Fragments;

/// <summary>Keeps what the gateways say of the routes that services published: which serve, and which are left out, and why.</summary>
public sealed class FragmentStandings(IDbContextFactory<PublishingDb> databases, TimeProvider time)
{
    /// <summary>Who was not heard for so long is no longer spoken of; gateways report every half minute.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(90);

    /// <summary>Takes a gateway's report in the place of its last one.</summary>
    public async Task TakeAsync(FragmentReport report, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.Standings.Where(s => s.At < now - Fresh && s.Gateway != report.Gateway).ExecuteDeleteAsync(cancel);
        var known = await db.Standings.Where(s => s.Gateway == report.Gateway).ToDictionaryAsync(s => s.Service, cancel);
        foreach (var standing in report.Fragments.DistinctBy(fragment => fragment.Service).Prepend(new FragmentStanding("", 0, null, [])))
        {
            var reasons = string.Join('\n', standing.Reasons.Select(reason => reason.ReplaceLineEndings(" ")));
            if (reasons.Length > GatewayStanding.ReasonsLength) reasons = reasons[..GatewayStanding.ReasonsLength];
            if (known.Remove(standing.Service, out var row)) (row.Version, row.InForce, row.Reasons, row.At) = (standing.Version, standing.InForce, reasons, now);
            else db.Add(new GatewayStanding { Gateway = report.Gateway, Service = standing.Service, Version = standing.Version, InForce = standing.InForce, Reasons = reasons, At = now });
        }

        db.RemoveRange(known.Values);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>How a version stands on every gateway that was heard lately, by the gateways' names.</summary>
    public async Task<IReadOnlyList<GatewayStandingView>> OfAsync(string service, long version, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var since = time.GetUtcNow() - Fresh;
        var rows = await db.Standings.AsNoTracking().Where(s => s.At >= since && (s.Service == service || s.Service == "")).OrderBy(s => s.Gateway).ToListAsync(cancel);
        return [.. rows.GroupBy(row => row.Gateway).Select(gateway => View(gateway.FirstOrDefault(row => row.Service.Length > 0), gateway.Key, version, gateway.Max(row => row.At)))];
    }

    /// <summary>The services whose newest version some gateway leaves out, with one reason each.</summary>
    public async Task<IReadOnlyDictionary<string, string>> LeftOutAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var since = time.GetUtcNow() - Fresh;
        var rows = await db.Standings.AsNoTracking().Where(s => s.At >= since && s.Reasons != "").OrderBy(s => s.Gateway).ToListAsync(cancel);
        return rows.GroupBy(row => row.Service).ToDictionary(service => service.Key, service => service.First().Reasons.Split('\n')[0], StringComparer.Ordinal);
    }

    private static GatewayStandingView View(GatewayStanding? row, string gateway, long version, DateTimeOffset at)
    {
        if (row is null || row.Version < version) return new(gateway, GatewayState.Waiting, row?.Version, row?.InForce, [], at);
        var state = row.InForce == row.Version ? GatewayState.Serves : row.InForce is null ? GatewayState.LeftOut : GatewayState.ServesOlder;
        return new(gateway, state, row.Version, row.InForce, row.Reasons.Split('\n', StringSplitOptions.RemoveEmptyEntries), at);
    }
}

/// <summary>How a version stands on one gateway.</summary>
public enum GatewayState
{
    /// <summary>The gateway has not heard of it yet.</summary>
    Waiting,

    Serves,

    /// <summary>It is left out, and the version before still serves.</summary>
    ServesOlder,

    /// <summary>It is left out, and no version serves.</summary>
    LeftOut,
}

/// <param name="Gateway">What the gateway calls itself.</param>
/// <param name="Version">The newest that it knows of.</param>
/// <param name="InForce">The one that serves there.</param>
/// <param name="Reasons">Why the newest does not.</param>
/// <param name="At">When it was heard last.</param>
public sealed record GatewayStandingView(string Gateway, GatewayState State, long? Version, long? InForce, IReadOnlyList<string> Reasons, DateTimeOffset At);
