using Microsoft.EntityFrameworkCore;

namespace Tollgate.Identity.Storage;

/// <summary>The all-in-one shape: a file in the data folder.</summary>
internal sealed class SqliteIdentityDb(DbContextOptions<SqliteIdentityDb> options) : IdentityDb(options);
