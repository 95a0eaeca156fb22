using System.Text;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Ocelot;

/// <summary>What Ocelot refuses at start, refused with file, line and property.</summary>
internal static class OcelotValidation
{
    private static readonly System.Buffers.SearchValues<char> TokenCharacters =
        System.Buffers.SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    public static void Validate(
        List<OcelotRoute> routes, List<OcelotAggregate> aggregates, OcelotGlobal global, Dictionary<string, TokenProviderOptions> providers,
        List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        var members = aggregates.SelectMany(aggregate => aggregate.RouteKeys).ToHashSet(StringComparer.Ordinal);
        foreach (var route in routes)
        {
            ValidateTemplates(route, errors);
            if (route.Key is null || !members.Contains(route.Key)) WarnOfUnfilled(route, warnings);    // an aggregate fills what its members do not
            ValidateUpstream(route, global, errors);
            ValidateHeaderTemplates(route, errors, warnings);
            WarnOfClaimsNeverMet(route, warnings);
            if (route.UpstreamHost is { } host && host.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(host.AsSpan(colon + 1), out _) && !host.AsSpan(0, colon).Contains(':'))
                warnings.Add(route.Json.Error("UpstreamHost", $"is compared with the call's host without its port: no call is for \"{host}\"."));
            ValidateAuthentication(route.Authentication, providers, errors);
            ValidateTollgate(route, errors);
            OcelotRateLimit.Merge(route, global, errors);
            route.RateLimit?.WarnOfStatus(warnings);
        }

        global.RateLimit?.WarnOfStatus(warnings);
        ValidateAuthentication(global.Authentication, providers, errors);
        if (global.BaseUrl is { } baseUrl && (!Ascii.IsValid(baseUrl) || baseUrl.Any(char.IsControl)))
            errors.Add(global.Json!.Error("BaseUrl", "an address is ASCII text without control characters."));
        else if (global.BaseUrl is not null && !IsHttpUrl(global.BaseUrl))
            warnings.Add(global.Json!.Error("BaseUrl", $"\"{global.BaseUrl}\" is not an http or https address: {{BaseUrl}} is replaced with it as it is written."));
        RefuseDuplicates(routes, errors);

        foreach (var face in aggregates.Select(aggregate => aggregate.Face))
        {
            ValidateUpstreamTemplate(face, errors);
            ValidateMethods(face, errors);
            ValidateHeaderTemplates(face, errors, warnings);
            ValidateTollgate(face, errors);
        }

        OcelotAggregate.Validate(aggregates, routes, errors, warnings);
        RefuseDuplicates([.. aggregates.Select(aggregate => aggregate.Face)], errors);
    }

    public static void Validate(TokenProviderOptions provider, JsonEntry json, List<ConfigurationError> errors)
    {
        var sources = (provider.HS256Secret is null ? 0 : 1) + (provider.Authority is null ? 0 : 1) + (provider.JwksFile is null ? 0 : 1);
        if (sources != 1 && (sources != 0 || provider.Introspection?.Endpoint is null)) errors.Add(json.Error("exactly one of HS256Secret, Authority and JwksFile is needed here."));
        if (provider.Introspection is { } ask)
        {
            if (ask.Endpoint is { } endpoint && !IsHttpUrl(endpoint)) errors.Add(json.Error("Introspection", $"\"{endpoint}\" is not an http or https address."));
            if (ask.Endpoint is null && provider.Authority is null) errors.Add(json.Error("Introspection", "an Endpoint is needed here, or an Authority that names one."));
            if (ask.ClientId.Length == 0 || ask.ClientSecret.Length == 0) errors.Add(json.Error("Introspection", "the issuer asks who is asking: ClientId and ClientSecret are needed here."));
        }

        // RFC 7518 §3.2: a key of at least the size of the hash.
        if (provider.HS256Secret is { } secret && Encoding.UTF8.GetByteCount(secret) < 32)
            errors.Add(json.Error("HS256Secret", "the secret must have at least 32 bytes."));
        if (provider.Authority is { } authority && !IsHttpUrl(authority))
            errors.Add(json.Error("Authority", $"\"{authority}\" is not an http or https address."));
        if (provider.JwksFile is { } file && !File.Exists(file))
            errors.Add(json.Error("JwksFile", $"there is no file {file}."));
    }

    private static void ValidateTemplates(OcelotRoute route, List<ConfigurationError> errors)
    {
        ValidateUpstreamTemplate(route, errors);
        ValidateTemplate(route, "DownstreamPathTemplate", route.DownstreamPathTemplate, errors);
    }

