using System.IO.Compression;
using Tollgate.Gateway.Policy.Edge;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Ocelot;

/// <summary>
/// <c>Cors</c>, <c>Compression</c>, <c>SecurityHeaders</c>, <c>StaticFiles</c>, <c>MaxBodyBytes</c>, <c>MaxHeaderBytes</c> and <c>ClientCertificates</c>
/// of a <c>Tollgate</c> block. Those of <c>GlobalConfiguration</c> are for the routes that say nothing of the same name; <c>false</c> takes them away.
/// </summary>
internal sealed class TollgateEdge
{
    private static readonly string[] Codings = ["br", "gzip"];

    private readonly JsonEntry? _json;
    private readonly RouteEdge _read;

    private TollgateEdge(JsonEntry? json, RouteEdge read) => (_json, _read) = (json, read);

    public static TollgateEdge None { get; } = new(null, new RouteEdge());

    public bool ServesFiles => _read.Files is not null;

    public static TollgateEdge Read(JsonEntry? json, List<ConfigurationError> errors) =>
        json is null
            ? None
            : new TollgateEdge(json, new RouteEdge
            {
                Cors = Cors(json, errors),
                Compression = Compression(json, errors),
                Headers = Headers(json, errors),
                Files = Files(json, errors),
                MaxBodyBytes = json.ReadNumber("MaxBodyBytes", 0, long.MaxValue, errors),
                MaxHeaderBytes = (int?)json.ReadNumber("MaxHeaderBytes", 64, 16_777_216, errors),
                CertificateSubjects = json["ClientCertificates"] is null || IsOff(json, "ClientCertificates") ? null : [.. json.ReadTexts("ClientCertificates", errors)],
            });

    /// <summary>What is in force for a route; null = nothing of this.</summary>
    public static RouteEdge? Merge(TollgateEdge own, TollgateEdge shared)
    {
        T? Pick<T>(string name, Func<RouteEdge, T?> of) => own._json?[name] is not null ? of(own._read) : of(shared._read);

        var edge = new RouteEdge
        {
            Cors = Pick("Cors", edge => edge.Cors),
            Compression = Pick("Compression", edge => edge.Compression),
            Headers = Pick("SecurityHeaders", edge => edge.Headers),
            Files = own._read.Files,
            MaxBodyBytes = Pick("MaxBodyBytes", edge => edge.MaxBodyBytes),
            MaxHeaderBytes = Pick("MaxHeaderBytes", edge => edge.MaxHeaderBytes),
            CertificateSubjects = Pick("ClientCertificates", edge => edge.CertificateSubjects),
        };
        return edge is { Cors: null, Compression: null, Headers: null, Files: null, MaxBodyBytes: null, MaxHeaderBytes: null, CertificateSubjects: null } ? null : edge;
    }

    /// <summary>The path of a file, where a route that serves files does not write <c>DownstreamPathTemplate</c>: its last placeholder.</summary>
    public static string? PathOf(JsonEntry route) =>
        route["Tollgate"]?["StaticFiles"] is { Kind: JsonEntryKind.Object } && route["UpstreamPathTemplate"]?.Text is { } template
            ? TemplateText.Placeholders(template).LastOrDefault() is { } last ? $"/{{{last}}}" : "/"
            : null;

    private static CorsRule? Cors(JsonEntry parent, List<ConfigurationError> errors)
    {
        if (IsOff(parent, "Cors") || parent.ReadObject("Cors", errors) is not { } json) return null;

        var origins = json.ReadTexts("Origins", errors);
        if (origins.Count == 0) errors.Add(json.Error("Origins", "at least one origin is needed here, such as https://app.example.com."));
        foreach (var origin in origins)
            if (!IsOrigin(origin))
                errors.Add(json.Error("Origins", $"\"{origin}\" is not an origin: write https://app.example.com, https://*.example.com or *."));
        var credentials = json.ReadFlag("Credentials", errors) ?? false;
        if (credentials && origins.Contains("*")) errors.Add(json.Error("Credentials", "credentials need origins that are named; * would let every page act for its visitor."));
        return new CorsRule(origins, Tokens(json, "Methods", errors), Tokens(json, "Headers", errors), Tokens(json, "ExposedHeaders", errors), credentials,
            (int)(json.ReadNumber("MaxAgeSeconds", 0, 86_400, errors) ?? 600));
    }

