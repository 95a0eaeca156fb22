using System.Text;
using Tollgate.Contracts.Fragments;
using Tollgate.Gateway.Discovery;
using Tollgate.Gateway.Ocelot;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Fragments;

/// <summary>
/// Reads the routes that a service publishes for itself. They say no more than what is the service's own: what is the gateway's (global settings, token
/// providers, variables of its environment, files on its disk) stands in the gateway's own files.
/// </summary>
public static class FragmentReader
{
    private static readonly string[] Members = ["Routes"];
    private static readonly DiscoveryOptions SomeDiscovery = new(DiscoveryKind.Dns, "http", null, 0, null, null, null);

    /// <summary>Reads a fragment without a gateway's files beside it, as the control plane does before it takes one.</summary>
    public static FragmentReading Read(string service, string content) => Read(service, content, null);

    /// <param name="files">Those of a gateway that is at hand; null = not known, and then not asked.</param>
    internal static FragmentReading Read(string service, string content, OcelotConfiguration? files)
    {
        var errors = new List<ConfigurationError>();
        var warnings = new List<ConfigurationError>();
        var routes = Read(service, content, files, errors, warnings);
        return new FragmentReading([.. errors.Select(Mistake)], [.. warnings.Select(Mistake)], [.. routes.Select(ClaimOf)]);
    }

    /// <param name="files">The gateway's own; null = not known, and then not asked.</param>
    internal static List<OcelotRoute> Read(string service, string content, OcelotConfiguration? files, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        var routes = new List<OcelotRoute>();
        var variables = new HashSet<string>();
        string Refuse(string name)
        {
            variables.Add(name);
            return "";
        }

        if (JsonEntryReader.Read(service, Encoding.UTF8.GetBytes(content), Refuse, errors) is not { } root) return routes;

        foreach (var name in variables.Order()) errors.Add(root.Error($"the variable ${{{name}}} is the gateway's, and a fragment may not read it."));
        foreach (var (name, value) in root.Members)
            if (!Members.Contains(name, StringComparer.OrdinalIgnoreCase) && !name.StartsWith('$'))
                errors.Add(new ConfigurationError(service, value.Line, name, $"a fragment holds Routes alone; {name} belongs into the gateway's own files."));
        foreach (var file in FilesIn(root)) errors.Add(file.Error("a fragment may not read files of the gateway: write the content itself here."));
        if (errors.Count > 0) return routes;    // before any of them is looked for

        foreach (var json in root.ReadObjects("Routes", errors)) routes.Add(OcelotBinding.Route(json, errors, warnings));
        if (routes.Count == 0 && errors.Count == 0) errors.Add(root.Error("Routes", "at least one route is needed here."));

        // Whether a token provider exists, or one of services, is for the gateway to say that has the files.
        var providers = files?.Providers ?? routes.SelectMany(route => route.Authentication.ProviderKeys).Distinct()
            .ToDictionary(name => name, name => new TokenProviderOptions { Name = name });
        OcelotValidation.Validate(routes, [], files?.Global ?? new OcelotGlobal { Discovery = SomeDiscovery }, new Dictionary<string, TokenProviderOptions>(providers), errors, warnings);
        return routes;
    }

    internal static PathClaim ClaimOf(OcelotRoute route) => PathClaim.Of(route.UpstreamHost, Spelled(route.UpstreamPathTemplate), route.Json.Line);

    // As the tree of routes compares it: another spelling of a path is the same path.
    private static string Spelled(string template) =>
        string.Concat(TemplateText.Split(template).Select(piece => piece.IsPlaceholder ? $"{{{piece.Text}}}" : SpelledText(piece.Text)));

    private static string SpelledText(string text) => text.IndexOf('?') is >= 0 and var question ? CanonicalTarget.Literal(text[..question]) + text[question..] : CanonicalTarget.Literal(text);

    // By convention, what ends so names something on the disk.
    private static readonly string[] NamesOfFiles = ["File", "Files", "Folder"];

    private static IEnumerable<JsonEntry> FilesIn(JsonEntry json)
    {
        foreach (var (name, value) in json.Members)
        {
            if (value.Kind != JsonEntryKind.Null && NamesOfFiles.Any(end => name.EndsWith(end, StringComparison.OrdinalIgnoreCase))) yield return value;
            foreach (var inside in FilesIn(value)) yield return inside;
        }

        foreach (var item in json.Items)
            foreach (var inside in FilesIn(item))
                yield return inside;
    }

    private static FragmentMistake Mistake(ConfigurationError error) => new(error.Line, error.Property, error.Sentence);
}
