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
        var files = OcelotFiles.Find(config);
        if (files.Count == 0)
        {
            errors.Add(new ConfigurationError(config, 1, "", Directory.Exists(config)
                ? "the folder holds neither ocelot.*.json nor ocelot.json."
                : "there is no such file or folder."));
            throw new ConfigurationException(errors);
        }

        string? Variable(string name) =>
            variables is not null && variables.TryGetValue(name, out var value) ? value : Environment.GetEnvironmentVariable(name);

        var routes = new List<OcelotRoute>();
        var aggregates = new List<OcelotAggregate>();
        var providers = new Dictionary<string, TokenProviderOptions>(StringComparer.Ordinal);
        var warnings = new List<ConfigurationError>();
        var global = new OcelotGlobal();
        var inParts = files.Count > 1 || !Path.GetFileName(files[0]).Equals("ocelot.json", StringComparison.OrdinalIgnoreCase) && Directory.Exists(config);

        foreach (var file in files)
        {
            if (ReadRoot(file, Variable, errors) is not { } root) continue;

            foreach (var json in root.ReadObjects("Routes", errors))
                routes.Add(OcelotBinding.Route(json, errors, warnings));

            foreach (var json in root.ReadObjects("Aggregates", errors))
                aggregates.Add(OcelotAggregate.Read(json, errors));

            if (!inParts || Path.GetFileName(file).Equals(OcelotFiles.GlobalFile, StringComparison.OrdinalIgnoreCase))
                global = OcelotBinding.Global(root.ReadObject("GlobalConfiguration", errors), errors, warnings);

            OcelotBinding.Providers(root, providers, errors);
        }

        OcelotValidation.Validate(routes, aggregates, global, providers, errors, warnings);
        if (errors.Count > 0) throw new ConfigurationException(errors);
        return new OcelotConfiguration { Routes = routes, Aggregates = aggregates, Global = global, Providers = providers, Files = files, Warnings = warnings };
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
