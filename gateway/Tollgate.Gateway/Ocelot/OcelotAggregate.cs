using Tollgate.Gateway.Aggregates;

namespace Tollgate.Gateway.Ocelot;

/// <summary>An entry of <c>Aggregates</c> as it is written.</summary>
internal sealed class OcelotAggregate
{
    /// <summary>What of it a caller sees: templates, host, methods, priority.</summary>
    public required OcelotRoute Face { get; init; }

    public IReadOnlyList<string> RouteKeys { get; init; } = [];
    public IReadOnlyList<OcelotAggregateConfig> Configs { get; init; } = [];

    /// <summary>Null = the plain <c>{"key":body,…}</c>.</summary>
    public string? Aggregator { get; init; }

    public static OcelotAggregate Read(JsonEntry json, List<ConfigurationError> errors) => new()
    {
        Face = OcelotBinding.Face(json, errors),
        RouteKeys = json.ReadTexts("RouteKeys", errors),
        Configs = [.. json.ReadObjects("RouteKeysConfig", errors).Select(entry => ReadConfig(entry, errors))],
        Aggregator = json.ReadText("Aggregator", errors) is { } name && !string.IsNullOrWhiteSpace(name) ? name.Trim() : null,
    };

    /// <summary>What Ocelot refuses of aggregates, and what could never work.</summary>
    public static void Validate(IReadOnlyList<OcelotAggregate> aggregates, IReadOnlyList<OcelotRoute> routes, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        foreach (var aggregate in aggregates)
        {
            var json = aggregate.Face.Json;
            if (aggregate.RouteKeys.Count == 0) errors.Add(json.Error("RouteKeys", "at least one key of a route is needed here."));
            foreach (var key in aggregate.RouteKeys.Distinct())
            {
                var named = routes.Where(route => route.Key == key).ToArray();
                if (named.Length != 1) errors.Add(json.Error("RouteKeys", named.Length == 0 ? $"no route has the key \"{key}\"." : $"{named.Length} routes have the key \"{key}\"."));
                else if (named[0].RequestIdKey is not null) errors.Add(json.Error("RouteKeys", $"the route \"{key}\" has a RequestIdKey, which a member of an aggregate may not have."));
                else if (aggregate.UnfilledOf(named[0]) is { } unfilled) warnings.Add(json.Error("RouteKeys", $"nothing of the aggregate fills {{{unfilled}}} of the member \"{key}\": it is sent as it is written."));
            }

            foreach (var config in aggregate.Configs)
            {
                if (!aggregate.RouteKeys.Skip(1).Contains(config.RouteKey))
                    errors.Add(config.Json.Error("RouteKey", $"\"{config.RouteKey}\" is none of the keys after the first, whose answer has the values."));
                if (config.Parameter.Length == 0) errors.Add(config.Json.Error("Parameter", "the name of a placeholder is needed here."));
            }

            foreach (var route in routes)
                if (route.UpstreamPathTemplate == aggregate.Face.UpstreamPathTemplate && route.UpstreamHost == aggregate.Face.UpstreamHost && route.UpstreamHttpMethod.Contains("GET"))
                    errors.Add(json.Error("UpstreamPathTemplate", $"\"{route.UpstreamPathTemplate}\" is already taken for GET by {route.Json.File}:{route.Json.Line}."));
        }
    }

    // Members are called with the aggregate's placeholders, not with their own.
    private string? UnfilledOf(OcelotRoute member) =>
        member.Unfilled(Face.Placeholders.Concat(Configs.Where(config => config.RouteKey == member.Key).Select(config => config.Parameter)));

    private static OcelotAggregateConfig ReadConfig(JsonEntry json, List<ConfigurationError> errors)
    {
        var text = json.ReadText("JsonPath", errors) ?? "";
        if (text.Length == 0 || !JsonPath.TryParse(text, out var path))
        {
            errors.Add(json.Error("JsonPath", $"\"{text}\" is not a JSONPath."));
            path = null!;
        }

        return new OcelotAggregateConfig(json, json.ReadText("RouteKey", errors) ?? "", path, (json.ReadText("Parameter", errors) ?? "").Trim('{', '}', ' '));
    }
}

/// <summary>An entry of <c>RouteKeysConfig</c>.</summary>
internal sealed record OcelotAggregateConfig(JsonEntry Json, string RouteKey, JsonPath Path, string Parameter);
