namespace Tollgate.Identity.OAuth.Protocol;

/// <summary>How long what a client sends may be.</summary>
internal static class InputLimits
{
    public const int FormBytes = 64 * 1024;

    /// <summary>The longest address that a request within these limits comes to, however it must be escaped.</summary>
    public const int Address = 24 * 1024;

    /// <summary>The first line of a request whose query holds such an address, escaped once more: on its way to the sign-in page and back.</summary>
    public const int RequestLine = 2 * Address;
    public const int Parameters = 64;
    public const int Resources = 8;
    public const int ClientId = 100;
    public const int Secret = 100;
    public const int Scope = 300;
    public const int RedirectUri = 400;
    public const int Nonce = 300;
    public const int State = 2048;
    public const int Handle = 100;
    public const int Jwt = ServiceDefaults.Jose.CompactJwt.Longest;

    private static readonly (string Name, int Length)[] ByName =
    [
        ("client_id", ClientId), ("client_secret", Secret), ("scope", Scope), ("redirect_uri", RedirectUri), ("nonce", Nonce), ("state", State),
        ("code", Handle), ("refresh_token", Handle), ("grant_type", 100), ("response_type", 100), ("response_mode", 100), ("prompt", 100),
        ("code_challenge", 128), ("code_challenge_method", 20), ("resource", RedirectUri), ("post_logout_redirect_uri", RedirectUri),
        ("client_assertion", Jwt), ("token", Jwt), ("id_token_hint", Jwt), ("login_hint", 254), ("ui_locales", 100), ("acr_values", 300), ("max_age", 20),
        ("code_verifier", 128), ("request_uri", 300), ("dpop_jkt", 64), ("device_code", Handle), ("user_code", 32), ("logout_hint", 254), ("token_type_hint", 100),
    ];

    /// <summary>The first parameter that is longer than it may be.</summary>
    public static string? TooLong(Parameters parameters)
    {
        foreach (var (name, length) in ByName)
            if (parameters[name]?.Length > length) return name;
        return null;
    }
}
