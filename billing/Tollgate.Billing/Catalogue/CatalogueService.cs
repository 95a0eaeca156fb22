using Tollgate.Contracts.Feeds;
using Tollgate.Storage.Feeds;
using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Storage;
using Tollgate.Billing.Subscriptions;

namespace Tollgate.Billing.Catalogue;

/// <summary>Products, plans and their versions: what is shown, and what admins change.</summary>
public sealed class CatalogueService(IDbContextFactory<BillingDb> databases, TimeProvider time)
{
    /// <summary>What everybody may see: published products with the public plans that can be subscribed to.</summary>
    public Task<IReadOnlyList<ProductView>> ListPublishedAsync(CancellationToken cancel) =>
        ListAsync(p => p.IsPublished, p => p.IsPublic && !p.IsArchived && p.Versions.Count != 0, cancel);

    /// <summary>Everything, for admins.</summary>
    public Task<IReadOnlyList<ProductView>> ListAllAsync(CancellationToken cancel) => ListAsync(p => true, p => true, cancel);

    /// <summary>A published product as everybody may see it; null when there is none of that name.</summary>
    public Task<ProductDetails?> GetPublishedAsync(string name, CancellationToken cancel) =>
        GetAsync(p => p.IsPublished && p.Name == name, p => p.IsPublic && !p.IsArchived && p.Versions.Count != 0, cancel);

    /// <summary>A product whole, for admins; null when there is none of that name.</summary>
    public Task<ProductDetails?> GetAsync(string name, CancellationToken cancel) => GetAsync(p => p.Name == name, p => true, cancel);

    /// <summary>A plan's versions, newest first, for admins.</summary>
    public async Task<IReadOnlyList<PlanHistoryRow>> HistoryAsync(PlanId planId, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var rows = await db.PlanVersions.AsNoTracking().Where(v => v.PlanId == planId).OrderByDescending(v => v.Number)
            .Select(v => new
            {
                Version = v,
                Subscribers = db.Subscriptions.Count(s => s.PlanVersionId == v.Id && s.State != SubscriptionState.Cancelled),
            }).ToListAsync(cancel);
        return [.. rows.Select(r => new PlanHistoryRow(r.Version.View(), r.Subscribers))];
    }

    public async Task<CatalogueOutcome> CreateProductAsync(string name, ProductForm form, CancellationToken cancel)
    {
        if (CatalogueRules.Check(name, form) is { Count: > 0 } errors) return new CatalogueOutcome.Invalid(errors);
        await using var db = await databases.CreateDbContextAsync(cancel);
        var product = new Product
        {
            Id = ProductId.New(),
            Name = name,
            Title = form.Title,
            Description = form.Description,
            BasePath = form.BasePath,
            OpenApi = form.OpenApi,
            Scopes = [.. form.Scopes ?? []],
            IsPublished = form.IsPublished,
            CreatedAt = time.GetUtcNow(),
        };
        db.Add(product);
        return await TrySaveAsync(db, cancel, ProductDocuments.ItemOf(product)) ? new CatalogueOutcome.ProductSaved(product.View([])) : new CatalogueOutcome.NameTaken(name);
    }

