using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Tokens of a provider with a shared secret, and the block of a file that names it <c>Key1</c>.</summary>
internal static class Tokens
{
    private const string Secret = "a secret of tests, which is at least 32 bytes";

    public const string Provider = $$"""
        "Tollgate": { "Authentication": { "Providers": { "Key1": { "HS256Secret": "{{Secret}}" } } } }
        """;

    public const string Demanded = "\"AuthenticationOptions\": { \"AuthenticationProviderKeys\": [ \"Key1\" ] }";

    public static (string Name, string Value) Bearer(object claims) => ("Authorization", $"Bearer {Of(claims)}");

    public static string Of(object claims)
    {
        var payload = JsonSerializer.SerializeToNode(claims)!.AsObject();
        payload["exp"] ??= DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds();
        var signed = $"{Encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}")}.{Encode(payload.ToJsonString())}";
        return $"{signed}.{Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.ASCII.GetBytes(signed))).TrimEnd('=').Replace('+', '-').Replace('/', '_')}";
    }

    private static string Encode(string json) => Convert.ToBase64String(Encoding.UTF8.GetBytes(json)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
