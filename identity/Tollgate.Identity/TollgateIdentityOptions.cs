using Microsoft.Extensions.Options;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.External;
using Tollgate.Identity.OAuth.CleanUp;
using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Registration;

namespace Tollgate.Identity;

/// <summary>What can be told to identity: <c>Identity:PublicUrl</c> and so on.</summary>
public sealed class TollgateIdentityOptions
{
    public const string Section = "Identity";

    /// <summary>Where people reach these pages. Links in mails begin with it; no header of a request ever decides that.</summary>
    public string PublicUrl { get; set; } = "http://localhost:8090";

    /// <summary>The platform admin who is made at the first start.</summary>
    public string AdminEmail { get; set; } = "admin@tollgate.local";

    /// <summary>Their password; when it is not told, one is made and printed once.</summary>
    public string? AdminPassword { get; set; }

    /// <summary>A PKCS#12 file whose key protects the key ring, in the shared database or in the data folder.</summary>
    public string? KeyRingCertificate { get; set; }

    public string? KeyRingCertificatePassword { get; set; }

    public AccountLimitOptions Limits { get; set; } = new();

    /// <summary>Who signs the tokens, as they say in <c>iss</c>; <see cref="PublicUrl"/> unless told otherwise. No header of a request ever decides that.</summary>
    public string? Issuer { get; set; }

    /// <summary>Takes an issuer on http that is not this very machine: for a closed network where something else keeps others from listening.</summary>
    public bool AllowHttpIssuer { get; set; }

    /// <summary>A JSON file of users, scopes and clients that are made at start.</summary>
    public string? Bootstrap { get; set; }

    /// <summary>How long an access token lives: at most an hour.</summary>
    public int AccessTokenLifetimeSeconds { get; set; } = 900;

    /// <summary>How long a code waits to be redeemed: 1 to 600 seconds.</summary>
    public int CodeLifetimeSeconds { get; set; } = 60;

    /// <summary>How long an ID token may be shown: at most an hour.</summary>
    public int IdTokenLifetimeSeconds { get; set; } = 300;

    /// <summary>How long a refresh token waits for its use.</summary>
    public int RefreshTokenLifetimeSeconds { get; set; } = 14 * 24 * 3600;

    /// <summary>How long refreshing may go on after the person agreed.</summary>
    public int RefreshTokenAbsoluteLifetimeSeconds { get; set; } = 30 * 24 * 3600;

