using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Routing;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Tells programs who gives tokens for what they called (RFC 9728): the path of the call stands behind the well-known one.</summary>
internal static class ResourceMetadata
{
    private static readonly string[] Methods = ["GET", "POST", "PUT", "DELETE", "PATCH"];

    public static bool IsAskedBy(Exchange exchange) =>
        exchange.Policy.Routes.TellsIssuers && exchange.Call.Path.StartsWith(RouteTable.ResourceMetadataPath, StringComparison.Ordinal) &&
        (exchange.Call.Path.Length == RouteTable.ResourceMetadataPath.Length || exchange.Call.Path[RouteTable.ResourceMetadataPath.Length] == '/') &&
        (HttpMethods.IsGet(exchange.Context.Request.Method) || HttpMethods.IsHead(exchange.Context.Request.Method));

    /// <summary>Where the metadata of what was called is.</summary>
    public static string AddressFor(Exchange exchange)
    {
        var path = exchange.Call.Path is "/" or null ? "" : exchange.Call.Path.Replace("\"", "%22");
        return $"{PublicAddress.Origin(exchange)}{RouteTable.ResourceMetadataPath}{path}";
    }

    public static Task WriteAsync(Exchange exchange)
    {
        exchange.Outcome = "ok";
        var path = exchange.Call.Path[RouteTable.ResourceMetadataPath.Length..];
        var document = Document(exchange, path);
        var response = exchange.Context.Response;
        OwnHeaders.Write(exchange, response.Headers);
        response.ContentType = "application/json";
        response.Headers.CacheControl = "public, max-age=300";
        response.Headers.AccessControlAllowOrigin = "*";
        response.ContentLength = document.Length;
        return HttpMethods.IsHead(exchange.Context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(document).AsTask();
    }

    private static byte[] Document(Exchange exchange, string path)
    {
        Route[] routes = Find(exchange, path.Length == 0 ? "/" : path) is { } route ? [route] : path.Length == 0 ? exchange.Policy.Routes.Routes : [];
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("resource", PublicAddress.Origin(exchange) + path);
            Write(json, "authorization_servers", [.. (routes.Length > 0 ? routes : exchange.Policy.Routes.Routes).SelectMany(one => one.Providers).Select(provider => provider.DiscoveredIssuer).OfType<string>().Distinct()]);
            Write(json, "scopes_supported", [.. routes.SelectMany(one => one.Scopes.Concat(one.AllowedScopes)).Distinct()]);
            Write(json, "bearer_methods_supported", ["header"]);
            Write(json, "dpop_signing_alg_values_supported", PublicJwk.SignatureAlgorithms);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static Route? Find(Exchange exchange, string path)
    {
        foreach (var method in Methods)
        {
            var captures = default(Captures);
            if (exchange.Policy.Routes.TryMatch(exchange.Call.Host, method, path, "", out var route, ref captures, exchange) && route.Providers.Length > 0) return route;
        }

        return null;
    }

    // RFC 9728 §3.2: members without a value are left out.
    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        if (values.Count == 0) return;
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
