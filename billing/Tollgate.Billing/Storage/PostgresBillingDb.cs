using Microsoft.EntityFrameworkCore;

namespace Tollgate.Billing.Storage;

/// <summary>Billing's tables in a PostgreSQL schema.</summary>
internal sealed class PostgresBillingDb(DbContextOptions<PostgresBillingDb> options) : BillingDb(options)
{
    protected override void OnModelCreating(ModelBuilder model) => base.OnModelCreating(model.HasDefaultSchema(Schema));
}
