using Microsoft.EntityFrameworkCore;

namespace Tollgate.Billing.Storage;

/// <summary>Billing's tables in a SQLite file.</summary>
internal sealed class SqliteBillingDb(DbContextOptions<SqliteBillingDb> options) : BillingDb(options);