    public async Task<CatalogueOutcome> SaveProductAsync(string name, ProductForm form, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.Products.SingleOrDefaultAsync(p => p.Name == name, cancel) is not { } product) return new CatalogueOutcome.NotFound();
        if (CatalogueRules.Check(name, form) is { Count: > 0 } errors) return new CatalogueOutcome.Invalid(errors);
        product.Title = form.Title;
        product.Description = form.Description;
        product.BasePath = form.BasePath;
        product.OpenApi = form.OpenApi;
        product.Scopes = form.Scopes is { } scopes ? [.. scopes] : product.Scopes;
        product.IsPublished = form.IsPublished;
        await db.SaveWithChangesAsync([ProductDocuments.ItemOf(product)], cancel);
        return new CatalogueOutcome.ProductSaved(product.View(await db.Plans.Where(p => p.ProductId == product.Id).PlanRowsAsync(cancel)));
    }

    /// <summary>Deletes a product that nobody ever subscribed to, with its plans.</summary>
    public async Task<CatalogueOutcome> DeleteProductAsync(string name, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.Products.SingleOrDefaultAsync(p => p.Name == name, cancel) is not { } product) return new CatalogueOutcome.NotFound();
        if (await db.Subscriptions.AnyAsync(s => s.ProductId == product.Id, cancel)) return new CatalogueOutcome.InUse();
        db.Remove(product);
        try
        {
            await db.SaveWithChangesAsync([ProductDocuments.Gone(name)], cancel);
            return new CatalogueOutcome.Deleted();
        }
        catch (DbUpdateException refused) when (refused.IsForeignKeyViolation())
        {
            return new CatalogueOutcome.InUse();   // somebody subscribed in between
        }
        catch (DbUpdateConcurrencyException)
        {
            return new CatalogueOutcome.NotFound();
        }
    }

    public async Task<CatalogueOutcome> CreatePlanAsync(string productName, string name, PlanForm form, CancellationToken cancel)
    {
        if (CatalogueRules.Check(name, form) is { Count: > 0 } errors) return new CatalogueOutcome.Invalid(errors);
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.Products.AsNoTracking().SingleOrDefaultAsync(p => p.Name == productName, cancel) is not { } product)
            return new CatalogueOutcome.NotFound();
        var plan = new Plan
        {
            Id = PlanId.New(),
            ProductId = product.Id,
            Name = name,
            Title = form.Title,
            Description = form.Description,
            Position = form.Order,
            RequiresApproval = form.RequiresApproval,
            IsPublic = form.IsPublic,
            IsPopular = form.IsPopular,
            CreatedAt = time.GetUtcNow(),
        };
        db.Add(plan);
        return await TrySaveAsync(db, cancel) ? new CatalogueOutcome.PlanSaved(new PlanRow(plan, null).View()) : new CatalogueOutcome.NameTaken(name);
    }

    public Task<CatalogueOutcome> SavePlanAsync(PlanId planId, PlanForm form, CancellationToken cancel) => ChangePlanAsync(planId, plan =>
    {
        if (CatalogueRules.Check(plan.Name, form) is { Count: > 0 } errors) return new CatalogueOutcome.Invalid(errors);
        plan.Title = form.Title;
        plan.Description = form.Description;
        plan.Position = form.Order;
        plan.RequiresApproval = form.RequiresApproval;
        plan.IsPublic = form.IsPublic;
        plan.IsPopular = form.IsPopular;
        return null;
    }, cancel);

    /// <summary>Stops offering a plan. Its subscribers stay on it.</summary>
    public Task<CatalogueOutcome> ArchivePlanAsync(PlanId planId, CancellationToken cancel) => SetArchivedAsync(planId, true, cancel);

    /// <summary>Offers an archived plan again.</summary>
    public Task<CatalogueOutcome> RestorePlanAsync(PlanId planId, CancellationToken cancel) => SetArchivedAsync(planId, false, cancel);

    /// <summary>
    /// Publishes the terms that new subscribers get from now on, as the plan's next version. Present subscribers stay on theirs until they are moved.
    /// The terms of the current version again publish nothing.
    /// </summary>
    public async Task<CatalogueOutcome> PublishPlanVersionAsync(PlanId planId, PlanTerms terms, CancellationToken cancel)
    {
        if (CatalogueRules.Check(terms) is { Count: > 0 } errors) return new CatalogueOutcome.Invalid(errors);
        while (true)
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            if (!await db.Plans.AnyAsync(p => p.Id == planId, cancel)) return new CatalogueOutcome.NotFound();
            var current = await db.PlanVersions.AsNoTracking().Where(v => v.PlanId == planId).OrderByDescending(v => v.Number).FirstOrDefaultAsync(cancel);
            if (current is not null && terms.IsSameAs(current.Terms)) return new CatalogueOutcome.VersionPublished(current.View(), IsNew: false);

            var next = PlanVersion.Of(planId, (current?.Number ?? 0) + 1, terms, time.GetUtcNow());
            db.Add(next);
            if (await TrySaveAsync(db, cancel)) return new CatalogueOutcome.VersionPublished(next.View(), IsNew: true);
            // Another admin took the number a moment ago: look again.
        }
    }

    private Task<CatalogueOutcome> SetArchivedAsync(PlanId planId, bool archived, CancellationToken cancel) => ChangePlanAsync(planId, plan =>
    {
        plan.IsArchived = archived;
        return null;
    }, cancel);

    private async Task<CatalogueOutcome> ChangePlanAsync(PlanId planId, Func<Plan, CatalogueOutcome?> change, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.Plans.SingleOrDefaultAsync(p => p.Id == planId, cancel) is not { } plan) return new CatalogueOutcome.NotFound();
        if (change(plan) is { } refused) return refused;
        await db.SaveChangesAsync(cancel);
        return new CatalogueOutcome.PlanSaved((await db.Plans.Where(p => p.Id == planId).PlanRowsAsync(cancel)).Single().View());
    }

    private async Task<IReadOnlyList<ProductView>> ListAsync(
        Expression<Func<Product, bool>> products, Expression<Func<Plan, bool>> plans, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        // The documents stay where they are: a list of products does not need megabytes of them.
        var found = await db.Products.AsNoTracking().Where(products).OrderBy(p => p.Title).ThenBy(p => p.Name)
            .Select(p => new Product
            {
                Id = p.Id, Name = p.Name, Title = p.Title, Description = p.Description, BasePath = p.BasePath,
                OpenApi = "", Scopes = p.Scopes, IsPublished = p.IsPublished, CreatedAt = p.CreatedAt,
            }).ToListAsync(cancel);
        var rows = await db.Plans.Where(plans).PlanRowsAsync(cancel);
        return [.. found.Select(p => p.View(rows))];
    }

    private async Task<ProductDetails?> GetAsync(
        Expression<Func<Product, bool>> which, Expression<Func<Plan, bool>> plans, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.Products.AsNoTracking().SingleOrDefaultAsync(which, cancel) is not { } product) return null;
        var rows = await db.Plans.Where(p => p.ProductId == product.Id).Where(plans).PlanRowsAsync(cancel);
        return new ProductDetails(product.View(rows), product.OpenApi);
    }

    /// <summary>False = a unique name or number was taken meanwhile.</summary>
    private static async Task<bool> TrySaveAsync(BillingDb db, CancellationToken cancel, params FeedItem[] told)
    {
        try
        {
            await db.SaveWithChangesAsync(told, cancel);
            return true;
        }
        catch (DbUpdateException taken) when (taken.IsUniqueViolation())
        {
            return false;
        }
    }
}
