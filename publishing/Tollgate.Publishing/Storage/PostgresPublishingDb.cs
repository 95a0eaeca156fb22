using Microsoft.EntityFrameworkCore;

namespace Tollgate.Publishing.Storage;

/// <summary>The tables in a PostgreSQL schema.</summary>
internal sealed class PostgresPublishingDb(DbContextOptions<PostgresPublishingDb> options) : PublishingDb(options)
{
    protected override void OnModelCreating(ModelBuilder model) => base.OnModelCreating(model.HasDefaultSchema(Schema));
}
