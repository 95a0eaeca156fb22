using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Tollgate.Billing.Storage;
using Tollgate.Storage;

namespace Tollgate.DesignTime;

internal sealed class SqliteBillingContexts : IDesignTimeDbContextFactory<SqliteBillingDb>
{
    public SqliteBillingDb CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<SqliteBillingDb>();
        options.UseSqliteFile("design-time.db");
        return new SqliteBillingDb(options.Options);
    }
}

internal sealed class PostgresBillingContexts : IDesignTimeDbContextFactory<PostgresBillingDb>
{
    public PostgresBillingDb CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<PostgresBillingDb>();
        options.UsePostgres("Host=design-time", BillingDb.Schema);
        return new PostgresBillingDb(options.Options);
    }
}
