using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Audit;

/// <summary>Notes in the audit log what other modules did at somebody's word. Their data is their own, so the event is a transaction of its own, after theirs.</summary>
public sealed class AuditDiary
{
    private readonly IDbContextFactory<IdentityDb> _databases;
    private readonly AuditLog _audit;

    internal AuditDiary(IDbContextFactory<IdentityDb> databases, AuditLog audit) => (_databases, _audit) = (databases, audit);

    /// <param name="action">Such as <c>routes.published</c>; what was refused ends with <c>.refused</c>.</param>
    /// <param name="target">What was acted upon: a name or id, no secret.</param>
    /// <param name="result"><c>ok</c>, or why it was refused.</param>
    /// <param name="organisation">Whose own log shows it too; null = the platform's alone.</param>
    public async Task NoteAsync(string action, string target, string result, CancellationToken cancel, OrganisationId? organisation = null)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await _audit.AddAsync(db, action, target.Length > 200 ? target[..200] : target, organisation, result);
        await db.SaveChangesAsync(cancel);
    }
}
