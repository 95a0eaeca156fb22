using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Ocelot;

/// <summary><c>SecurityOptions</c> of a route or of the whole file.</summary>
internal sealed record OcelotSecurity(IReadOnlyList<AddressRange> Allowed, IReadOnlyList<AddressRange> Blocked, bool ExcludeAllowedFromBlocked)
{
    public bool IsEmpty => Allowed.Count == 0 && Blocked.Count == 0;

    public static OcelotSecurity? Read(JsonEntry parent, List<ConfigurationError> errors) =>
        parent.ReadObject("SecurityOptions", errors) is { } json
            ? new OcelotSecurity(
                Ranges(json, "IPAllowedList", errors),
                Ranges(json, "IPBlockedList", errors),
                json.ReadFlag("ExcludeAllowedFromBlocked", errors) ?? false)
            : null;

    // An entry that cannot be read is never left out: without it, a list might let everybody in.
    private static List<AddressRange> Ranges(JsonEntry json, string name, List<ConfigurationError> errors)
    {
        var ranges = new List<AddressRange>();
        foreach (var text in json.ReadTexts(name, errors))
            if (AddressRange.TryParse(text, out var range)) ranges.Add(range);
            else errors.Add(json.Error(name, $"\"{text}\" is neither an address nor a range of them (10.1.2.3, 10.0.0.0/8, 10.0.0.0/255.0.0.0, 10.0.0.1-10.0.0.9, 10.0.0.1-9)."));
        if (ranges.Count == 0 && json[name] is { Kind: JsonEntryKind.Array, Items.Count: > 0 } list) errors.Add(list.Error("the list has entries, and none is an address."));
        return ranges;
    }
}
