namespace Tollgate.Gateway.Ocelot;

/// <summary>Turns the entries of a file into the words of the model. What has the wrong form is an error; what has no name here is ignored, as in Ocelot.</summary>
internal static class OcelotBinding
{
    /// <summary>Stands for a host that cannot be one: a name that never resolves (RFC 2606 §2), so that calls end as those to a dead host do.</summary>
    private static readonly OcelotHost Nowhere = new("unusable.invalid", 0);

    public static OcelotRoute Route(JsonEntry json, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        var scheme = Scheme(json, errors, warnings, out var isScheme);
        return new OcelotRoute
        {
            Json = json,
            UpstreamPathTemplate = json.ReadText("UpstreamPathTemplate", errors) ?? "",
            DownstreamPathTemplate = json.ReadText("DownstreamPathTemplate", errors) ?? TollgateEdge.PathOf(json) ?? TollgateBodies.PathOf(json) ?? "",
            DownstreamScheme = scheme,
            DownstreamHostAndPorts = isScheme ? Hosts(json, "DownstreamHostAndPorts", errors, warnings) : [Nowhere],
            LoadBalancer = LoadBalancer(json, errors, warnings),
            UpstreamHttpMethod = [.. json.ReadTexts("UpstreamHttpMethod", errors).Select(m => m.Trim().ToUpperInvariant()).Distinct()],
            UpstreamHost = NullIfEmpty(json.ReadText("UpstreamHost", errors)),
            Priority = (int?)json.ReadNumber("Priority", int.MinValue, int.MaxValue, errors) ?? 1,
            RouteIsCaseSensitive = json.ReadFlag("RouteIsCaseSensitive", errors) ?? false,
            Key = NullIfEmpty(json.ReadText("Key", errors)),
            Authentication = Authentication(json, errors),
            Timeout = Timeout(json, errors),
            RequestIdKey = NullIfEmpty(json.ReadText("RequestIdKey", errors)),
            Tollgate = Tollgate(json.ReadObject("Tollgate", errors), errors),
            Delivery = TollgateDelivery.Read(json, errors, warnings),
            Bodies = TollgateBodies.Read(json, errors, warnings),
            Edge = TollgateEdge.Read(json.ReadObject("Tollgate", errors), errors),
            Tls = TollgateTls.Read(json, errors),
            UpstreamHeaderTemplates = Texts(json, "UpstreamHeaderTemplates", errors),
            RouteClaimsRequirement = ClaimRequirements(json, errors),
            Security = OcelotSecurity.Read(json, errors),
            Transforms = OcelotTransforms.Read(json, errors, warnings),
            RateLimit = OcelotRateLimit.Read(json, errors),
            Quality = OcelotQuality.Read(json, errors, warnings),
            DownstreamHttpMethod = NullIfEmpty(json.ReadText("DownstreamHttpMethod", errors))?.Trim().ToUpperInvariant(),
            ServiceName = NullIfEmpty(json.ReadText("ServiceName", errors))?.Trim(),
            ServiceNamespace = NullIfEmpty(json.ReadText("ServiceNamespace", errors))?.Trim(),
            Handler = OcelotHttpHandler.Read(json, errors),
            Cache = OcelotCache.Read(json, errors),
            DownstreamHttpVersion = OcelotHttpVersion.Read(json, errors),
            DownstreamHttpVersionPolicy = OcelotHttpVersion.ReadPolicy(json, errors),
            DangerousAcceptAnyServerCertificateValidator = json.ReadFlag("DangerousAcceptAnyServerCertificateValidator", errors) ?? false,
            DelegatingHandlers = [.. json.ReadTexts("DelegatingHandlers", errors).Where(name => !string.IsNullOrWhiteSpace(name)).Select(name => name.Trim())],
            Metadata = Metadata(json, errors),
        };
    }

