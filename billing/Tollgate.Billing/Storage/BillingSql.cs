using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Tollgate.Billing.Storage;

/// <summary>What the two databases say alike, in one place.</summary>
internal static class BillingSql
{
    private const int SqliteConstraintPrimaryKey = 1555;
    private const int SqliteConstraintUnique = 2067;

    /// <summary>Somebody else was first: a unique index or key refused the row.</summary>
    public static bool IsUniqueViolation(this DbUpdateException refused) => refused.InnerException switch
    {
        PostgresException postgres => postgres.SqlState == PostgresErrorCodes.UniqueViolation,
        SqliteException sqlite => sqlite.SqliteExtendedErrorCode is SqliteConstraintPrimaryKey or SqliteConstraintUnique,
        _ => false,
    };

    /// <summary>A row that this change refers to is gone, or one that refers to it is still there.</summary>
    public static bool IsForeignKeyViolation(this DbUpdateException refused) => refused.InnerException switch
    {
        PostgresException postgres => postgres.SqlState is PostgresErrorCodes.ForeignKeyViolation or PostgresErrorCodes.RestrictViolation,
        SqliteException sqlite => sqlite.SqliteExtendedErrorCode == 787,
        _ => false,
    };

    /// <summary>The database is away, or gave up on this one; the same again may work.</summary>
    public static bool IsDatabaseFailure(Exception failure) => failure is DbException || failure.InnerException is DbException;

    /// <summary>A table's quoted name with its schema.</summary>
    public static string Table<TEntity>(this DbContext db)
    {
        var entity = db.Model.FindEntityType(typeof(TEntity))!;
        return entity.GetSchema() is { } schema ? $"\"{schema}\".\"{entity.GetTableName()}\"" : $"\"{entity.GetTableName()}\"";
    }
}
