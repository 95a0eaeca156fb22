using System.Diagnostics;

namespace Tollgate.Testing;

/// <summary>
/// Kills what the tests started, and removes the folders that they wrote to, when the test process itself is gone, however it went: a shell that waits
/// for our end of its input.
/// </summary>
/// <remarks>
/// Processes by number and time of start (<c>/proc</c>): numbers are given again, to threads too, and whoever has one of a child that ended long ago,
/// another run of tests perhaps, is none of ours.
/// </remarks>
internal static class Reaper
{
    private const string Script = """
        born() { stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; set -- ${stat##*)}; echo "${20}"; }
        ours=''
        while read -r kind what; do
          case $kind in process) ours="$ours $what" ;; folder) set -- "$@" "$what" ;; esac
        done
        for one in $ours; do [ "$(born "${one%:*}")" = "${one#*:}" ] && kill -9 "${one%:*}" 2>/dev/null; done
        for one in $ours; do
          while [ "$(born "${one%:*}")" = "${one#*:}" ]; do sleep 0.05; done
        done
        rm -rf -- "$@"
        """;

    private static readonly Process Shell = Start();
    private static readonly Lock Gate = new();

    public static void Adopt(int processId)
    {
        if (BornAt(processId) is { } born) Say($"process {processId}:{born}");    // else it has ended already
    }

    /// <summary>Takes a folder that nobody else writes to.</summary>
    public static void Adopt(string folder) => Say("folder " + folder);

    private static void Say(string line)
    {
        lock (Gate)
        {
            Shell.StandardInput.WriteLine(line);
            Shell.StandardInput.Flush();
        }
    }

    // The 22nd field of the process's line (proc(5)); the second may hold anything, in brackets.
    private static string? BornAt(int processId)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static Process Start() => Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Script])
    {
        RedirectStandardInput = true,
        UseShellExecute = false,
    })!;
}