    /// <summary>What of an aggregate a caller sees. Without methods it takes GET alone.</summary>
    public static OcelotRoute Face(JsonEntry json, List<ConfigurationError> errors)
    {
        var methods = json.ReadTexts("UpstreamHttpMethod", errors).Select(method => method.Trim().ToUpperInvariant()).Distinct().ToArray();
        return new OcelotRoute
        {
            Json = json,
            UpstreamPathTemplate = json.ReadText("UpstreamPathTemplate", errors) ?? "",
            UpstreamHttpMethod = methods.Length > 0 ? methods : ["GET"],
            UpstreamHost = NullIfEmpty(json.ReadText("UpstreamHost", errors)),
            UpstreamHeaderTemplates = Texts(json, "UpstreamHeaderTemplates", errors),
            Priority = (int?)json.ReadNumber("Priority", int.MinValue, int.MaxValue, errors) ?? 1,
            RouteIsCaseSensitive = json.ReadFlag("RouteIsCaseSensitive", errors) ?? false,
            Key = NullIfEmpty(json.ReadText("Key", errors)),
            Tollgate = Tollgate(json.ReadObject("Tollgate", errors), errors),
        };
    }

    /// <param name="root">Of the file: <c>BaseUrl</c> may stand there too.</param>
    public static OcelotGlobal Global(JsonEntry root, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        var rootUrl = NullIfEmpty(root.ReadText("BaseUrl", errors));
        if (root.ReadObject("GlobalConfiguration", errors) is not { } json) return new OcelotGlobal { Json = root, BaseUrl = rootUrl, HasOcelotCodes = HasOcelotCodes(root, errors) };
        return new OcelotGlobal
        {
            Json = json,
            Edge = TollgateEdge.Read(json.ReadObject("Tollgate", errors), errors),
            BaseUrl = NullIfEmpty(json.ReadText("BaseUrl", errors)) ?? rootUrl,
            Tls = TollgateTls.Read(json, errors),
            Timeout = Timeout(json, errors),
            RequestIdKey = NullIfEmpty(json.ReadText("RequestIdKey", errors)),
            Authentication = Authentication(json, errors),
            Security = OcelotSecurity.Read(json, errors),
            Transforms = OcelotTransforms.Read(json, errors, warnings),
            RateLimit = OcelotRateLimit.Read(json, errors),
            Quality = OcelotQuality.Read(json, errors, warnings),
            LoadBalancer = LoadBalancer(json, errors, warnings),
            Delivery = TollgateDelivery.Read(json, errors, warnings),
            Handler = OcelotHttpHandler.Read(json, errors),
            Cache = OcelotCache.Read(json, errors),
            Metadata = [.. json.ReadObject("MetadataOptions", errors) is { } before ? Metadata(before, errors) : [], .. Metadata(json, errors)],
            Discovery = OcelotDiscovery.Read(json, errors, warnings),
            DownstreamScheme = Scheme(json, errors, warnings, out _),
            DownstreamHttpVersion = OcelotHttpVersion.Read(json, errors),
            DownstreamHttpVersionPolicy = OcelotHttpVersion.ReadPolicy(json, errors),
            HasOcelotCodes = HasOcelotCodes(json, errors) || HasOcelotCodes(root, errors),
        };
    }

