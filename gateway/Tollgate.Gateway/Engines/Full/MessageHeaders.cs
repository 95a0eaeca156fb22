using System.Collections.Frozen;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Policy.Transforms;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Changes headers of what is sent on and of what is answered, as a route says.</summary>
internal static class MessageHeaders
{
    // These belong to a content (RFC 9110 §8), and HttpClient keeps them there.
    private static readonly FrozenSet<string> OfContent = new[]
    {
        "Allow", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-MD5", "Content-Range",
        "Content-Type", "Expires", "Last-Modified",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static void Remove(HttpRequestMessage message, string name) => Of(message, name)?.Remove(name);

    public static string[]? Values(HttpRequestMessage message, string name) =>
        Of(message, name) is { } headers && headers.NonValidated.TryGetValues(name, out var values) ? [.. values] : null;

    /// <param name="destination">Scheme and authority that answered.</param>
    public static void Transform(IHeaderDictionary answer, HeaderTransform[] transforms, string destination, in HeaderFacts facts)
    {
        foreach (var transform in transforms)
        {
            if (!transform.IsReplacement)
            {
                if (!answer.ContainsKey(transform.Name) && transform.Value(in facts) is { } value) answer[transform.Name] = value;
                continue;
            }

            if (!answer.TryGetValue(transform.Name, out var values) || values.Count == 0) continue;
            string?[] changed = [.. values];
            changed[0] = transform.Replace(changed[0] ?? "", destination, in facts);
            answer[transform.Name] = changed;
        }
    }

    private static HttpHeaders? Of(HttpRequestMessage message, string name) => OfContent.Contains(name) ? message.Content?.Headers : message.Headers;
}
