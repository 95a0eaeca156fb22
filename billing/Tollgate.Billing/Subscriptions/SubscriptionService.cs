using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Storage;
using Tollgate.Contracts;
using Tollgate.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Billing.Subscriptions;

/// <summary>
/// Applications and the plans they are on. Methods with an organisation see its own subscriptions alone; those without are for admins.
/// Every change reaches the gateways through the entitlement feed, in the transaction of the change. Whether an application belongs to an
/// organisation is identity's knowledge: ask there before subscribing it.
/// </summary>
public sealed class SubscriptionService(IDbContextFactory<BillingDb> databases, TimeProvider time)
{
    /// <summary>For so long gateways that were out of reach carry out an order to reset counters.</summary>
    private static readonly TimeSpan ResetsKeep = TimeSpan.FromMinutes(10);

    /// <summary>An organisation's subscriptions, newest first.</summary>
    public async Task<IReadOnlyList<SubscriptionView>> ListAsync(OrganisationId organisation, CancellationToken cancel, bool withCancelled = false)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.Subscriptions.Where(s => s.Organisation == organisation && (withCancelled || s.State != SubscriptionState.Cancelled))
            .OrderByDescending(s => s.CreatedAt).ThenBy(s => s.Id).ViewsAsync(time.GetUtcNow(), cancel);
    }

    /// <summary>One subscription of an organisation; null when there is none of that id, or it is another's.</summary>
    public async Task<SubscriptionView?> GetAsync(OrganisationId organisation, SubscriptionId id, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return (await db.Subscriptions.Where(s => s.Organisation == organisation && s.Id == id).ViewsAsync(time.GetUtcNow(), cancel)).SingleOrDefault();
    }

    /// <summary>A product's subscribers, those that wait for an approval first, for admins.</summary>
    public async Task<Page<SubscriptionView>> ListForProductAsync(string productName, int page, CancellationToken cancel, bool withCancelled = false)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.Subscriptions.Where(s => s.Product.Name == productName && (withCancelled || s.State != SubscriptionState.Cancelled))
            .OrderBy(s => s.State == SubscriptionState.Pending ? 0 : 1).ThenByDescending(s => s.CreatedAt).ThenBy(s => s.Id)
            .ToPageAsync(page, rows => rows.ViewsAsync(time.GetUtcNow(), cancel), cancel);
    }

    /// <summary>How many applications are subscribed to each product, by its name, and how many of them wait for approval.</summary>
    public async Task<IReadOnlyDictionary<string, SubscriberCount>> CountByProductAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.Subscriptions.Where(s => s.State != SubscriptionState.Cancelled).GroupBy(s => s.Product.Name)
            .Select(g => new { g.Key, All = g.Count(), Waiting = g.Count(s => s.State == SubscriptionState.Pending) })
            .ToDictionaryAsync(g => g.Key, g => new SubscriberCount(g.All, g.Waiting), cancel);
    }

    /// <summary>Puts an application on the current version of a public plan. It runs at once unless the plan asks for an approval.</summary>
    public Task<SubscriptionOutcome> SubscribeAsync(OrganisationId organisation, AppId application, PlanId planId, CancellationToken cancel) =>
        SubscribeAsync(organisation, application, planId, byAdmin: false, cancel);

    /// <summary>Puts an application on any plan, also a private one, without asking for an approval.</summary>
    public Task<SubscriptionOutcome> AssignAsync(OrganisationId organisation, AppId application, PlanId planId, CancellationToken cancel) =>
        SubscribeAsync(organisation, application, planId, byAdmin: true, cancel);

    /// <summary>Moves a subscription to another plan of its product, at once; the draft invoice tells the two apart.</summary>
    public Task<SubscriptionOutcome> ChangePlanAsync(OrganisationId organisation, SubscriptionId id, PlanId planId, CancellationToken cancel) =>
        ChangeAsync(organisation, id, (db, s) => MoveToPlanAsync(db, s, planId, byAdmin: false, cancel), cancel);

    /// <summary>Moves a subscription to any plan of its product, also a private one or one that asks for an approval.</summary>
    public Task<SubscriptionOutcome> ReassignAsync(SubscriptionId id, PlanId planId, CancellationToken cancel) =>
        ChangeAsync(null, id, (db, s) => MoveToPlanAsync(db, s, planId, byAdmin: true, cancel), cancel);

    /// <summary>Moves a subscription to the newest version of its plan.</summary>
    public Task<SubscriptionOutcome> MoveToLatestAsync(SubscriptionId id, CancellationToken cancel) => ChangeAsync(null, id, async (db, s) =>
    {
        if (s.State == SubscriptionState.Cancelled) return new SubscriptionOutcome.WrongState(s.State);
        SwitchTo(s, await db.PlanVersions.Include(v => v.Plan).Where(v => v.PlanId == s.PlanVersion.PlanId).OrderByDescending(v => v.Number).FirstAsync(cancel));
        return null;
    }, cancel);

    /// <summary>Moves all subscribers of a plan to its newest version, each in a transaction of its own; answers how many were moved.</summary>
    public async Task<int> MoveAllToLatestAsync(PlanId planId, CancellationToken cancel)
    {
        List<SubscriptionId> behind;
        await using (var db = await databases.CreateDbContextAsync(cancel))
        {
            behind = await db.Subscriptions.Where(s => s.PlanVersion.PlanId == planId && s.State != SubscriptionState.Cancelled
                && s.PlanVersion.Number < s.PlanVersion.Plan.Versions.Max(v => v.Number)).Select(s => s.Id).ToListAsync(cancel);
        }

        var moved = 0;
        foreach (var id in behind)
            if (await MoveToLatestAsync(id, cancel) is SubscriptionOutcome.Changed) moved++;
        return moved;
    }

    /// <summary>Stops a subscription for a while. The fee of the running period is not given back; later ones are not owed.</summary>
    public Task<SubscriptionOutcome> PauseAsync(SubscriptionId id, CancellationToken cancel) =>
        ChangeAsync(null, id, From(SubscriptionState.Active, s =>
        {
            s.State = SubscriptionState.Paused;
            s.StoppedAt = time.GetUtcNow();
        }), cancel);

    public Task<SubscriptionOutcome> ResumeAsync(SubscriptionId id, CancellationToken cancel) =>
        ChangeAsync(null, id, From(SubscriptionState.Paused, s =>
        {
            s.State = SubscriptionState.Active;
            s.StoppedAt = null;
        }), cancel);

    /// <summary>Has all gateways begin the subscription's counters anew, as if nothing had been used: the limit or quota named, or all. What was metered stays.</summary>
    public async Task<SubscriptionOutcome> ResetCountersAsync(SubscriptionId id, string? limit, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.Subscriptions.AsNoTracking().Include(s => s.PlanVersion).ThenInclude(v => v.Plan).SingleOrDefaultAsync(s => s.Id == id, cancel) is not { } subscription)
            return new SubscriptionOutcome.NotFound();
        if (subscription.State == SubscriptionState.Cancelled) return new SubscriptionOutcome.WrongState(subscription.State);
        if (await EntitlementAsync(db, subscription, subscription.PlanVersion, cancel) is Contracts.Feeds.EntitlementItem item)
        {
            string[] names = [.. item.Limits.Select(l => l.Name), .. item.Quotas.Select(q => q.Name)];
            if (limit is not null && !names.Contains(limit, StringComparer.Ordinal)) return new SubscriptionOutcome.NoSuchLimit(names);
        }

        var now = time.GetUtcNow();
        await db.SaveWithChangesAsync([new Contracts.Feeds.CounterResetItem(id, limit, Guid.CreateVersion7(), (now + ResetsKeep).ToUnixTimeMilliseconds())], cancel);
        return new SubscriptionOutcome.CountersReset((await db.Subscriptions.Where(s => s.Id == id).ViewsAsync(now, cancel)).Single());
    }

    /// <summary>Ends a subscription for good. Its application may subscribe again.</summary>
    public Task<SubscriptionOutcome> CancelAsync(OrganisationId organisation, SubscriptionId id, CancellationToken cancel) => ChangeAsync(organisation, id, (_, s) =>
    {
        if (s.State == SubscriptionState.Cancelled) return Task.FromResult<SubscriptionOutcome?>(new SubscriptionOutcome.WrongState(s.State));
        End(s);
        return Task.FromResult<SubscriptionOutcome?>(null);
    }, cancel);

    /// <summary>Lets a waiting subscription run; its first billing period begins now.</summary>
    public Task<SubscriptionOutcome> ApproveAsync(SubscriptionId id, CancellationToken cancel) =>
        ChangeAsync(null, id, From(SubscriptionState.Pending, Start), cancel);

    public Task<SubscriptionOutcome> RejectAsync(SubscriptionId id, CancellationToken cancel) =>
        ChangeAsync(null, id, From(SubscriptionState.Pending, End), cancel);

    private async Task<SubscriptionOutcome> SubscribeAsync(
        OrganisationId organisation, AppId application, PlanId planId, bool byAdmin, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await OfferAsync(db, planId, byAdmin, cancel) is not { } version) return new SubscriptionOutcome.PlanNotFound();

        // Known beforehand it is an answer like any other; only two at the same moment run into the index.
        if (await db.Subscriptions.AnyAsync(s => s.Application == application && s.ProductId == version.Plan.ProductId && s.State != SubscriptionState.Cancelled, cancel))
            return new SubscriptionOutcome.AlreadySubscribed();

        var now = time.GetUtcNow();
        var subscription = new Subscription
        {
            Id = SubscriptionId.New(),
            Organisation = organisation,
            Application = application,
            ProductId = version.Plan.ProductId,
            PlanVersionId = version.Id,
            State = SubscriptionState.Pending,
            Anchor = Minute(now),
            CreatedAt = now,
        };
        if (byAdmin || !version.Plan.RequiresApproval) Start(subscription);
        db.Add(subscription);
        try
        {
            await db.SaveWithChangesAsync([await EntitlementAsync(db, subscription, version, cancel)], cancel);
        }
        catch (DbUpdateException taken) when (taken.IsUniqueViolation())
        {
            return new SubscriptionOutcome.AlreadySubscribed();
        }

        var view = (await db.Subscriptions.Where(s => s.Id == subscription.Id).ViewsAsync(now, cancel)).Single();
        return view.State == SubscriptionState.Pending ? new SubscriptionOutcome.PendingApproval(view) : new SubscriptionOutcome.Subscribed(view);
    }

    private async Task<SubscriptionOutcome?> MoveToPlanAsync(BillingDb db, Subscription subscription, PlanId planId, bool byAdmin, CancellationToken cancel)
    {
        if (subscription.State == SubscriptionState.Cancelled) return new SubscriptionOutcome.WrongState(subscription.State);
        if (await OfferAsync(db, planId, byAdmin, cancel) is not { } version) return new SubscriptionOutcome.PlanNotFound();
        if (version.Plan.ProductId != subscription.ProductId) return new SubscriptionOutcome.OtherProduct();
        var isAnother = planId != subscription.PlanVersion.PlanId;
        if (isAnother && version.Plan.RequiresApproval && !byAdmin) return new SubscriptionOutcome.PlanNeedsApproval();
        // Else a subscription that waits for an approval would carry its wait over to a plan that needs none, or the other way round.
        if (isAnother && subscription.State == SubscriptionState.Pending && !byAdmin) return new SubscriptionOutcome.WrongState(subscription.State);
        SwitchTo(subscription, version);
        return null;
    }

    /// <summary>Reads, changes and saves, again from the start when somebody else changed the subscription meanwhile.</summary>
    private async Task<SubscriptionOutcome> ChangeAsync(
        OrganisationId? owner, SubscriptionId id, Func<BillingDb, Subscription, Task<SubscriptionOutcome?>> change, CancellationToken cancel)
    {
        while (true)
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            var subscription = await db.Subscriptions.Include(s => s.Terms).Include(s => s.PlanVersion.Plan)
                .SingleOrDefaultAsync(s => s.Id == id && (owner == null || s.Organisation == owner), cancel);
            if (subscription is null) return new SubscriptionOutcome.NotFound();
            if (await change(db, subscription) is { } refused) return refused;

            if (db.ChangeTracker.HasChanges())
            {
                subscription.Revision++;
                try
                {
                    await db.SaveWithChangesAsync([await EntitlementAsync(db, subscription, subscription.PlanVersion, cancel)], cancel);
                }
                catch (DbUpdateException raced) when (raced is DbUpdateConcurrencyException || raced.IsUniqueViolation())
                {
                    continue;
                }
            }

            return new SubscriptionOutcome.Changed((await db.Subscriptions.Where(s => s.Id == id).ViewsAsync(time.GetUtcNow(), cancel)).Single());
        }
    }

    /// <summary>The version that a plan offers now, with its plan; null when it offers none.</summary>
    private static async Task<PlanVersion?> OfferAsync(BillingDb db, PlanId planId, bool byAdmin, CancellationToken cancel) =>
        await db.PlanVersions.Include(v => v.Plan)
            .Where(v => v.PlanId == planId && !v.Plan.IsArchived && (byAdmin || (v.Plan.IsPublic && v.Plan.Product.IsPublished)))
            .OrderByDescending(v => v.Number).FirstOrDefaultAsync(cancel);

    private static async Task<Contracts.Feeds.FeedItem> EntitlementAsync(
        BillingDb db, Subscription subscription, PlanVersion version, CancellationToken cancel)
    {
        var product = await db.Products.Where(p => p.Id == subscription.ProductId).Select(p => p.Name).SingleAsync(cancel);
        return Entitlements.Of(subscription, product, version.Plan.Name, version);
    }

    private static Func<BillingDb, Subscription, Task<SubscriptionOutcome?>> From(SubscriptionState state, Action<Subscription> change) => (_, s) =>
    {
        if (s.State != state) return Task.FromResult<SubscriptionOutcome?>(new SubscriptionOutcome.WrongState(s.State));
        change(s);
        return Task.FromResult<SubscriptionOutcome?>(null);
    };

    private void Start(Subscription subscription)
    {
        subscription.State = SubscriptionState.Active;
        subscription.Anchor = Minute(time.GetUtcNow());
        subscription.Terms.Add(new SubscriptionTerm
        {
            SubscriptionId = subscription.Id,
            From = subscription.Anchor,
            PlanVersionId = subscription.PlanVersionId,
        });
    }

    private void End(Subscription subscription)
    {
        var now = time.GetUtcNow();
        subscription.State = SubscriptionState.Cancelled;
        subscription.StoppedAt ??= now;
        if (subscription.Terms.SingleOrDefault(t => t.To is null) is { } open) open.To = Later(open.From, Minute(now));
    }

    private void SwitchTo(Subscription subscription, PlanVersion version)
    {
        if (subscription.PlanVersionId == version.Id) return;
        subscription.PlanVersion = version;
        subscription.PlanVersionId = version.Id;
        if (subscription.Terms.SingleOrDefault(t => t.To is null) is not { } open) return;

        var minute = Minute(time.GetUtcNow());
        if (open.From >= minute)
        {
            open.PlanVersionId = version.Id;   // twice in one minute: the minute belongs to the last
            return;
        }

        open.To = minute;
        subscription.Terms.Add(new SubscriptionTerm { SubscriptionId = subscription.Id, From = minute, PlanVersionId = version.Id });
    }

    private static DateTimeOffset Minute(DateTimeOffset at) => new(at.UtcTicks - at.UtcTicks % TimeSpan.TicksPerMinute, TimeSpan.Zero);

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
