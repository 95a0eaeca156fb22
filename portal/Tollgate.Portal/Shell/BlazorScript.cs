using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Tollgate.Portal.Shell;

/// <summary>Blazor's browser script, embedded at build (see BlazorScript.targets). Its address carries its digest, so browsers keep it for ever.</summary>
internal static class BlazorScript
{
    private const string Route = "/_framework/blazor.web.js";

    private static readonly byte[] Plain = Read();
    private static readonly string Digest = Convert.ToHexStringLower(SHA256.HashData(Plain))[..16];
    private static readonly Lazy<byte[]> Brotli = new(Compress);

    public static string Path { get; } = $"{Route}?v={Digest}";

    public static void MapBlazorScript(this IEndpointRouteBuilder endpoints) => endpoints.MapGet(Route, Serve).AllowAnonymous().ExcludeFromDescription();

    private static IResult Serve(HttpContext http)
    {
        var asked = http.Request.Query["v"] == Digest;
        http.Response.Headers.CacheControl = asked ? "public, max-age=31536000, immutable" : "no-cache";
        http.Response.Headers.Vary = HeaderNames.AcceptEncoding;
        var brotli = http.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.Ordinal);
        if (brotli) http.Response.Headers.ContentEncoding = "br";
        return TypedResults.Bytes(brotli ? Brotli.Value : Plain, "text/javascript; charset=utf-8",
            entityTag: new EntityTagHeaderValue($"\"{Digest}{(brotli ? "-br" : "")}\""));
    }

    private static byte[] Read()
    {
        using var resource = typeof(BlazorScript).Assembly.GetManifestResourceStream("blazor.web.js")
            ?? throw new InvalidOperationException("The portal was built without Blazor's script: see BlazorScript.targets.");
        using var memory = new MemoryStream();
        resource.CopyTo(memory);
        return memory.ToArray();
    }

    private static byte[] Compress()
    {
        using var memory = new MemoryStream();
        using (var brotli = new BrotliStream(memory, CompressionLevel.Optimal))
            brotli.Write(Plain);
        return memory.ToArray();
    }
}
