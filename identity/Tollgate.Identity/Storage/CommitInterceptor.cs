using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Tollgate.Identity.Storage;

/// <summary>Tells a context how its transaction ended, so that it does then what waits for the commit.</summary>
internal sealed class CommitInterceptor : DbTransactionInterceptor
{
    public static readonly CommitInterceptor Instance = new();

    public override DbTransaction TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result)
    {
        End(eventData, isCommitted: false);   // the one before was left without a word
        return result;
    }

    public override ValueTask<DbTransaction> TransactionStartedAsync(
        DbConnection connection, TransactionEndEventData eventData, DbTransaction result, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(TransactionStarted(connection, eventData, result));

    public override void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => End(eventData, isCommitted: true);

    public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        End(eventData, isCommitted: true);
        return Task.CompletedTask;
    }

    public override void TransactionRolledBack(DbTransaction transaction, TransactionEndEventData eventData) => End(eventData, isCommitted: false);

    public override Task TransactionRolledBackAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        End(eventData, isCommitted: false);
        return Task.CompletedTask;
    }

    private static void End(TransactionEndEventData eventData, bool isCommitted) => (eventData.Context as IdentityDb)?.TransactionIsOver(isCommitted);
}
