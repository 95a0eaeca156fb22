using Microsoft.EntityFrameworkCore;
using Tollgate.Publishing.Fragments;
using Tollgate.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Publishing.Storage;

/// <summary>The tables of published routes. Public so that services can ask for it; what it holds is the module's own.</summary>
public abstract class PublishingDb(DbContextOptions options) : DbContext(options)
{
    public const string Schema = "publishing";

    internal DbSet<FragmentVersion> Versions => Set<FragmentVersion>();
    internal DbSet<GatewayStanding> Standings => Set<GatewayStanding>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configuration) => configuration.UseTollgateTypes(this is SqlitePublishingDb);

    protected override void OnModelCreating(ModelBuilder model) => model.ApplyConfigurationsFromAssembly(typeof(PublishingDb).Assembly).AddChangeLog();
}
