using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Tollgate.Identity.OAuth.Protocol;

/// <summary>The parameters of a request (RFC 6749 §3.1, §3.2): none twice, those without a value as if they were not there.</summary>
internal sealed class Parameters
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    /// <summary>The one parameter that may be there more than once (RFC 8707 §2).</summary>
    private const string Resource = "resource";

    private readonly HashSet<string> _repeated = new(StringComparer.Ordinal);
    private readonly List<string> _resources = [];

    private Parameters(string encoded)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pair in encoded.Split('&', InputLimits.Parameters + 1, StringSplitOptions.RemoveEmptyEntries))
        {
            if (seen.Count == InputLimits.Parameters)
            {
                Wrong ??= "There are too many parameters.";
                break;
            }

            var equals = pair.IndexOf('=');
            var name = WebUtility.UrlDecode(equals < 0 ? pair : pair[..equals]);
            var value = equals < 0 ? "" : WebUtility.UrlDecode(pair[(equals + 1)..]);
            if (name == Resource && value.Length is > 0 and <= InputLimits.RedirectUri && !value.Any(char.IsControl))
            {
                seen.Add(name);
                if (_resources.Count == InputLimits.Resources) Wrong ??= "There are too many resources.";
                else _resources.Add(value);
            }
            else if (!seen.Add(name)) _repeated.Add(name);
            else if (value.Any(char.IsControl)) Wrong ??= "A parameter holds control characters.";
            else if (value.Length > 0) _values[name] = value;
        }

        if (_repeated.Count > 0) Wrong = "A parameter is there twice.";
        else if (Wrong is null && InputLimits.TooLong(this) is { } name) Wrong = $"{name} is too long.";
    }

    /// <summary>What is wrong with them as a whole, whatever they mean.</summary>
    public string? Wrong { get; }

    public string? this[string name] => _values.GetValueOrDefault(name);

    public IReadOnlyList<string> Resources => _resources;

    /// <summary>All of them, form-encoded again.</summary>
    public string Encode(params string[] without) => string.Join('&', _values.Concat(_resources.Select(r => KeyValuePair.Create(Resource, r)))
        .Where(p => !without.Contains(p.Key)).Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}"));

    public bool IsRepeated(string name) => _repeated.Contains(name);

    public static Parameters OfQuery(HttpRequest request) => new(request.QueryString.Value is [_, .. var rest] ? rest : "");

    public static Parameters Parse(string encoded) => new(encoded);

    /// <summary>Reads a form body. Null when it is no form, or too large to be one of ours.</summary>
    public static async Task<Parameters?> ReadFormAsync(HttpContext http, CancellationToken cancel)
    {
        if (!IsForm(http.Request) || http.Request.ContentLength > InputLimits.FormBytes) return null;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = InputLimits.FormBytes;
        try
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, cancel);
            return new Parameters(Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length));
        }
        catch (BadHttpRequestException)
        {
            return null;
        }
    }

    private static bool IsForm(HttpRequest request) =>
        request.ContentType?.Split(';')[0].Trim().Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true;
}
