using System.Data.Common;
using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tollgate.ServiceDefaults;
using Tollgate.Storage.Feeds;

namespace Tollgate.Storage;

/// <summary>Chooses the database of a module: PostgreSQL when <c>ConnectionStrings:Postgres</c> is set, else a SQLite file in the data folder.</summary>
public static class Database
{
    public const string ConnectionName = "Postgres";

    /// <summary>
    /// Registers <typeparamref name="TContext"/> (scoped, and as <see cref="IDbContextFactory{TContext}"/>) on one of its two shapes,
    /// each with a migration set of its own.
    /// </summary>
    /// <param name="name">The PostgreSQL schema, and the name of the SQLite file.</param>
    public static IServiceCollection AddTollgateDatabase<TContext, TSqlite, TPostgres>(
        this IServiceCollection services, IConfiguration configuration, string name)
        where TContext : DbContext
        where TSqlite : TContext
        where TPostgres : TContext
    {
        services.AddSingleton<FeedSignal<TContext>>();
        if (PostgresOf(configuration) is { } postgres)
        {
            services.AddDbContextFactory<TPostgres>((provider, options) => Common(provider, options).UsePostgres(postgres, name));
            services.AddSingleton<IDbContextFactory<TContext>, BaseFactory<TContext, TPostgres>>();
            services.AddHostedService<FeedListener<TContext>>();
        }
        else
        {
            var file = Path.Combine(DataFolder.Of(configuration), name + ".db");
            var writers = new WriterQueue();
            services.AddDbContextFactory<TSqlite>((provider, options) => Common(provider, options).UseSqliteFile(file).AddInterceptors(writers.Interceptors()));
            services.AddSingleton<IDbContextFactory<TContext>, BaseFactory<TContext, TSqlite>>();
        }

        services.AddScoped(provider => provider.GetRequiredService<IDbContextFactory<TContext>>().CreateDbContext());
        return services;

        static DbContextOptionsBuilder Common(IServiceProvider provider, DbContextOptionsBuilder options) =>
            options.AddInterceptors(new FeedCommitInterceptor(provider.GetRequiredService<FeedSignal<TContext>>()));
    }

    /// <summary>
    /// How PostgreSQL is reached; null = it is not used. Kerberos has to be asked for there: the driver would try it, and complain on the console wherever its
    /// library is not installed, as in small images.
    /// </summary>
    internal static string? PostgresOf(IConfiguration configuration)
    {
        if (configuration.GetConnectionString(ConnectionName) is not { Length: > 0 } told) return null;
        try
        {
            var words = new DbConnectionStringBuilder { ConnectionString = told };
            var isKerberosAskedFor = words.ContainsKey("GSS Encryption Mode") || words.ContainsKey("GssEncryptionMode") || Environment.GetEnvironmentVariable("PGGSSENCMODE") is { Length: > 0 };
            var settings = new NpgsqlConnectionStringBuilder(told);
            if (isKerberosAskedFor) return told;
            settings.GssEncryptionMode = GssEncryptionMode.Disable;
            return settings.ConnectionString;
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException)
        {
            throw new SettingsException($"--ConnectionStrings:{ConnectionName}: {wrong.Message}");
        }
    }

    /// <summary>The server does not answer, or will not for a moment: what was asked can be asked again.</summary>
    public static bool IsAway(Exception failure) => failure is SocketException or TimeoutException
        || failure is NpgsqlException { IsTransient: true }
        || failure is PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown }
        || failure.InnerException is { } inner && IsAway(inner);

    /// <summary>PostgreSQL, with the module's tables and migration history in a schema of their own.</summary>
    public static DbContextOptionsBuilder UsePostgres(this DbContextOptionsBuilder options, string connection, string schema) =>
        options.UseNpgsql(connection, npgsql => npgsql.MigrationsHistoryTable(HistoryRepository.DefaultTableName, schema));

    /// <summary>SQLite in a file: readers never wait for the writer (WAL), a writer waits up to 30 s for another.</summary>
    public static DbContextOptionsBuilder UseSqliteFile(this DbContextOptionsBuilder options, string file) =>
        options.UseSqlite($"Data Source={file};Default Timeout=30;Foreign Keys=True;Pooling=True")
            // A table that is rebuilt switches foreign keys off, which SQLite does outside a transaction only. Nobody can do anything about that.
            .ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.NonTransactionalMigrationOperationWarning));

    private sealed class BaseFactory<TContext, TShape>(IDbContextFactory<TShape> shapes) : IDbContextFactory<TContext>
        where TContext : DbContext
        where TShape : TContext
    {
        public TContext CreateDbContext() => shapes.CreateDbContext();
    }
}
