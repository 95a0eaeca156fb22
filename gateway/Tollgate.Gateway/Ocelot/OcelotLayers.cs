namespace Tollgate.Gateway.Ocelot;

/// <summary>Makes one configuration of several files. Every entry remembers where it was written.</summary>
internal static class OcelotLayers
{
    private static readonly string[] Lists = ["Routes", "DynamicRoutes", "Aggregates"];

    /// <summary>Parts beside each other: their lists are joined, and <c>GlobalConfiguration</c> is that of <see cref="OcelotFiles.GlobalFile"/> alone.</summary>
    public static JsonEntry Join(IReadOnlyList<JsonEntry> parts, List<ConfigurationError> warnings)
    {
        var root = new JsonEntry(parts[0].File, 1, "", JsonEntryKind.Object);
        foreach (var name in Lists)
        {
            if (!parts.Any(part => part[name] is not null)) continue;
            var list = new JsonEntry(parts[0].File, 1, name, JsonEntryKind.Array);
            foreach (var part in parts)
                if (part[name] is { Kind: JsonEntryKind.Array } own) list.Items.AddRange(own.Items);
                else if (part[name] is { } wrong) list.Items.Add(wrong);
            root.Members.Add(new(name, list));
        }

        foreach (var part in parts)
            foreach (var (name, value) in part.Members)
            {
                if (Lists.Contains(name, StringComparer.OrdinalIgnoreCase)) continue;
                if (!name.Equals("GlobalConfiguration", StringComparison.OrdinalIgnoreCase)) Add(root, name, value);
                else if (Path.GetFileName(part.File).Equals(OcelotFiles.GlobalFile, StringComparison.OrdinalIgnoreCase)) root.Members.Add(new(name, value));
                else if (value.Members.Count > 0) warnings.Add(value.Error($"counts in {OcelotFiles.GlobalFile} alone, and is not read here."));
            }

        return root;
    }

    /// <summary>
    /// One file over another: what the upper writes wins, property by property. A route meets the one with its <c>Key</c>, else the one with its template,
    /// host and methods, else it is added; one with neither key nor template meets the one in its place, as .NET configuration has it.
    /// </summary>
    public static JsonEntry Over(JsonEntry under, JsonEntry over)
    {
        var merged = new JsonEntry(under.File, under.Line, under.Path, JsonEntryKind.Object);
        foreach (var (name, value) in under.Members)
        {
            var upper = over.Members.Find(member => member.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
            merged.Members.Add(new(name, upper is null ? value : Meet(name, value, upper, under.Path.Length == 0)));
        }

        foreach (var (name, value) in over.Members)
            if (!under.Members.Exists(member => member.Key.Equals(name, StringComparison.OrdinalIgnoreCase)))
                merged.Members.Add(new(name, value));
        return merged;
    }

    private static JsonEntry Meet(string name, JsonEntry under, JsonEntry over, bool atRoot)
    {
        if (under.Kind == JsonEntryKind.Object && over.Kind == JsonEntryKind.Object) return Over(under, over);
        return atRoot && under.Kind == JsonEntryKind.Array && over.Kind == JsonEntryKind.Array && Lists.Contains(name, StringComparer.OrdinalIgnoreCase) ? Lay(under, over) : over;
    }

    private static JsonEntry Lay(JsonEntry under, JsonEntry over)
    {
        var merged = new JsonEntry(under.File, under.Line, under.Path, JsonEntryKind.Array);
        merged.Items.AddRange(under.Items);
        for (var i = 0; i < over.Items.Count; i++)
        {
            var item = over.Items[i];
            var at = item.Kind == JsonEntryKind.Object ? PlaceOf(item, i, merged.Items) : -1;
            if (at < 0) merged.Items.Add(item);
            else merged.Items[at] = Over(merged.Items[at], item);
        }

        return merged;
    }

    private static int PlaceOf(JsonEntry item, int place, List<JsonEntry> among)
    {
        string? Text(JsonEntry entry, string name) => entry[name] is { Kind: JsonEntryKind.Scalar, Text.Length: > 0 } text ? text.Text : null;

        if (Text(item, "Key") is { } key && among.FindIndex(entry => Text(entry, "Key") == key) is >= 0 and var byKey) return byKey;
        if (Text(item, "UpstreamPathTemplate") is { } template)
            return among.FindIndex(entry => Text(entry, "UpstreamPathTemplate") == template && Text(entry, "UpstreamHost") == Text(item, "UpstreamHost") &&
                (item["UpstreamHttpMethod"] is null || MethodsOf(entry).SetEquals(MethodsOf(item))));
        if (Text(item, "ServiceName") is { } service && among.FindIndex(entry => Text(entry, "UpstreamPathTemplate") is null && Text(entry, "ServiceName") == service) is >= 0 and var byService) return byService;
        return Text(item, "Key") is null && place < among.Count ? place : -1;
    }

    private static HashSet<string> MethodsOf(JsonEntry entry) =>
        entry["UpstreamHttpMethod"] is not { } methods ? [] : methods.Items.Select(item => item.Text).Append(methods.Text).Where(text => text.Length > 0).ToHashSet(StringComparer.OrdinalIgnoreCase);

    // Blocks of the same name meet; token providers stand beside each other, so that a name that two parts use is seen.
    private static void Add(JsonEntry root, string name, JsonEntry value)
    {
        var at = root.Members.FindIndex(member => member.Key.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (at < 0 || root.Members[at].Value.Kind != JsonEntryKind.Object || value.Kind != JsonEntryKind.Object)
        {
            root.Members.Add(new(name, value));
            return;
        }

        var known = root.Members[at].Value;
        var joined = new JsonEntry(known.File, known.Line, known.Path, JsonEntryKind.Object);
        joined.Members.AddRange(known.Members);
        foreach (var (inner, entry) in value.Members)
            if (name.Equals("Providers", StringComparison.OrdinalIgnoreCase)) joined.Members.Add(new(inner, entry));
            else Add(joined, inner, entry);
        root.Members[at] = new(root.Members[at].Key, joined);
    }
}
