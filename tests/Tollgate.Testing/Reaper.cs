using System.Diagnostics;

namespace Tollgate.Testing;

/// <summary>Kills what the tests started when the test process itself is gone, however it went: a shell that waits for our end of its input.</summary>
internal static class Reaper
{
    private static readonly Process Shell = Start();
    private static readonly Lock Gate = new();

    public static void Adopt(int processId)
    {
        lock (Gate)
        {
            Shell.StandardInput.WriteLine(processId);
            Shell.StandardInput.Flush();
        }
    }

    private static Process Start() => Process.Start(new ProcessStartInfo("/bin/sh",
        ["-c", "pids=''; while read -r pid; do pids=\"$pids $pid\"; done; for pid in $pids; do kill -9 \"$pid\" 2>/dev/null; done"])
    {
        RedirectStandardInput = true,
        UseShellExecute = false,
    })!;
}
