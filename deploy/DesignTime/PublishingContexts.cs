using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Tollgate.Publishing.Storage;
using Tollgate.Storage;

namespace Tollgate.DesignTime;

internal sealed class SqlitePublishingContexts : IDesignTimeDbContextFactory<SqlitePublishingDb>
{
    public SqlitePublishingDb CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<SqlitePublishingDb>();
        options.UseSqliteFile("design-time.db");
        return new SqlitePublishingDb(options.Options);
    }
}

internal sealed class PostgresPublishingContexts : IDesignTimeDbContextFactory<PostgresPublishingDb>
{
    public PostgresPublishingDb CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<PostgresPublishingDb>();
        options.UsePostgres("Host=design-time", PublishingDb.Schema);
        return new PostgresPublishingDb(options.Options);
    }
}