    private static bool HasOcelotCodes(JsonEntry json, List<ConfigurationError> errors)
    {
        if (json.ReadObject("Tollgate", errors) is not { } own || NullIfEmpty(own.ReadText("Errors", errors)) is not { } errorStyle) return false;
        if (errorStyle.ToLowerInvariant() is not ("ocelot" or "tollgate")) errors.Add(own.Error("Errors", $"\"{errorStyle}\" is neither ocelot nor tollgate."));
        return errorStyle.Equals("ocelot", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Adds the providers of a file's <c>"Tollgate": { "Authentication": { "Providers": … } }</c>.</summary>
    public static void Providers(JsonEntry root, Dictionary<string, TokenProviderOptions> providers, List<ConfigurationError> errors)
    {
        var block = root.ReadObject("Tollgate", errors)?.ReadObject("Authentication", errors)?.ReadObject("Providers", errors);
        foreach (var (name, json) in block?.Members ?? [])
        {
            if (json.Kind != JsonEntryKind.Object)
            {
                errors.Add(json.Error("expected an object here."));
                continue;
            }

            var jwksFile = NullIfEmpty(json.ReadText("JwksFile", errors));
            var provider = new TokenProviderOptions
            {
                Name = name,
                HS256Secret = NullIfEmpty(json.ReadText("HS256Secret", errors)),
                Authority = NullIfEmpty(json.ReadText("Authority", errors)),
                JwksFile = jwksFile is null ? null : Path.GetFullPath(jwksFile, Path.GetDirectoryName(Path.GetFullPath(json.File))!),
                Issuer = NullIfEmpty(json.ReadText("Issuer", errors)),
                Audience = NullIfEmpty(json.ReadText("Audience", errors)),
                AccessTokensOnly = json.ReadFlag("AccessTokensOnly", errors) ?? false,
                Introspection = Introspection(json.ReadObject("Introspection", errors), errors),
            };
            OcelotValidation.Validate(provider, json, errors);
            if (!providers.TryAdd(name, provider)) errors.Add(json.Error("another file has a provider of this name."));
        }
    }

    private static Policy.Credentials.IntrospectionOptions? Introspection(JsonEntry? json, List<ConfigurationError> errors) =>
        json is null
            ? null
            : new(NullIfEmpty(json.ReadText("Endpoint", errors)), json.ReadText("ClientId", errors) ?? "", json.ReadText("ClientSecret", errors) ?? "");

    // Ocelot starts with any scheme and fails each call. What follows a colon is not read, as there: "https://" is https.
    private static string? Scheme(JsonEntry json, List<ConfigurationError> errors, List<ConfigurationError> warnings, out bool isScheme)
    {
        isScheme = true;
        if (NullIfEmpty(json.ReadText("DownstreamScheme", errors))?.Split(':')[0].Trim().ToLowerInvariant() is not { } scheme) return null;
        if (scheme is "http" or "https" or "ws" or "wss") return scheme;
        warnings.Add(json.Error("DownstreamScheme", $"\"{scheme}\" is none of http, https, ws and wss: every call of the route is answered 502."));
        isScheme = false;
        return null;
    }

    /// <summary>Hosts with their ports. <c>Weight</c> and <c>Priority</c> are ours: Ocelot passes over them.</summary>
    /// <param name="warnings">Gets those that can be none, as Ocelot starts with them; null = in a block of ours there must be one, and each must be usable.</param>
    public static List<OcelotHost> Hosts(JsonEntry json, string property, List<ConfigurationError> errors, List<ConfigurationError>? warnings)
    {
        var hosts = new List<OcelotHost>();
        foreach (var entry in json.ReadObjects(property, errors))
        {
            var host = entry.ReadText("Host", errors)?.Trim() ?? "";
            var port = (int)(entry.ReadNumber("Port", 0, 65535, errors) ?? 0);
            var weight = (int)(entry.ReadNumber("Weight", 1, 1000, errors) ?? 1);
            var priority = (int)(entry.ReadNumber("Priority", 0, 100, errors) ?? 0);
            if (host.Length == 0)
            {
                errors.Add(entry.Error("Host", "a host name or address is needed here."));
                hosts.Add(Nowhere);
            }
            else if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
            {
                const string sentence = "is not a host name or address (a scheme, port or path does not belong here)";
                if (warnings is null) errors.Add(entry.Error("Host", $"\"{host}\" {sentence}."));
                else warnings.Add(entry.Error("Host", $"\"{host}\" {sentence}: calls that go there are answered 502."));    // Ocelot starts, and fails each call
                hosts.Add(Nowhere with { Weight = weight, Priority = priority });
            }
            else
            {
                hosts.Add(new OcelotHost(host.Contains(':') && host[0] != '[' ? $"[{host}]" : host, port) { Weight = weight, Priority = priority });
            }
        }

        if (warnings is null && hosts.Count == 0) errors.Add(json.Error(property, "at least one host is needed here."));
        return hosts;
    }

    private static OcelotLoadBalancer LoadBalancer(JsonEntry parent, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (parent["LoadBalancerOptions"] is { Kind: JsonEntryKind.Scalar, Text.Length: > 0 } text)
        {
            warnings.Add(text.Error($"is a text, and not read, as in Ocelot: write {{ \"Type\": \"{text.Text}\" }}."));
            return new OcelotLoadBalancer();
        }

        if (parent.ReadObject("LoadBalancerOptions", errors) is not { } json) return new OcelotLoadBalancer();

        var type = NullIfEmpty(json.ReadText("Type", errors));
        return new OcelotLoadBalancer
        {
            Json = json,
            Type = type,
            Key = NullIfEmpty(json.ReadText("Key", errors)),
            ExpiryMs = json.ReadNumber("Expiry", int.MinValue, int.MaxValue, errors) is { } expiry and > 0 ? expiry : null,
            RouteKeys = json.ReadTexts("RouteKeys", errors),
        };
    }

    // What is no text is for nobody, as in Ocelot.
    private static List<KeyValuePair<string, string>> Metadata(JsonEntry parent, List<ConfigurationError> errors) =>
        [.. (parent.ReadObject("Metadata", errors)?.Members ?? []).Where(member => member.Value.Kind == JsonEntryKind.Scalar).Select(member => KeyValuePair.Create(member.Key, member.Value.Text))];

    private static List<KeyValuePair<string, string>> Texts(JsonEntry parent, string property, List<ConfigurationError> errors)
    {
        var texts = new List<KeyValuePair<string, string>>();
        foreach (var (name, value) in parent.ReadObject(property, errors)?.Members ?? [])
            if (value.Kind == JsonEntryKind.Scalar) texts.Add(new(name, value.Text));
            else errors.Add(value.Error("expected text here."));
        return texts;
    }

    // What is asked and cannot be read must not come to mean "nothing is asked".
    private static List<KeyValuePair<string, IReadOnlyList<string>>> ClaimRequirements(JsonEntry parent, List<ConfigurationError> errors)
    {
        var claims = new List<KeyValuePair<string, IReadOnlyList<string>>>();
        foreach (var (name, value) in parent.ReadObject("RouteClaimsRequirement", errors)?.Members ?? [])
        {
            var values = value.Kind == JsonEntryKind.Scalar ? [value.Text] : value.Items.Where(item => item.Kind == JsonEntryKind.Scalar).Select(item => item.Text).ToArray();
            if (values.Length == 0 || values.Length < value.Items.Count) errors.Add(value.Error("expected the claim's value here, or a list of values of which one is enough."));
            claims.Add(new(WithColon(name), values));
        }

        return claims;
    }

    // A colon cuts a name in .NET configuration, and gateways that know it write three slashes, which code of theirs turns back.
    private static string WithColon(string name) =>
        name.StartsWith("http///", StringComparison.Ordinal) ? $"http://{name[7..]}" : name.StartsWith("https///", StringComparison.Ordinal) ? $"https://{name[8..]}" : name;

    private static OcelotAuthentication Authentication(JsonEntry parent, List<ConfigurationError> errors)
    {
        if (parent.ReadObject("AuthenticationOptions", errors) is not { } json) return new OcelotAuthentication();

        var keys = new List<string>();
        if (NullIfEmpty(json.ReadText("AuthenticationProviderKey", errors)) is { } first) keys.Add(first);
        keys.AddRange(json.ReadTexts("AuthenticationProviderKeys", errors).Where(key => key.Length > 0 && !keys.Contains(key)));
        return new OcelotAuthentication
        {
            Json = json,
            ProviderKeys = keys,
            AllowedScopes = json.ReadTexts("AllowedScopes", errors),
            AllowAnonymous = json.ReadFlag("AllowAnonymous", errors),
            RouteKeys = json.ReadTexts("RouteKeys", errors),
        };
    }

    private static TollgateRouteOptions Tollgate(JsonEntry? json, List<ConfigurationError> errors) =>
        json is null
            ? new TollgateRouteOptions()
            : new TollgateRouteOptions
            {
                Product = NullIfEmpty(json.ReadText("Product", errors)),
                Scopes = json.ReadTexts("Scopes", errors),
                Units = json.ReadNumber("Units", 0, 1_000_000_000, errors) ?? 1,
                Cache = TollgateCache.Read(json, errors),
                KeyQuery = NullIfEmpty(json.ReadText("KeyQuery", errors)),
                Audiences = [.. json.ReadTexts("Audiences", errors).Where(audience => audience.Length > 0)],
                ForwardCredentials = json.ReadFlag("ForwardCredentials", errors) ?? false,
                ConsumerToken = json.ReadFlag("ConsumerToken", errors) ?? false,
            };

    // Ocelot takes zero and below for "not written".
    private static int? Timeout(JsonEntry json, List<ConfigurationError> errors) =>
        json.ReadNumber("Timeout", int.MinValue, 2_000_000, errors) is { } seconds and > 0 ? (int)seconds : null;

    private static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
