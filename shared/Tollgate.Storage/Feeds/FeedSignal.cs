using Microsoft.EntityFrameworkCore;

namespace Tollgate.Storage.Feeds;

/// <summary>Wakes the waiting polls of this process: after each commit of ours, and when PostgreSQL tells of another node's.</summary>
public class FeedSignal
{
    private TaskCompletionSource _next = New();

    /// <summary>True while commits of other nodes reach this one by themselves; false = look every half second instead.</summary>
    public bool HearsEveryone { get; set; } = true;

    /// <summary>Completes at the next pulse. Take it before looking, so that no change falls between look and wait.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Pulse() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>The signal of one module's feed.</summary>
public sealed class FeedSignal<TContext> : FeedSignal where TContext : DbContext;
