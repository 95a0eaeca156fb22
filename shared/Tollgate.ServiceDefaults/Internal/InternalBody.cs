using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Tollgate.ServiceDefaults.Internal;

/// <summary>What a gateway posts to the control plane, as one document of JSON.</summary>
public static class InternalBody
{
    /// <summary>Null = it is no such document, or larger than the endpoint takes.</summary>
    public static async Task<T?> ReadAsync<T>(HttpContext http, JsonTypeInfo<T> type, CancellationToken cancel) where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(http.Request.Body, type, cancel);
        }
        catch (Exception wrong) when (wrong is JsonException or BadHttpRequestException)
        {
            return null;
        }
    }
}
