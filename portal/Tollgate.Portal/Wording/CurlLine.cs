namespace Tollgate.Portal.Wording;

/// <summary>The line a developer pastes into a shell. Everything that came from people is quoted so that no shell takes it for a command.</summary>
internal static class CurlLine
{
    /// <summary>What stands where the key goes while there is none to show.</summary>
    public const string KeyPlace = "YOUR_KEY";

    public static string Get(string gatewayUrl, string path, string? key = null) => Of("GET", gatewayUrl, path, key);

    public static string Of(string method, string gatewayUrl, string path, string? key = null, string? jsonBody = null)
    {
        var line = "curl ";
        if (method != "GET") line += $"-X {method} ";
        line += $"-H {Quote($"X-Api-Key: {key ?? KeyPlace}")} ";
        if (jsonBody is not null) line += $"-H 'Content-Type: application/json' -d {Quote(jsonBody)} ";
        return line + Quote(gatewayUrl.TrimEnd('/') + "/" + path.TrimStart('/'));
    }

    private static string Quote(string text) => "'" + text.Replace("'", "'\\''") + "'";
}
