using System.Buffers.Text;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Tollgate.Identity.External;

/// <summary>One other issuer, as a client of it: authorization code with PKCE, and an ID token that is believed only when everything about it fits.</summary>
internal sealed class ExternalIssuer : IDisposable
{
    private const int MostAnswerBytes = 256 * 1024;
    private const string AuthTime = "auth_time";
    private const int AnyAgeSeconds = 30 * 86_400;
    private const long MostSeconds = 253_402_300_800;
    private static readonly JsonWebTokenHandler Tokens = new() { MapInboundClaims = false };
    private readonly ExternalProviderOptions _options;
    private readonly HttpClient _http;
    private readonly ConfigurationManager<OpenIdConnectConfiguration> _metadata;

    public ExternalIssuer(string name, ExternalProviderOptions options)
    {
        (Name, _options) = (name, options);
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(10) })
        {
            Timeout = TimeSpan.FromSeconds(10), MaxResponseContentBufferSize = MostAnswerBytes,
        };
        _metadata = new ConfigurationManager<OpenIdConnectConfiguration>(options.Authority.TrimEnd('/') + "/.well-known/openid-configuration",
            new OpenIdConnectConfigurationRetriever(), new HttpDocumentRetriever(_http) { RequireHttps = !new Uri(options.Authority).IsLoopback });
    }

    public string Name { get; }

    public string Title => _options.Title ?? Name;

    /// <summary>Where the person's browser is led.</summary>
    public async Task<string> AddressAsync(ExternalQuestion question, string redirectUri, CancellationToken cancel)
    {
        var metadata = await _metadata.GetConfigurationAsync(cancel);
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(question.Verifier)));
        var query = Form(("response_type", "code"), ("client_id", _options.ClientId), ("redirect_uri", redirectUri), ("scope", "openid email profile"),
            ("state", question.State), ("nonce", question.Nonce), ("code_challenge", challenge), ("code_challenge_method", "S256"));
        if (question.Wish.Hint is { } hint) query += "&" + Form(("login_hint", hint));
        if (question.Wish.MaxAgeSeconds == 0) query += "&prompt=login";
        // Who says when a person signed in says so always where a limit is set (OIDC Core §2): then a session here is no fresher than theirs.
        var maxAge = question.Wish.MaxAgeSeconds ?? (metadata.ClaimsSupported.Contains(AuthTime) ? AnyAgeSeconds : (int?)null);
        if (maxAge is { } seconds) query += "&max_age=" + seconds.ToString(CultureInfo.InvariantCulture);
        return metadata.AuthorizationEndpoint + (metadata.AuthorizationEndpoint.Contains('?') ? "&" : "?") + query;
    }

    /// <summary>Who it is; null when the issuer's answer cannot be believed.</summary>
    /// <param name="iss">Who answers, where it says so (RFC 9207).</param>
    public async Task<ExternalPerson?> RedeemAsync(string code, string? iss, ExternalQuestion question, string redirectUri, CancellationToken cancel)
    {
        var metadata = await _metadata.GetConfigurationAsync(cancel);
        // Who always says who they are must have said it now (RFC 9207 §2.4): else this may be another issuer's answer.
        if (iss is { Length: > 0 } ? iss != metadata.Issuer : metadata.AuthorizationResponseIssParameterSupported) return null;
        using var request = new HttpRequestMessage(HttpMethod.Post, metadata.TokenEndpoint);
        List<(string, string)> form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectUri), ("code_verifier", question.Verifier)];
        if (_options.ClientSecret is not { Length: > 0 } secret) form.Add(("client_id", _options.ClientId));
        else if (metadata.TokenEndpointAuthMethodsSupported.Count == 0 || metadata.TokenEndpointAuthMethodsSupported.Contains("client_secret_basic"))
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic",
                Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(_options.ClientId)}:{Uri.EscapeDataString(secret)}")));
        else form.AddRange([("client_id", _options.ClientId), ("client_secret", secret)]);
        request.Content = new StringContent(Form([.. form]), Encoding.ASCII, "application/x-www-form-urlencoded");
        using var answer = await _http.SendAsync(request, cancel);
        if (!answer.IsSuccessStatusCode) return null;
        using var json = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancel));
        if (!json.RootElement.TryGetProperty("id_token", out var token) || token.ValueKind != JsonValueKind.String
            || await BelieveAsync(token.GetString()!, question.Nonce, metadata) is not { } person)
            return null;
        return person.Email is null && json.RootElement.TryGetProperty("access_token", out var access) && access.ValueKind == JsonValueKind.String
            ? await AskAsync(person, access.GetString()!, metadata, cancel)
            : person;
    }

    public void Dispose() => _http.Dispose();

    private async Task<ExternalPerson?> BelieveAsync(string token, string nonce, OpenIdConnectConfiguration metadata)
    {
        var result = await Tokens.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAudience = _options.ClientId,
            // Issuers of many tenants write the tenant into the name, and the token says which.
            IssuerValidator = (issuer, read, _) => issuer == Fill(metadata.Issuer, read) ? issuer : throw new SecurityTokenInvalidIssuerException("Another issuer."),
            IssuerSigningKeys = metadata.SigningKeys,
            ValidAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"],
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            ClockSkew = TimeSpan.FromSeconds(30),
        });
        if (!result.IsValid)
        {
            if (result.Exception is SecurityTokenSignatureKeyNotFoundException) _metadata.RequestRefresh();
            return null;
        }

        var claims = result.ClaimsIdentity;
        if (claims.FindFirst("nonce")?.Value != nonce || claims.FindFirst("sub")?.Value is not { Length: > 0 and <= 255 } subject) return null;
        if (claims.FindAll("aud").Count() > 1 && claims.FindFirst("azp")?.Value != _options.ClientId) return null;
        var isVerified = string.Equals(claims.FindFirst("email_verified")?.Value, "true", StringComparison.OrdinalIgnoreCase);
        return new ExternalPerson(subject, claims.FindFirst("email")?.Value, isVerified)
        {
            SignedInAt = long.TryParse(claims.FindFirst(AuthTime)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at < MostSeconds ? DateTimeOffset.FromUnixTimeSeconds(at) : null,
        };
    }

    /// <summary>Issuers may keep the address for their userinfo endpoint (OIDC Core §5.4). What is said there of somebody else counts for nothing (§5.3.2).</summary>
    private async Task<ExternalPerson> AskAsync(ExternalPerson person, string accessToken, OpenIdConnectConfiguration metadata, CancellationToken cancel)
    {
        if (metadata.UserInfoEndpoint is not { Length: > 0 }) return person;
        using var request = new HttpRequestMessage(HttpMethod.Get, metadata.UserInfoEndpoint);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        using var answer = await _http.SendAsync(request, cancel);
        if (!answer.IsSuccessStatusCode) return person;
        using var json = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancel));
        if (json.RootElement.ValueKind != JsonValueKind.Object || Text("sub") != person.Subject) return person;
        var isVerified = json.RootElement.TryGetProperty("email_verified", out var told)
            && (told.ValueKind == JsonValueKind.True || (told.ValueKind == JsonValueKind.String && told.GetString() == "true"));
        return person with { Email = Text("email"), EmailVerified = isVerified };

        string? Text(string name) => json.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    private static string Fill(string issuer, SecurityToken token) =>
        issuer.Contains("{tenantid}", StringComparison.Ordinal) && token is JsonWebToken read && read.TryGetPayloadValue<string>("tid", out var tenant) && Guid.TryParse(tenant, out _)
            ? issuer.Replace("{tenantid}", tenant, StringComparison.Ordinal)
            : issuer;

    private static string Form(params (string Name, string Value)[] fields) =>
        string.Join('&', fields.Select(f => $"{f.Name}={Uri.EscapeDataString(f.Value)}"));
}

/// <summary>What must be the same when the answer comes.</summary>
/// <param name="LinkTo">The account that asks for another way to sign in; null = somebody signs in.</param>
internal sealed record ExternalQuestion(
    string Provider, string State, string Nonce, string Verifier, string? ReturnUrl, Guid? LinkTo, ExternalWish Wish, DateTimeOffset Asked);

/// <summary>What is wanted of another issuer beyond a name.</summary>
/// <param name="Hint">Who it may be (<c>login_hint</c>).</param>
/// <param name="MaxAgeSeconds">How long ago, from the moment of asking, the person may have signed in there; 0 = they are to be asked again, null = at any time.</param>
internal sealed record ExternalWish(string? Hint, int? MaxAgeSeconds)
{
    public static readonly ExternalWish None = new(null, null);
}

/// <summary>Whom the issuer names.</summary>
/// <param name="EmailVerified">The issuer says that the address is theirs.</param>
internal sealed record ExternalPerson(string Subject, string? Email, bool EmailVerified)
{
    /// <summary>When they signed in there; null = the issuer does not say.</summary>
    public DateTimeOffset? SignedInAt { get; init; }
}
