using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Tollgate.Storage.Feeds;

/// <summary>Pulses the feed once a transaction is really committed.</summary>
internal sealed class FeedCommitInterceptor(FeedSignal signal) : DbTransactionInterceptor
{
    public override void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => signal.Pulse();

    public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        signal.Pulse();
        return Task.CompletedTask;
    }
}
