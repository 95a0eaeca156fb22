using System.Diagnostics;

namespace Tollgate.Testing;

/// <summary>Kills what the tests started when the test process itself is gone, however it went: a shell that waits for our end of its input.</summary>
/// <remarks>
/// By number and time of start (<c>/proc</c>): numbers are given again, to threads too, and whoever has one of a child that ended long ago,
/// another run of tests perhaps, is none of ours.
/// </remarks>
internal static class Reaper
{
    private const string Script = """
        born() { stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; set -- ${stat##*)}; echo "${20}"; }
        ours=''
        while read -r pid start; do ours="$ours $pid:$start"; done
        for one in $ours; do [ "$(born "${one%:*}")" = "${one#*:}" ] && kill -9 "${one%:*}" 2>/dev/null; done
        """;

    private static readonly Process Shell = Start();
    private static readonly Lock Gate = new();

    public static void Adopt(int processId)
    {
        if (BornAt(processId) is not { } born) return;    // it has ended already
        lock (Gate)
        {
            Shell.StandardInput.WriteLine($"{processId} {born}");
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
