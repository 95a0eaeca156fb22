using System.Text;

namespace Tollgate.Publishing.Fragments;

/// <summary>The difference of two texts by lines, in the unified form that everybody reads.</summary>
public static class LineDiff
{
    private const int Context = 3;
    private const int MostCells = 16_000_000;

    /// <summary>Empty when the texts are alike.</summary>
    public static string Unified(string from, string to, string fromName, string toName)
    {
        if (from == to) return "";
        var (a, b) = (Lines(from), Lines(to));
        var steps = Steps(a, b);
        var text = new StringBuilder().Append("--- ").Append(fromName).Append('\n').Append("+++ ").Append(toName).Append('\n');
        for (var at = 0; at < steps.Count;)
        {
            var first = steps.FindIndex(at, step => step.Kind != ' ');
            if (first < 0) break;
            var begin = Math.Max(at, first - Context);
            var end = first;
            for (var i = first; i < steps.Count && i <= end + Context * 2; i++)
                if (steps[i].Kind != ' ')
                    end = i;
            end = Math.Min(steps.Count - 1, end + Context);
            WriteHunk(text, steps, begin, end);
            at = end + 1;
        }

        return text.ToString();
    }

    private static void WriteHunk(StringBuilder text, List<Step> steps, int begin, int end)
    {
        var (oldCount, newCount) = (0, 0);
        for (var i = begin; i <= end; i++)
        {
            if (steps[i].Kind != '+') oldCount++;
            if (steps[i].Kind != '-') newCount++;
        }

        text.Append("@@ -").Append(steps[begin].Old + (oldCount > 0 ? 1 : 0)).Append(',').Append(oldCount)
            .Append(" +").Append(steps[begin].New + (newCount > 0 ? 1 : 0)).Append(',').Append(newCount).Append(" @@\n");
        for (var i = begin; i <= end; i++) text.Append(steps[i].Kind).Append(steps[i].Line).Append('\n');
    }

    // What both begin and end with is the same; between, the longest common subsequence, or all of it replaced where that would cost too much.
    private static List<Step> Steps(string[] a, string[] b)
    {
        var head = 0;
        while (head < a.Length && head < b.Length && a[head] == b[head]) head++;
        var tail = 0;
        while (tail < a.Length - head && tail < b.Length - head && a[^(tail + 1)] == b[^(tail + 1)]) tail++;

        var steps = new List<Step>();
        for (var i = 0; i < head; i++) steps.Add(new Step(' ', a[i], i, i));
        Between(a.AsSpan(head, a.Length - head - tail), b.AsSpan(head, b.Length - head - tail), head, steps);
        for (var i = tail; i > 0; i--) steps.Add(new Step(' ', a[^i], a.Length - i, b.Length - i));
        return steps;
    }

    private static void Between(ReadOnlySpan<string> a, ReadOnlySpan<string> b, int offset, List<Step> steps)
    {
        var (i, j) = (0, 0);
        if ((long)(a.Length + 1) * (b.Length + 1) <= MostCells)
        {
            var common = new int[a.Length + 1, b.Length + 1];
            for (var x = a.Length - 1; x >= 0; x--)
                for (var y = b.Length - 1; y >= 0; y--)
                    common[x, y] = a[x] == b[y] ? common[x + 1, y + 1] + 1 : Math.Max(common[x + 1, y], common[x, y + 1]);
            while (i < a.Length && j < b.Length)
            {
                if (a[i] == b[j]) steps.Add(new Step(' ', a[i], offset + i++, offset + j++));
                else if (common[i + 1, j] >= common[i, j + 1]) steps.Add(new Step('-', a[i], offset + i++, offset + j));
                else steps.Add(new Step('+', b[j], offset + i, offset + j++));
            }
        }

        while (i < a.Length) steps.Add(new Step('-', a[i], offset + i++, offset + j));
        while (j < b.Length) steps.Add(new Step('+', b[j], offset + i, offset + j++));
    }

    private static string[] Lines(string text) => text.Length == 0 ? [] : text.TrimEnd('\n').Split('\n');

    private readonly record struct Step(char Kind, string Line, int Old, int New);
}
