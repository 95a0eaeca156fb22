using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Tollgate.Storage;

/// <summary>
/// Lets the writers of a SQLite file wait in line. SQLite has one at a time, and its driver waits by asking again after 150 ms with the thread asleep: under
/// load that starves some for seconds and takes the threads from everything else. A writer of another process is still waited for in the driver's way.
/// </summary>
internal sealed class WriterQueue
{
    /// <summary>From then on a writer tries its luck with SQLite, which says what is wrong.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Whose turn it is; null = nobody's.</summary>
    private DbConnection? _writer;

    /// <summary>By these a context on the file takes part.</summary>
    public IInterceptor[] Interceptors() => [new Saves(), new Transactions(this), new Commands(this), new Connections(this)];

    private void Enter(DbConnection connection)
    {
        if (_turn.Wait(Patience)) Volatile.Write(ref _writer, connection);
    }

    private async Task EnterAsync(DbConnection connection, CancellationToken cancel)
    {
        if (await _turn.WaitAsync(Patience, cancel)) Volatile.Write(ref _writer, connection);
    }

    private void Leave(DbConnection connection)
    {
        if (Interlocked.CompareExchange(ref _writer, null, connection) == connection) _turn.Release();
    }

    /// <summary>What is saved is saved in a transaction, and so waits in the line of these.</summary>
    private sealed class Saves : SaveChangesInterceptor
    {
        public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
        {
            eventData.Context!.Database.AutoTransactionBehavior = AutoTransactionBehavior.Always;
            return result;
        }

        public override ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(SavingChanges(eventData, result));
    }

    private sealed class Transactions(WriterQueue queue) : DbTransactionInterceptor
    {
        public override InterceptionResult<DbTransaction> TransactionStarting(
            DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result)
        {
            queue.Enter(connection);
            return result;
        }

        public override async ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
            DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result, CancellationToken cancellationToken = default)
        {
            await queue.EnterAsync(connection, cancellationToken);
            return result;
        }

        public override void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) =>
            queue.Leave(eventData.Context!.Database.GetDbConnection());

        public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            TransactionCommitted(transaction, eventData);
            return Task.CompletedTask;
        }
    }

    /// <summary>A statement that writes without a transaction of its own, as <c>ExecuteUpdate</c> and <c>ExecuteDelete</c> do.</summary>
    private sealed class Commands(WriterQueue queue) : DbCommandInterceptor
    {
        public override InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
        {
            if (command.Transaction is null) queue.Enter(command.Connection!);
            return result;
        }

        public override async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            if (command.Transaction is null) await queue.EnterAsync(command.Connection!, cancellationToken);
            return result;
        }

        public override int NonQueryExecuted(DbCommand command, CommandExecutedEventData eventData, int result)
        {
            Leave(command);
            return result;
        }

        public override ValueTask<int> NonQueryExecutedAsync(DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken = default)
        {
            Leave(command);
            return ValueTask.FromResult(result);
        }

        public override void CommandFailed(DbCommand command, CommandErrorEventData eventData) => Leave(command);

        public override Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default)
        {
            Leave(command);
            return Task.CompletedTask;
        }

        public override void CommandCanceled(DbCommand command, CommandEndEventData eventData) => Leave(command);

        public override Task CommandCanceledAsync(DbCommand command, CommandEndEventData eventData, CancellationToken cancellationToken = default)
        {
            Leave(command);
            return Task.CompletedTask;
        }

        private void Leave(DbCommand command)
        {
            if (command.Transaction is null) queue.Leave(command.Connection!);
        }
    }

    /// <summary>However a transaction ended, and also where it never began: who writes no more has closed the connection.</summary>
    private sealed class Connections(WriterQueue queue) : DbConnectionInterceptor
    {
        public override void ConnectionClosed(DbConnection connection, ConnectionEndEventData eventData) => queue.Leave(connection);

        public override Task ConnectionClosedAsync(DbConnection connection, ConnectionEndEventData eventData)
        {
            queue.Leave(connection);
            return Task.CompletedTask;
        }

        public override void ConnectionDisposed(DbConnection connection, ConnectionEndEventData eventData) => queue.Leave(connection);

        public override Task ConnectionDisposedAsync(DbConnection connection, ConnectionEndEventData eventData)
        {
            queue.Leave(connection);
            return Task.CompletedTask;
        }
    }
}
