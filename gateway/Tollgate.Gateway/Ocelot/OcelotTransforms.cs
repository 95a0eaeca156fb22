using System.Collections.Frozen;
using System.Text;
using Tollgate.Gateway.Policy.Transforms;

namespace Tollgate.Gateway.Ocelot;

/// <summary>What a route changes of a call and of its answer, as it is written.</summary>
internal sealed class OcelotTransforms
{
    // Of the connection, not of the message: who writes them breaks the framing.
    private static readonly FrozenSet<string> OfConnection = new[]
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Content-Length", "X-Request-Id",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    // A placeholder that nothing fills: the header is taken away.
    private const string Withholding = "{nothing}";

    public IReadOnlyList<KeyValuePair<string, string>> Upstream { get; init; } = [];
    public IReadOnlyList<KeyValuePair<string, string>> Downstream { get; init; } = [];
    public ClaimInstruction[] Claims { get; init; } = [];
    public ClaimInstruction[] Headers { get; init; } = [];
    public ClaimInstruction[] Query { get; init; } = [];
    public ClaimInstruction[] Path { get; init; } = [];

    public bool ReadsClaims => Claims.Length + Headers.Length + Query.Length + Path.Length > 0;

    public static OcelotTransforms Read(JsonEntry json, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        var upstream = Lines(json, "UpstreamHeaderTransform", errors, warnings);
        var withheld = new List<string>();
        var headers = Instructions(json, "AddHeadersToRequest", errors, warnings, withheld);
        return new OcelotTransforms
        {
            Upstream = [.. upstream, .. withheld.Where(name => !upstream.Any(line => line.Key.Equals(name, StringComparison.OrdinalIgnoreCase))).Select(name => KeyValuePair.Create(name, Withholding))],
            Downstream = Lines(json, "DownstreamHeaderTransform", errors, warnings),
            Claims = Instructions(json, "AddClaimsToRequest", errors, warnings, []),
            Headers = headers,
            Query = Instructions(json, "AddQueriesToRequest", errors, warnings, null),
            Path = Instructions(json, "ChangeDownstreamPathTemplate", errors, warnings, null),
        };
    }

    /// <summary>By name, the route before the global part.</summary>
    public static HeaderTransform[] Compile(IReadOnlyList<KeyValuePair<string, string>> route, IReadOnlyList<KeyValuePair<string, string>> global, string? baseUrl) =>
        [.. global.Where(shared => !route.Any(own => own.Key.Equals(shared.Key, StringComparison.OrdinalIgnoreCase)))
            .Concat(route)
            .Select(line => HeaderTransform.Compile(line.Key, line.Value, baseUrl ?? "http://localhost:5000"))];

    /// <summary>The name in a <c>Host</c> that all calls get; null = theirs is another.</summary>
    public static string? WrittenHost(OcelotTransforms route, OcelotTransforms global)
    {
        foreach (var (name, value) in route.Upstream.Concat(global.Upstream))
            if (name.Equals("Host", StringComparison.OrdinalIgnoreCase))
                return Uri.TryCreate($"https://{value}", UriKind.Absolute, out var address) && address.PathAndQuery == "/" && address.UserInfo.Length == 0 ? address.IdnHost : null;
        return null;
    }

    private static List<KeyValuePair<string, string>> Lines(JsonEntry parent, string property, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        var lines = new List<KeyValuePair<string, string>>();
        foreach (var (name, value) in parent.ReadObject(property, errors)?.Members ?? [])
        {
            if (value.Kind != JsonEntryKind.Scalar) errors.Add(value.Error("expected text here."));
            else if (!OcelotValidation.IsToken(name)) errors.Add(value.Error($"\"{name}\" is not a header name."));
            else if (!Ascii.IsValid(value.Text) || value.Text.Any(char.IsControl)) errors.Add(value.Error("a header's value is ASCII text without control characters."));
            else if (OfConnection.Contains(name)) warnings.Add(value.Error("belongs to the connection or to the gateway, and is not changed."));
            else lines.Add(new(name, value.Text));
        }

        return lines;
    }

    /// <param name="withheld">Gets the targets of instructions that mean a claim and cannot be read; null = such a one is an error.</param>
    private static ClaimInstruction[] Instructions(JsonEntry parent, string property, List<ConfigurationError> errors, List<ConfigurationError> warnings, List<string>? withheld)
    {
        var instructions = new List<ClaimInstruction>();
        foreach (var (target, value) in parent.ReadObject(property, errors)?.Members ?? [])
        {
            if (value.Kind == JsonEntryKind.Scalar && ClaimInstruction.TryParse(target, value.Text, out var instruction))
            {
                if (property == "AddHeadersToRequest" && (!OcelotValidation.IsToken(target) || OfConnection.Contains(target))) errors.Add(value.Error($"\"{target}\" is not a header that may be added."));
                else instructions.Add(instruction);
            }
            else if (value.Kind is JsonEntryKind.Null or JsonEntryKind.Scalar && !MeansClaim(value.Text) && property != "ChangeDownstreamPathTemplate")
            {
                warnings.Add(value.Error(property == "AddHeadersToRequest"
                    ? "takes nothing from a token (\"Claims[type] > value\"), and does nothing, as in Ocelot: a header with a value of its own is written in UpstreamHeaderTransform."
                    : "takes nothing from a token (\"Claims[type] > value\"), and does nothing, as in Ocelot."));
            }
            else if (value.Kind == JsonEntryKind.Scalar && withheld is not null)
            {
                warnings.Add(value.Error("is not \"Claims[type] > value\" or \"Claims[type] > value[index] > delimiter\", so no claim is read" +
                    (property == "AddHeadersToRequest" ? ": the header is not sent, also not the caller's own." : ".")));
                if (OcelotValidation.IsToken(target) && !OfConnection.Contains(target)) withheld.Add(target);
            }
            else
            {
                errors.Add(value.Error("expected \"Claims[type] > value\" or \"Claims[type] > value[index] > delimiter\" here."));
            }
        }

        return [.. instructions];
    }

    // Whoever writes this relies on a token; what the caller sends must not take its place.
    private static bool MeansClaim(string text) => text.Contains("Claim", StringComparison.OrdinalIgnoreCase);
}
