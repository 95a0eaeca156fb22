using System.Runtime.InteropServices;

namespace Tollgate.Host;

/// <summary>Ends when the process is asked to stop (SIGTERM, SIGINT), so that its parts can be stopped in their own order.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly PosixSignalRegistration[] _signals;

    public StopSignal() => _signals = [Listen(PosixSignal.SIGTERM), Listen(PosixSignal.SIGINT)];

    public CancellationToken Asked => _asked.Token;

    public async Task WaitAsync()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = _asked.Token.Register(asked.SetResult);
        await asked.Task;
    }

    public void Dispose()
    {
        foreach (var signal in _signals) signal.Dispose();
        _asked.Dispose();
    }

    private PosixSignalRegistration Listen(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;   // we end by ourselves, once the calls in flight have their answers
        _asked.Cancel();
    });
}

/// <summary>Leaves signals to <see cref="StopSignal"/>: a host that listened too would stop on its own, out of order.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
