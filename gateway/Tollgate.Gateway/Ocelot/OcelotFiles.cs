namespace Tollgate.Gateway.Ocelot;

/// <summary>Finds the files that make up a configuration: one <c>ocelot.json</c>, or a folder of <c>ocelot.*.json</c>.</summary>
internal static class OcelotFiles
{
    public const string GlobalFile = "ocelot.global.json";

    /// <summary>In ordinal order of their names, which is the order in which their arrays are joined. Empty when there is none.</summary>
    public static IReadOnlyList<string> Find(string config)
    {
        if (!Directory.Exists(config)) return File.Exists(config) ? [config] : [];

        var parts = Directory.EnumerateFiles(config)
            .Where(path => IsPart(Path.GetFileName(path)))
            .OrderBy(Path.GetFileName, StringComparer.Ordinal)
            .ToArray();
        if (parts.Length > 0) return parts;

        var single = Path.Combine(config, "ocelot.json");
        return File.Exists(single) ? [single] : [];
    }

    private static bool IsPart(string name) =>
        name.StartsWith("ocelot.", StringComparison.OrdinalIgnoreCase) &&
        name.EndsWith(".json", StringComparison.OrdinalIgnoreCase) &&
        name.Length > "ocelot.json".Length;
}
