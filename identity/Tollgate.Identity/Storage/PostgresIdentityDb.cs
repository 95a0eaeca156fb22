using Microsoft.EntityFrameworkCore;

namespace Tollgate.Identity.Storage;

/// <summary>The cluster shape: a schema of its own in the shared database.</summary>
internal sealed class PostgresIdentityDb(DbContextOptions<PostgresIdentityDb> options) : IdentityDb(options)
{
    protected override void OnModelCreating(ModelBuilder model)
    {
        model.HasDefaultSchema(Name);
        base.OnModelCreating(model);
    }
}