    /// <summary>Other issuers that people may sign in with, by name.</summary>
    public Dictionary<string, ExternalProviderOptions> External { get; init; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>For how long a refresh token that was used may be used again, by a client that lost the answer: 0 to 10 seconds. 0 = never.</summary>
    public int RefreshTokenLeewaySeconds { get; set; }

    /// <summary>How long a pushed authorization request waits for its use: 5 to 600 seconds.</summary>
    public int PushedRequestLifetimeSeconds { get; set; } = 90;

    /// <summary>All clients must push their authorization requests (RFC 9126 §5), whatever is said of each.</summary>
    public bool PushedRequestsRequired { get; set; }

    /// <summary>For how many days a person may have a browser remembered, in which no code of the second factor is asked for: 0 to 365. 0 = never.</summary>
    public int RememberDeviceDays { get; set; } = 30;

    /// <summary>How long a device may wait for a person: 1 to 1800 seconds.</summary>
    public int DeviceCodeLifetimeSeconds { get; set; } = 600;

    /// <summary>How often a device may ask meanwhile.</summary>
    public int DevicePollSeconds { get; set; } = 5;

    /// <summary>How far ahead a client's assertion may expire.</summary>
    public int ClientAssertionMaxLifetimeSeconds { get; set; } = 600;

    /// <summary>A client's assertion names the issuer as its audience, and nothing else. False: the token endpoint's address will do too.</summary>
    public bool StrictClientAssertionAudience { get; set; } = true;

    /// <summary>DPoP proofs must carry a nonce of this server (RFC 9449 §8).</summary>
    public bool DpopNonceRequired { get; set; }

    /// <summary>Clients of applications may have access tokens that say nothing themselves. Only where the gateways ask this server about tokens: others refuse those.</summary>
    public bool ReferenceTokensForApplications { get; set; }

    /// <summary>
    /// Clients of applications, and those that registered themselves, may be told of the end of sessions at addresses of private networks too. Else those are not
    /// called, so that no customer makes this server knock at doors behind it; an issuer on a loopback address is a developer's machine and has none to protect.
    /// </summary>
    public bool BackChannelIntoPrivateNetworks { get; set; }

    public TokenLimitOptions TokenLimits { get; set; } = new();

    public RegistrationOptions Registration { get; set; } = new();

    public CleanUpOptions CleanUp { get; set; } = new();

    public SigningKeyOptions SigningKeys { get; set; } = new();

    /// <summary>What tokens say in <c>iss</c>.</summary>
    public string IssuerName => Issuer is { Length: > 0 } told ? told : PublicUrl.TrimEnd('/');

    /// <summary>The path below which the endpoints are: empty, or <c>/like/this</c>.</summary>
    internal string IssuerPath => new Uri(IssuerName).AbsolutePath.TrimEnd('/');

    internal Uri PublicUri => new(PublicUrl.TrimEnd('/') + "/");

    /// <summary>Whether everybody who has clients here may have any address called.</summary>
    internal bool CallsAnywhere => BackChannelIntoPrivateNetworks || new Uri(IssuerName).IsLoopback;

    internal bool IsHttps => PublicUri.Scheme == Uri.UriSchemeHttps;
}

internal sealed class TollgateIdentityOptionsValidator : IValidateOptions<TollgateIdentityOptions>
{
    public ValidateOptionsResult Validate(string? name, TollgateIdentityOptions options)
    {
        var wrong = new List<string>();
        if (!Uri.TryCreate(options.PublicUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")
            || url.Query.Length > 0 || url.Fragment.Length > 0 || url.AbsolutePath != "/")
            wrong.Add("Identity:PublicUrl is the address that people type, scheme and host alone, such as https://developers.example.com.");
        if (EmailAddresses.WhatIsWrongWith(options.AdminEmail) is not null)
            wrong.Add("Identity:AdminEmail is an e-mail address, such as admin@example.com.");
        if (options.AdminPassword is { Length: > 0 } password && PasswordRules.WhatIsWrongWith(password, options.AdminEmail) is { } sentence)
            wrong.Add("Identity:AdminPassword is not good enough: " + sentence);
        if (options.KeyRingCertificate is { Length: > 0 } file && !File.Exists(file))
            wrong.Add($"Identity:KeyRingCertificate names a file that is not there: {file}.");
        if (options.Issuer is { Length: > 0 } issuer && (!Uri.TryCreate(issuer, UriKind.Absolute, out var at) || at.Scheme is not ("http" or "https")
            || issuer.Length > 160 || issuer.AsSpan().ContainsAny("?#\\{} ") || at.UserInfo.Length > 0))
            wrong.Add("Identity:Issuer is an http or https address without query and fragment, such as https://login.example.com.");
        else if (!options.AllowHttpIssuer && Uri.TryCreate(options.IssuerName, UriKind.Absolute, out var told) && told.Scheme == "http" && !IsThisMachine(told))
            wrong.Add($"{options.IssuerName} is on http: tokens and passwords would cross the network for everybody to read. Set Identity:{(options.Issuer is { Length: > 0 } ? "Issuer" : "PublicUrl")} to an https address "
                + "(RFC 8414), or say Identity:AllowHttpIssuer=true where the network is closed.");
        if (options.AccessTokenLifetimeSeconds is < 1 or > 3600) wrong.Add("Identity:AccessTokenLifetimeSeconds is 1 to 3600.");
        if (options.CodeLifetimeSeconds is < 1 or > 600) wrong.Add("Identity:CodeLifetimeSeconds is 1 to 600.");
        wrong.AddRange(options.External.Select(e => e.Value.WhatIsWrong(e.Key)).OfType<string>());
        if (options.IdTokenLifetimeSeconds is < 1 or > 3600) wrong.Add("Identity:IdTokenLifetimeSeconds is 1 to 3600.");
        if (options.RefreshTokenLifetimeSeconds < 1 || options.RefreshTokenAbsoluteLifetimeSeconds < 1)
            wrong.Add("Identity:RefreshTokenLifetimeSeconds and Identity:RefreshTokenAbsoluteLifetimeSeconds are 1 or more; the shorter one counts.");
        if (options.RefreshTokenLeewaySeconds is < 0 or > 10) wrong.Add("Identity:RefreshTokenLeewaySeconds is 0 to 10.");
        if (options.PushedRequestLifetimeSeconds is < 5 or > 600) wrong.Add("Identity:PushedRequestLifetimeSeconds is 5 to 600.");
        if (options.RememberDeviceDays is < 0 or > 365) wrong.Add("Identity:RememberDeviceDays is 0 to 365.");
        if (options.DeviceCodeLifetimeSeconds is < 1 or > 1800) wrong.Add("Identity:DeviceCodeLifetimeSeconds is 1 to 1800.");
        if (options.DevicePollSeconds is < 1 or > 60) wrong.Add("Identity:DevicePollSeconds is 1 to 60.");
        if (options.ClientAssertionMaxLifetimeSeconds is < 30 or > 3600) wrong.Add("Identity:ClientAssertionMaxLifetimeSeconds is 30 to 3600.");
        if (options.TokenLimits.WhatIsWrong() is { } rate) wrong.Add(rate);
        if (options.Registration.WhatIsWrong() is { } registration) wrong.Add(registration);
        if (options.CleanUp.WhatIsWrong() is { } cleanUp) wrong.Add(cleanUp);
        if (options.SigningKeys.WhatIsWrong() is { } life) wrong.Add(life);
        if (options.Limits.WhatIsWrong() is { } limit) wrong.Add(limit);
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    private static bool IsThisMachine(Uri uri) => uri.IsLoopback || uri.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
}
