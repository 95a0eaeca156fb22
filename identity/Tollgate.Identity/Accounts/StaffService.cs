using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Audit;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>Somebody of the platform's own staff.</summary>
public sealed record StaffView(Guid Id, string Email, PlatformRole Role, bool TwoFactor);

/// <summary>What became of a wish about staff.</summary>
public enum StaffOutcome
{
    Done,

    /// <summary>There is no confirmed account with this address.</summary>
    NotFound,

    /// <summary>There would be no admin left.</summary>
    LastAdmin,
}

/// <summary>Who runs the platform, and as what. There is always an admin.</summary>
public sealed class StaffService
{
    private readonly IDbContextFactory<IdentityDb> _databases;
    private readonly AuditLog _audit;

    internal StaffService(IDbContextFactory<IdentityDb> databases, AuditLog audit) => (_databases, _audit) = (databases, audit);

    public async Task<IReadOnlyList<StaffView>> ListAsync(CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        return await db.Accounts.Where(a => a.PlatformRole != null).OrderBy(a => a.Email)
            .Select(a => new StaffView(a.Id, a.Email!, a.PlatformRole!.Value, a.TwoFactorEnabled)).ToListAsync(cancel);
    }

    public async Task<StaffOutcome> SetAsync(string? email, PlatformRole role, CancellationToken cancel)
    {
        var normalized = email?.Trim().ToUpperInvariant() ?? "";
        return await ChangeAsync(a => a.NormalizedEmail == normalized && a.EmailConfirmed, role, cancel);
    }

    public Task<StaffOutcome> RemoveAsync(Guid account, CancellationToken cancel) => ChangeAsync(a => a.Id == account && a.PlatformRole != null, null, cancel);

    private async Task<StaffOutcome> ChangeAsync(System.Linq.Expressions.Expression<Func<Account, bool>> who, PlatformRole? role, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var admins = await db.LockPlatformAdminsAsync(cancel);
        if (await db.Accounts.SingleOrDefaultAsync(who, cancel) is not { } account) return StaffOutcome.NotFound;
        if (account.PlatformRole == role) return StaffOutcome.Done;
        if (account.PlatformRole == PlatformRole.Admin && admins < 2) return StaffOutcome.LastAdmin;
        account.PlatformRole = role;
        await _audit.AddAsync(db, "staff.role-changed", account.Id.ToString(), result: role is { } given ? TollgateClaims.Value(given) : "none");
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return StaffOutcome.Done;
    }
}
