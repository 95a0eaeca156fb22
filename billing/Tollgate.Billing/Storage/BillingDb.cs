using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Metering;
using Tollgate.Billing.Subscriptions;
using Tollgate.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Billing.Storage;

/// <summary>Billing's tables. Public so that services can ask for it; what it holds is the module's own.</summary>
public abstract class BillingDb(DbContextOptions options) : DbContext(options)
{
    public const string Schema = "billing";

    internal DbSet<Product> Products => Set<Product>();
    internal DbSet<Plan> Plans => Set<Plan>();
    internal DbSet<PlanVersion> PlanVersions => Set<PlanVersion>();
    internal DbSet<Subscription> Subscriptions => Set<Subscription>();
    internal DbSet<SubscriptionTerm> SubscriptionTerms => Set<SubscriptionTerm>();
    internal DbSet<IngestedBatch> UsageBatches => Set<IngestedBatch>();
    internal DbSet<UsageMinute> UsageMinutes => Set<UsageMinute>();
    internal DbSet<UsageHour> UsageHours => Set<UsageHour>();
    internal DbSet<StaleHour> StaleHours => Set<StaleHour>();
    internal DbSet<Milestone> Milestones => Set<Milestone>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configuration)
    {
        configuration.UseTollgateTypes(this is SqliteBillingDb);
        configuration.UseId<ProductId>();
        configuration.UseId<PlanId>();
    }

    protected override void OnModelCreating(ModelBuilder model) => model.ApplyConfigurationsFromAssembly(typeof(BillingDb).Assembly).AddChangeLog();
}
