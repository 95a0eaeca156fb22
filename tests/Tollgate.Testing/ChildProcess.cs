using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Tollgate.Testing;

/// <summary>A real process under test: its output is kept, lines can be waited for, and it does not outlive the tests.</summary>
public class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];

    private ChildProcess(Process process) => _process = process;

    public int Id => _process.Id;
    public bool HasExited => _process.HasExited;
    public int ExitCode => _process.ExitCode;

    /// <summary>Everything written to standard output and error so far.</summary>
    public string Output
    {
        get
        {
            lock (_lines) return string.Join('\n', _lines);
        }
    }

    public static ChildProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? workingDirectory = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = workingDirectory ?? "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>()) start.Environment[name] = value;
        var child = new ChildProcess(new Process { StartInfo = start });
        child._process.OutputDataReceived += child.Keep;
        child._process.ErrorDataReceived += child.Keep;
        child._process.Start();
        Reaper.Adopt(child.Id);
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Starts a .NET program that was built beside the tests.</summary>
    public static ChildProcess StartDotnet(string assembly, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? workingDirectory = null) =>
        Start("dotnet", [assembly, .. arguments], environment, workingDirectory);

    /// <summary>The first line that matches; fails at once, with the output, when the process ends before it.</summary>
    public async Task<string> WaitForLineAsync(Func<string, bool> matches, TimeSpan? within = null) =>
        await Deadline.UntilAsync(() => $"a line of process {Id}; it said:\n{Output}", async () =>
        {
            if (Find(matches) is { } line) return line;
            if (!_process.HasExited) return null;
            await WaitForExitAsync();    // what it said last may still be on its way
            return Find(matches) ?? throw new Shouldly.ShouldAssertException($"Process ended with {ExitCode} before the line came. It said:\n{Output}");
        }, within);

    /// <summary>Waits until the process has ended by itself, and all that it said is here.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan? within = null)
    {
        using var limit = new CancellationTokenSource(within ?? Deadline.Default);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Process {Id} still runs. It said:\n{Output}");
        }

        return _process.ExitCode;
    }

    /// <summary>Asks it to stop, as an orchestrator would (SIGTERM), and waits for its exit code.</summary>
    public async Task<int> StopAsync(TimeSpan? within = null)
    {
        if (!_process.HasExited && SendSignal(Id, 15) != 0 && !_process.HasExited) throw new InvalidOperationException($"Process {Id} cannot be asked to stop.");
        return await WaitForExitAsync(within);
    }

    /// <summary>SIGKILL: no goodbye.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    public void Signal(int number)
    {
        if (SendSignal(Id, number) != 0) throw new InvalidOperationException($"Signal {number} could not be sent to process {Id}.");
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
        GC.SuppressFinalize(this);
    }

    private string? Find(Func<string, bool> matches)
    {
        lock (_lines) return _lines.FirstOrDefault(matches);
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null) return;
        lock (_lines) _lines.Add(line.Data);
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int pid, int signal);
}
