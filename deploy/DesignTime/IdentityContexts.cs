using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Identity.Storage;
using Tollgate.Storage;

namespace Tollgate.DesignTime;

internal sealed class SqliteIdentityDbFactory : IDesignTimeDbContextFactory<SqliteIdentityDb>
{
    public SqliteIdentityDb CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<SqliteIdentityDb>().UseIdentityOptions();
        options.UseSqliteFile("design-time.db");
        return new SqliteIdentityDb(options.Options);
    }
}

internal sealed class PostgresIdentityDbFactory : IDesignTimeDbContextFactory<PostgresIdentityDb>
{
    public PostgresIdentityDb CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<PostgresIdentityDb>().UseIdentityOptions();
        options.UsePostgres("Host=localhost;Database=design-time", IdentityDb.Name);
        return new PostgresIdentityDb(options.Options);
    }
}

internal static class IdentityDesign
{
    /// <summary>ASP.NET Core Identity shapes its model by options that it looks up in the application's services.</summary>
    public static DbContextOptionsBuilder<TContext> UseIdentityOptions<TContext>(this DbContextOptionsBuilder<TContext> options) where TContext : DbContext =>
        options.UseApplicationServiceProvider(new ServiceCollection().Configure<IdentityOptions>(IdentityDb.UseSchemaVersion).BuildServiceProvider());
}