    private static CompressionRule? Compression(JsonEntry parent, List<ConfigurationError> errors)
    {
        if (IsOff(parent, "Compression") || parent["Compression"] is null) return null;
        if (IsOn(parent, "Compression")) return new CompressionRule(CompressionRule.DefaultTypes, Codings, 1024, CompressionLevel.Fastest);
        if (parent.ReadObject("Compression", errors) is not { } json) return null;

        var types = json.ReadTexts("Types", errors);
        foreach (var type in types)
            if (type.Count(c => c == '/') != 1 || type.Count(c => c == '*') > 1 || type.Any(char.IsWhiteSpace))
                errors.Add(json.Error("Types", $"\"{type}\" is not a media type such as application/json, text/* or application/*+json."));
        var codings = json.ReadTexts("Encodings", errors);
        foreach (var coding in codings)
            if (!Codings.Contains(coding, StringComparer.Ordinal))
                errors.Add(json.Error("Encodings", $"\"{coding}\" is not an encoding of this gateway: br and gzip are."));
        var level = json.ReadText("Level", errors)?.ToLowerInvariant() switch
        {
            null or "" or "fastest" => CompressionLevel.Fastest,
            "optimal" => CompressionLevel.Optimal,
            "smallest" => CompressionLevel.SmallestSize,
            _ => Wrong(json.Error("Level", "expected fastest, optimal or smallest here."), errors, CompressionLevel.Fastest),
        };
        return new CompressionRule(types.Count == 0 ? CompressionRule.DefaultTypes : types, codings.Count == 0 ? Codings : codings, json.ReadNumber("MinBytes", 0, int.MaxValue, errors) ?? 1024, level);
    }

    private static SecurityHeaders? Headers(JsonEntry parent, List<ConfigurationError> errors)
    {
        if (IsOff(parent, "SecurityHeaders") || parent["SecurityHeaders"] is null) return null;
        if (IsOn(parent, "SecurityHeaders")) return new SecurityHeaders([]);
        if (parent.ReadObject("SecurityHeaders", errors) is not { } json) return null;

        var written = new List<KeyValuePair<string, string>>();
        foreach (var (name, value) in json.Members)
        {
            if (!OcelotValidation.IsToken(name)) errors.Add(value.Error($"\"{name}\" is not a header name."));
            else if (value.Kind is JsonEntryKind.Object or JsonEntryKind.Array) errors.Add(value.Error("expected text here; an empty one takes the header away."));
            else if (value.Text.AsSpan().IndexOfAnyExceptInRange(' ', '~') >= 0) errors.Add(value.Error("a header's value is one line of ASCII."));
            else written.Add(new(name, value.Text));
        }

        return new SecurityHeaders(written);
    }

    private static FilesRule? Files(JsonEntry parent, List<ConfigurationError> errors)
    {
        if (IsOff(parent, "StaticFiles") || parent["StaticFiles"] is null) return null;
        var json = parent.ReadObject("StaticFiles", errors);
        if (json?.ReadText("Folder", errors) is not { Length: > 0 } folder)
        {
            if (json is not null) errors.Add(json.Error("Folder", "a folder is needed here."));
            return null;
        }

        folder = Path.GetFullPath(folder, Path.GetDirectoryName(Path.GetFullPath(json.File))!);
        if (!Directory.Exists(folder)) errors.Add(json.Error("Folder", $"there is no folder {folder}."));
        var fallback = json.ReadText("Fallback", errors) is { Length: > 0 } page ? page : null;
        if (fallback is not null && !File.Exists(Path.Combine(folder, fallback))) errors.Add(json.Error("Fallback", $"there is no file {fallback} in the folder."));
        return new FilesRule(folder, json.ReadText("Index", errors) ?? "index.html", fallback, (int?)json.ReadNumber("CacheSeconds", 0, int.MaxValue, errors));
    }

    private static IReadOnlyList<string> Tokens(JsonEntry json, string name, List<ConfigurationError> errors)
    {
        var texts = json.ReadTexts(name, errors);
        foreach (var text in texts)
            if (!OcelotValidation.IsToken(text))
                errors.Add(json.Error(name, $"\"{text}\" is not a name of a method or header."));
        return [.. texts.Where(text => text != "*")];
    }

    private static bool IsOrigin(string text)
    {
        if (text is "*" or "null") return text == "*";
        var host = text.Replace("://*.", "://any.", StringComparison.Ordinal);
        return !host.Contains('*') && Uri.TryCreate(host, UriKind.Absolute, out var origin) && origin.Host.Length > 0 &&
            origin.AbsolutePath == "/" && !host.EndsWith('/') && origin.Query.Length == 0 && origin.UserInfo.Length == 0;
    }

    private static T Wrong<T>(ConfigurationError error, List<ConfigurationError> errors, T otherwise)
    {
        errors.Add(error);
        return otherwise;
    }

    private static bool IsOn(JsonEntry json, string name) => json[name] is { Kind: JsonEntryKind.Scalar } entry && entry.Text.Equals("true", StringComparison.OrdinalIgnoreCase);

    private static bool IsOff(JsonEntry json, string name) => json[name] is { Kind: JsonEntryKind.Scalar } entry && entry.Text.Equals("false", StringComparison.OrdinalIgnoreCase);
}