    private static void ValidateUpstreamTemplate(OcelotRoute route, List<ConfigurationError> errors)
    {
        ValidateTemplate(route, "UpstreamPathTemplate", route.UpstreamPathTemplate, errors);

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in TemplateText.Placeholders(route.UpstreamPathTemplate))
            if (!seen.Add(name))
                errors.Add(route.Json.Error("UpstreamPathTemplate", $"the placeholder {{{name}}} is written twice."));
        if (seen.Count > Captures.Capacity)
            errors.Add(route.Json.Error("UpstreamPathTemplate", $"a template may have at most {Captures.Capacity} placeholders."));
    }

    private static void ValidateTemplate(OcelotRoute route, string property, string template, List<ConfigurationError> errors)
    {
        if (template.Length == 0)
        {
            errors.Add(route.Json.Error(property, "a template that starts with / is needed here."));
            return;
        }

        if (template.Contains("://", StringComparison.Ordinal))
            errors.Add(route.Json.Error(property, "a template holds a path alone, without scheme and host."));
        else if (template[0] != '/')
            errors.Add(route.Json.Error(property, $"\"{template}\" must start with /."));
        else if (template.Contains("//", StringComparison.Ordinal))
            errors.Add(route.Json.Error(property, $"\"{template}\" must not contain //."));

        if (!TemplateText.BracesMatch(template))
            errors.Add(route.Json.Error(property, $"\"{template}\" has a {{ or }} without its partner, or a placeholder without a name."));
        else if (TemplateText.Placeholders(template).FirstOrDefault(name => name.Contains('?')) is { } optional)
            errors.Add(route.Json.Error(property, $"the placeholder {{{optional}}} is written without ?: at the end of a path it may be empty anyway."));
        else if (template.Count(c => c == '?') > 1)
            errors.Add(route.Json.Error(property, $"\"{template}\" has more than one ?."));
    }

    private static void ValidateUpstream(OcelotRoute route, OcelotGlobal global, List<ConfigurationError> errors)
    {
        if (route.ServiceName is not null)
        {
            if (global.Discovery is null) errors.Add(route.Json.Error("ServiceName", "a service name needs a GlobalConfiguration.ServiceDiscoveryProvider, and there is none."));
        }
        else if (route.DownstreamHostAndPorts.Count == 0 && !route.AnswersItself)
            errors.Add(route.Json.Error("DownstreamHostAndPorts", "at least one host is needed here."));

        ValidateMethods(route, errors);
        if (route.RequestIdKey is { } header && !IsToken(header))
            errors.Add(route.Json.Error("RequestIdKey", $"\"{header}\" is not a header name."));
        if (route.DownstreamHttpMethod is { } sent && !IsToken(sent))
            errors.Add(route.Json.Error("DownstreamHttpMethod", $"\"{sent}\" is not an HTTP method."));
    }

    private static void ValidateMethods(OcelotRoute route, List<ConfigurationError> errors)
    {
        foreach (var method in route.UpstreamHttpMethod)
            if (!IsToken(method))
                errors.Add(route.Json.Error("UpstreamHttpMethod", $"\"{method}\" is not an HTTP method."));
    }

    private static void ValidateHeaderTemplates(OcelotRoute route, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (route.UpstreamHeaderTemplates.Count == 0) return;
        var json = route.Json["UpstreamHeaderTemplates"]!;
        var seen = new HashSet<string>(TemplateText.Placeholders(route.UpstreamPathTemplate), StringComparer.Ordinal);
        foreach (var (name, template) in route.UpstreamHeaderTemplates)
        {
            if (!IsToken(name)) errors.Add(json.Error(name, $"\"{name}\" is not a header name."));
            if (!TemplateText.BracesMatch(template)) errors.Add(json.Error(name, $"\"{template}\" has a {{ or }} without its partner."));
            else if (template.AsSpan().IndexOfAny(@"\^$*+?()[]|") >= 0) warnings.Add(json.Error(name, $"\"{template}\" is compared as text, not as a regular expression."));
            var placeholders = HeaderPatterns.Split(template).Where(piece => piece.IsPlaceholder).Select(piece => piece.Text).ToArray();
            foreach (var placeholder in placeholders)
                if (!seen.Add(placeholder))
                    errors.Add(json.Error(name, $"the placeholder {{{placeholder}}} is written twice."));
            if (placeholders.Length > Captures.Capacity) errors.Add(json.Error(name, $"a template may have at most {Captures.Capacity} placeholders."));
        }
    }

    private static void WarnOfUnfilled(OcelotRoute route, List<ConfigurationError> warnings)
    {
        if (route.Unfilled(route.Placeholders) is { } unfilled)
            warnings.Add(route.Json.Error("DownstreamPathTemplate", $"nothing fills {{{unfilled}}}: it is sent as it is written."));
    }

    private static void WarnOfClaimsNeverMet(OcelotRoute route, List<ConfigurationError> warnings)
    {
        if (route.RouteClaimsRequirement.Count == 0) return;
        var json = route.Json["RouteClaimsRequirement"]!;
        var known = route.Placeholders.ToHashSet(StringComparer.Ordinal);
        foreach (var (name, values) in route.RouteClaimsRequirement)
            if (values.Select(ClaimRequirements.PlaceholderOf).FirstOrDefault(placeholder => placeholder is not null && !known.Contains(placeholder)) is { } unknown)
                warnings.Add(json.Error(name, $"no template of the route has the placeholder {{{unknown}}}: no call meets it."));
            else if (values.FirstOrDefault(value => value.Contains(',')) is { } joined)
                warnings.Add(json.Error(name, $"\"{joined}\" is one value, with its comma: for one of several write a list, [ {string.Join(", ", joined.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(value => $"\"{value}\""))} ]."));
    }

    private static void ValidateAuthentication(
        OcelotAuthentication options, Dictionary<string, TokenProviderOptions> providers, List<ConfigurationError> errors)
    {
        foreach (var key in options.ProviderKeys)
            if (!providers.ContainsKey(key))
                errors.Add(options.Json!.Error(
                    options.Json!["AuthenticationProviderKey"]?.Text == key ? "AuthenticationProviderKey" : "AuthenticationProviderKeys",
                    $"there is no provider \"{key}\" under Tollgate.Authentication.Providers: what C# registers for Ocelot is written there, such as \"{key}\": {{ \"Authority\": \"https://issuer\", \"Audience\": \"api\" }}, or with HS256Secret or JwksFile."));
    }

    private static void ValidateTollgate(OcelotRoute route, List<ConfigurationError> errors)
    {
        if (route.Json["Tollgate"] is not { } json) return;
        if (route.Tollgate.Product is null && route.Tollgate.Scopes.Count > 0)
            errors.Add(json.Error("Scopes", "scopes need a Product beside them."));
        if (route.Tollgate.Product is null && route.Tollgate.ConsumerToken)
            errors.Add(json.Error("ConsumerToken", "without a Product beside it nobody is known to call."));
        if (route.Tollgate.KeyQuery is { } parameter)
        {
            if (route.Tollgate.Product is null) errors.Add(json.Error("KeyQuery", "a key in the query needs a Product beside it."));
            if (!IsToken(parameter)) errors.Add(json.Error("KeyQuery", $"\"{parameter}\" is not the plain name of a query parameter."));
            else if (TemplateText.QueryNames(route.UpstreamPathTemplate).Contains(parameter, StringComparer.OrdinalIgnoreCase))
                errors.Add(json.Error("KeyQuery", $"the upstream template names the parameter \"{parameter}\" too: a key must not get into the downstream address."));
        }
        foreach (var scope in route.Tollgate.Scopes)
            if (scope.Length == 0 || scope.AsSpan().IndexOfAny(" \"\\") >= 0)
                errors.Add(json.Error("Scopes", $"\"{scope}\" is not a scope (RFC 6749 §3.3)."));
    }

    private static void RefuseDuplicates(List<OcelotRoute> routes, List<ConfigurationError> errors)
    {
        var groups = new Dictionary<(string Template, string? Host, string Headers), List<OcelotRoute>>();
        foreach (var route in routes)
        {
            if (route.UpstreamPathTemplate.Length == 0) continue;
            var headers = route.Json["UpstreamHeaderTemplates"] is { } map
                ? string.Join('\n', map.Members.Select(m => $"{m.Key.ToLowerInvariant()}:{m.Value.Text}").Order(StringComparer.Ordinal))
                : "";
            var key = (route.UpstreamPathTemplate, route.UpstreamHost, headers);
            if (!groups.TryGetValue(key, out var group)) groups.Add(key, group = []);
            if (group.Find(other => Overlap(other, route)) is { } first)
                errors.Add(route.Json.Error("UpstreamPathTemplate",
                    $"\"{route.UpstreamPathTemplate}\" is already taken for this method and host by {first.Json.File}:{first.Json.Line}."));
            group.Add(route);
        }
    }

    private static bool Overlap(OcelotRoute a, OcelotRoute b) =>
        a.UpstreamHttpMethod.Count == 0 || b.UpstreamHttpMethod.Count == 0 || a.UpstreamHttpMethod.Any(b.UpstreamHttpMethod.Contains);

    internal static bool IsToken(string text) => text.Length > 0 && text.AsSpan().IndexOfAnyExcept(TokenCharacters) < 0;

    private static bool IsHttpUrl(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is ("http" or "https");
}
