namespace Tollgate.Gateway.Ocelot;

/// <summary>Reads <c>ocelot.json</c>, whole or in parts, and refuses what cannot go live.</summary>
internal static class OcelotReader
{
    /// <summary>Everything the files say. Throws a <see cref="ConfigurationException"/> that names every mistake with file, line and property.</summary>
    /// <param name="config">A file or a folder.</param>
    /// <param name="variables">Values for <c>${NAME}</c>; what is absent is taken from the environment.</param>
    public static OcelotConfiguration Read(string config, IReadOnlyDictionary<string, string>? variables = null)
    {
        var errors = new List<ConfigurationError>();
        var warnings = new List<ConfigurationError>();
        string? Variable(string name) =>
            variables is not null && variables.TryGetValue(name, out var value) ? value : Environment.GetEnvironmentVariable(name);

        var files = OcelotFiles.Find(config, OcelotFiles.EnvironmentOf(Variable));
        if (files.Parts.Count == 0)
        {
            errors.Add(new ConfigurationError(config, 1, "", Directory.Exists(config)
                ? "the folder holds neither ocelot.*.json nor ocelot.json."
                : "there is no such file or folder."));
            throw new ConfigurationException(errors);
        }

        foreach (var other in files.OfOtherEnvironments) warnings.Add(new ConfigurationError(other, 1, "", "is for another environment, and not read."));
        var parts = files.Parts.Select(file => ReadRoot(file, Variable, errors)).OfType<JsonEntry>().ToArray();
        if (parts.Length < files.Parts.Count) throw new ConfigurationException(errors);
        var root = files.AreParts ? OcelotLayers.Join(parts, warnings) : parts[0];
        if (files.Overlay is { } overlay)
        {
            if (ReadRoot(overlay, Variable, errors) is not { } over) throw new ConfigurationException(errors);
            root = OcelotLayers.Over(root, over);
        }

        foreach (var old in new[] { "ReRoutes", "ReRouteKeys", "ReRoutesCaseSensitive" })
            if (root[old] is { } entry)
                warnings.Add(entry.Error("is a name of Ocelot before 16, and not read any more: write Routes."));

        var routes = root.ReadObjects("Routes", errors).Select(json => OcelotBinding.Route(json, errors, warnings)).ToList();
        var aggregates = root.ReadObjects("Aggregates", errors).Select(json => OcelotAggregate.Read(json, errors)).ToList();
        var dynamicRoutes = root.ReadObjects("DynamicRoutes", errors).Select(json => OcelotBinding.Route(json, errors, warnings)).ToList();
        var global = OcelotBinding.Global(root, errors, warnings);
        var providers = new Dictionary<string, TokenProviderOptions>(StringComparer.Ordinal);
        OcelotBinding.Providers(root, providers, errors);

        OcelotValidation.Validate(routes, aggregates, global, providers, errors, warnings);
        OcelotDiscovery.Validate(routes, dynamicRoutes, global, errors, warnings);
        if (errors.Count > 0) throw new ConfigurationException(errors) { Warnings = warnings, Routes = routes };
        return new OcelotConfiguration
        {
            Routes = routes,
            HasOldRoutes = root["ReRoutes"] is { Items.Count: > 0 },
            Aggregates = aggregates,
            DynamicRoutes = dynamicRoutes,
            Global = global,
            Providers = providers,
            Files = [.. files.Parts, .. files.Overlay is null ? Array.Empty<string>() : [files.Overlay]],
            Warnings = warnings,
        };
    }

    private static JsonEntry? ReadRoot(string file, Func<string, string?> variable, List<ConfigurationError> errors)
    {
        try
        {
            return JsonEntryReader.Read(file, File.ReadAllBytes(file), variable, errors);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            errors.Add(new ConfigurationError(file, 1, "", $"cannot be read: {unreadable.Message}"));
            return null;
        }
    }
}
