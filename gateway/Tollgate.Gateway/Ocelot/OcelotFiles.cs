namespace Tollgate.Gateway.Ocelot;

/// <summary>
/// The files that make up a configuration: one <c>ocelot.json</c>, or a folder of <c>ocelot.*.json</c>; and over either of them the file of the
/// environment (<c>ocelot.Production.json</c>), where there is one.
/// </summary>
/// <param name="Parts">In ordinal order of their names, which is the order in which their arrays are joined. Empty when there is none.</param>
/// <param name="AreParts">They are parts of one, of which <see cref="GlobalFile"/> alone has a <c>GlobalConfiguration</c>.</param>
/// <param name="Overlay">Of the environment; null = none.</param>
/// <param name="OfOtherEnvironments">Of the environments that .NET knows by name and that this is not.</param>
internal sealed record OcelotFiles(IReadOnlyList<string> Parts, bool AreParts, string? Overlay, IReadOnlyList<string> OfOtherEnvironments)
{
    public const string GlobalFile = "ocelot.global.json";

    private static readonly string[] KnownEnvironments = ["Development", "Staging", "Production"];

    /// <param name="variable">Gives a variable's value; null = not set.</param>
    public static string EnvironmentOf(Func<string, string?> variable) => variable("ASPNETCORE_ENVIRONMENT") ?? variable("DOTNET_ENVIRONMENT") ?? "Production";

    /// <summary>Where the file of the environment lies that goes over a single one, whether it is there or not.</summary>
    public static string OverlayOf(string file, string environment) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, $"{Path.GetFileNameWithoutExtension(file)}.{environment}{Path.GetExtension(file)}");

    public static OcelotFiles Find(string config, string environment) => Directory.Exists(config) ? FindIn(config, environment) : FindBeside(config, environment);

    private static OcelotFiles FindBeside(string file, string environment)
    {
        if (!File.Exists(file)) return new OcelotFiles([], false, null, []);
        var overlay = OverlayOf(file, environment);
        return new OcelotFiles([file], false, File.Exists(overlay) ? overlay : null, []);
    }

    private static OcelotFiles FindIn(string folder, string environment)
    {
        var all = Directory.EnumerateFiles(folder).Where(path => IsPart(Path.GetFileName(path))).OrderBy(Path.GetFileName, StringComparer.Ordinal).ToArray();
        var overlay = all.FirstOrDefault(path => IsOf(path, environment));
        var others = all.Where(path => path != overlay && KnownEnvironments.Any(known => IsOf(path, known))).ToArray();
        var parts = all.Where(path => path != overlay && !others.Contains(path)).ToArray();
        if (parts.Length > 0) return new OcelotFiles(parts, true, overlay, others);

        var single = Path.Combine(folder, "ocelot.json");
        return new OcelotFiles(File.Exists(single) ? [single] : [], false, overlay, others);
    }

    private static bool IsOf(string path, string environment) => Path.GetFileName(path).Equals($"ocelot.{environment}.json", StringComparison.OrdinalIgnoreCase);

    private static bool IsPart(string name) =>
        name.StartsWith("ocelot.", StringComparison.OrdinalIgnoreCase) &&
        name.EndsWith(".json", StringComparison.OrdinalIgnoreCase) &&
        name.Length > "ocelot.json".Length;
}
