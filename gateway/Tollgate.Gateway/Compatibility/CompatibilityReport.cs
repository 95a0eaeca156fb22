using Tollgate.Gateway.Ocelot;

namespace Tollgate.Gateway.Compatibility;

/// <summary>What a gateway makes of a configuration that was written for Ocelot, without starting one.</summary>
/// <param name="Files">What was read.</param>
/// <param name="Properties">Every property that is written, once for each place.</param>
/// <param name="Errors">Why the gateway would not start; empty = it would.</param>
/// <param name="Warnings">What is written and does nothing, or not what it seems to.</param>
/// <param name="Hidden">Routes that have none, or not all, of their calls.</param>
/// <param name="TakesCalls">There is a route, or a service that is called by its name: without, every call is 404.</param>
public sealed record CompatibilityReport(
    IReadOnlyList<string> Files,
    IReadOnlyList<PropertyFinding> Properties,
    IReadOnlyList<ConfigurationError> Errors,
    IReadOnlyList<ConfigurationError> Warnings,
    IReadOnlyList<HiddenRoute> Hidden,
    bool TakesCalls)
{
    /// <param name="config">A file, or a folder.</param>
    /// <exception cref="ConfigurationException">There is nothing to read.</exception>
    public static CompatibilityReport Read(string config)
    {
        OcelotConfiguration? configuration = null;
        ConfigurationException? refused = null;
        try
        {
            configuration = OcelotReader.Read(config);
        }
        catch (ConfigurationException mistakes)
        {
            refused = mistakes;
        }

        var errors = refused?.Errors ?? [];
        var routes = configuration?.Routes ?? (errors.Any(error => Decides.Any(error.Property.Contains)) ? [] : refused!.Routes);

        var found = OcelotFiles.Find(config, OcelotFiles.EnvironmentOf(Environment.GetEnvironmentVariable));
        string[] files = [.. found.Parts, .. found.Overlay is { } overlay ? new[] { overlay } : []];
        var properties = files.SelectMany(PropertiesOf).ToArray();
        return new CompatibilityReport(files, properties, errors, configuration?.Warnings ?? refused!.Warnings, HiddenRoutes.In(routes),
            configuration is { IsDynamic: true } or { Routes.Count: > 0 });
    }

    // Of the properties that choose a route, none may be wrong where routes are compared.
    private static readonly string[] Decides = ["UpstreamPathTemplate", "UpstreamHttpMethod", "UpstreamHeaderTemplates", "UpstreamHost", "Priority"];

    private static IEnumerable<PropertyFinding> PropertiesOf(string file)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return [];    // an error of the reading above
        }

        // Variables are left as they are written: what they hold is nobody's business here.
        var root = JsonEntryReader.Read(file, bytes, name => $"${{{name}}}", []);
        var findings = new List<PropertyFinding>();
        if (root is not null) Walk(root, "", findings);
        return findings;
    }

    private static void Walk(JsonEntry json, string path, List<PropertyFinding> findings)
    {
        foreach (var (name, value) in json.Members)
        {
            if (name.Length == 0 || "$#_/".Contains(name[0])) continue;    // a remark, or switched off
            var inner = path.Length == 0 ? name : $"{path}.{name}";
            var (fate, reason) = PropertyBook.Of(inner);
            var suggestion = fate == PropertyFate.Unknown ? Suggest(name, path) : null;
            findings.Add(new PropertyFinding(value.File, value.Line, value.Path, inner, fate, reason, suggestion));
            if (fate == PropertyFate.Unknown || !PropertyBook.Lists(inner)) continue;
            Walk(value, inner, findings);
            foreach (var item in value.Items)
                if (item.Kind == JsonEntryKind.Object)
                    Walk(item, inner, findings);
        }
    }

    private static string? Suggest(string name, string parent)
    {
        if (OldNames.TryGetValue(name, out var renamed)) return renamed;
        return PropertyBook.PlaceOf(name) ?? WordDistance.Nearest(name, PropertyBook.Names(parent));
    }

    private static readonly Dictionary<string, string> OldNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ReRoutes"] = "Routes", ["ReRouteKeys"] = "RouteKeys", ["ReRouteIsCaseSensitive"] = "RouteIsCaseSensitive", ["ReRouteKeysConfig"] = "RouteKeysConfig", ["DownstreamPath"] = "DownstreamPathTemplate",
        ["ReRoutesCaseSensitive"] = "RouteIsCaseSensitive", ["LoadBalancer"] = "LoadBalancerOptions", ["DynamicReRoutes"] = "DynamicRoutes", ["DownstreamHost"] = "DownstreamHostAndPorts", ["DownstreamPort"] = "DownstreamHostAndPorts",
        ["UpstreamTemplate"] = "UpstreamPathTemplate", ["DownstreamTemplate"] = "DownstreamPathTemplate",
    };
}

/// <summary>One property that is written, and what becomes of it.</summary>
/// <param name="Property">With its places: <c>Routes[2].QoSOptions</c>.</param>
/// <param name="Name">Without: <c>Routes.QoSOptions</c>.</param>
/// <param name="Reason">Why it is better or ignored.</param>
/// <param name="Suggestion">Of an unknown one: what was probably meant; null = no idea.</param>
public sealed record PropertyFinding(string File, int Line, string Property, string Name, PropertyFate Fate, string Reason, string? Suggestion);

/// <summary>A route that others take calls from.</summary>
/// <param name="Completely">None is left: it is never reached.</param>
/// <param name="By">The route that has them: file, line and template.</param>
public sealed record HiddenRoute(string File, int Line, string Template, bool Completely, string ByFile, int ByLine, string ByTemplate, string Sentence);
