namespace Tollgate.Gateway.Engines.Full;

/// <summary>Where a path leads once all its links are followed.</summary>
internal static class RealPath
{
    private const int MostLinks = 32;

    /// <summary>Null where there is nothing, or links lead in a circle.</summary>
    public static string? Of(string path)
    {
        var links = 0;
        var left = new Stack<string>(Path.GetFullPath(path).Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse());
        var at = "";
        while (left.TryPop(out var part))
        {
            if (part == ".") continue;
            if (part == "..")
            {
                at = at.Length == 0 ? at : at[..at.LastIndexOf(Path.DirectorySeparatorChar)];
                continue;
            }

            var next = at + Path.DirectorySeparatorChar + part;
            if (new FileInfo(next).LinkTarget is { } target)
            {
                if (++links > MostLinks) return null;
                if (Path.IsPathRooted(target)) at = "";
                foreach (var more in target.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse()) left.Push(more);
                continue;
            }

            at = next;
        }

        return Path.Exists(at) ? at : null;
    }
}
