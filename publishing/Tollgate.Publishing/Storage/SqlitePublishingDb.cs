using Microsoft.EntityFrameworkCore;

namespace Tollgate.Publishing.Storage;

/// <summary>The tables in a SQLite file.</summary>
internal sealed class SqlitePublishingDb(DbContextOptions<SqlitePublishingDb> options) : PublishingDb(options);
