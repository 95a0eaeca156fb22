using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Registration;

/// <summary>
/// Lets programs register themselves (RFC 7591): <c>POST /connect/register</c>, with an initial access token that the operator hands out; and each look
/// at, change and end its own registration (RFC 7592) below it, with a token that it was given then. People are always asked before such a client acts for them.
/// </summary>
internal sealed class RegistrationEndpoint(
    IdentityDb db, ClientService clients, ClientCache cache, TokenLimits limits, AuditLog audit, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    private const string InvalidMetadata = "invalid_client_metadata";

    public static Task<IResult> HandleAsync(HttpContext http, RegistrationEndpoint endpoint, CancellationToken cancel) => endpoint.RegisterAsync(http, cancel);

    public static Task<IResult> ReadAsync(string client, HttpContext http, RegistrationEndpoint endpoint, CancellationToken cancel) => endpoint.OfAsync(client, http,
        (own, token) => Task.FromResult(OAuthAnswers.Json(http, ClientMetadata.Of(own, token, endpoint.Address(own), null))), cancel);

    public static Task<IResult> ChangeAsync(string client, HttpContext http, RegistrationEndpoint endpoint, CancellationToken cancel) =>
        endpoint.OfAsync(client, http, (own, token) => endpoint.ChangeAsync(http, own, token, cancel), cancel);

    public static Task<IResult> EndAsync(string client, HttpContext http, RegistrationEndpoint endpoint, CancellationToken cancel) =>
        endpoint.OfAsync(client, http, (own, _) => endpoint.EndAsync(http, own, cancel), cancel);

    private async Task<IResult> RegisterAsync(HttpContext http, CancellationToken cancel)
    {
        if (!IsInvited(Bearer(http))) return NotLetIn(http, "registration");
        var (wish, allowed, refusal) = await ReadWishAsync(http, cancel);
        if (wish is null) return Refuse(http, refusal!);

        var (now, token) = (time.GetUtcNow(), Secrets.New());
        var client = new OAuthClient
        {
            ClientId = "dcr_" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)), Name = wish.Name, RegistrationSha256 = Secrets.Sha256(token), Created = now,
        };
        ClientMetadata.Write(wish, client, allowed);
        db.Add(client);
        var secret = HasSecret(client) ? AddSecret(client) : null;
        await audit.AddAsync(db, "client.registered", client.ClientId);
        await db.SaveChangesAsync(cancel);
        return OAuthAnswers.Json(http, ClientMetadata.Of(client, token, Address(client), secret), StatusCodes.Status201Created);
    }

    /// <summary>Whoever has the token of a registration goes on with it. Unknown ones, and those that are over, answer like a wrong token (RFC 7592 §2.1).</summary>
    private async Task<IResult> OfAsync(string id, HttpContext http, Func<OAuthClient, string, Task<IResult>> goOn, CancellationToken cancel)
    {
        var token = Bearer(http);
        var client = token is null || id.Length > InputLimits.ClientId || id.Any(char.IsControl) ? null
            : await db.OAuthClients.Include(c => c.Secrets).SingleOrDefaultAsync(c => c.ClientId == id && c.DeletedAt == null && c.RegistrationSha256 != null, cancel);
        if (client is null || !Secrets.Same(client.RegistrationSha256!, Secrets.Sha256(token!))) return NotLetIn(http, id);
        if (client.DisabledAt is not null) return OAuthAnswers.Refuse(http, new OAuthRefusal("access_denied", "The operator has disabled this client.", StatusCodes.Status403Forbidden));
        return await goOn(client, token!);
    }

    private async Task<IResult> ChangeAsync(HttpContext http, OAuthClient client, string token, CancellationToken cancel)
    {
        var (wish, allowed, refusal) = await ReadWishAsync(http, cancel);
        if (wish is null) return Refuse(http, refusal!);
        if (wish.ClientId != client.ClientId) return Refuse(http, new OAuthRefusal(InvalidMetadata, "client_id is missing, or another client's."));
        if (wish.NamesOurs is { } ours) return Refuse(http, OAuthRefusal.InvalidRequest($"{ours} is the server's to say."));
        var now = time.GetUtcNow();
        if (wish.Secret is { } told && !client.Secrets.Exists(s => s.IsLive(now) && Secrets.Same(s.Sha256, Secrets.Sha256(told))))
            return Refuse(http, new OAuthRefusal(InvalidMetadata, "client_secret is not the client's: a client does not choose it."));

        ClientMetadata.Write(wish, client, allowed);
        client.Version++;
        string? secret = null;
        if (!HasSecret(client)) db.RemoveRange(client.Secrets);
        else if (!client.Secrets.Exists(s => s.IsLive(now))) secret = AddSecret(client);
        await audit.AddAsync(db, "client.changed", client.ClientId);
        try
        {
            await db.SaveChangesAsync(cancel);
        }
        catch (DbUpdateConcurrencyException)
        {
            return Refuse(http, new OAuthRefusal(InvalidMetadata, "The registration was changed at the same moment. Read it again.", StatusCodes.Status409Conflict));
        }

        cache.Forget(client.ClientId);
        return OAuthAnswers.Json(http, ClientMetadata.Of(client, token, Address(client), secret));
    }

    private async Task<IResult> EndAsync(HttpContext http, OAuthClient client, CancellationToken cancel)
    {
        await clients.EndAsync(client, cancel);
        OAuthAnswers.NoStore(http);
        return Results.NoContent();
    }

    private async Task<(RegistrationWish? Wish, IReadOnlyList<string> Allowed, OAuthRefusal? Refusal)> ReadWishAsync(HttpContext http, CancellationToken cancel)
    {
        if (await ReadAsync(http, cancel) is not { } body) return (null, [], new OAuthRefusal(InvalidMetadata, "Send a JSON object of at most 64 KiB."));
        var wish = new RegistrationWish(body);
        var known = await db.OAuthScopes.Select(s => s.Name).ToListAsync(cancel);
        IReadOnlyList<string> allowed = [.. options.Value.Registration.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Intersect(known), .. StandardScopes.All];
        return wish.WhatIsWrong(allowed, options.Value.IsHttps) is (string error, var sentence) ? (null, allowed, new OAuthRefusal(error, sentence!)) : (wish, allowed, null);
    }

    private static string? Bearer(HttpContext http) =>
        http.Request.Headers.Authorization is [{ } header] && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null;

    private bool IsInvited(string? shown)
    {
        if (shown is null) return false;
        var registration = options.Value.Registration;
        var digest = Secrets.Sha256(shown);
        var isRight = registration.Token is { Length: > 0 } token && Secrets.Same(Secrets.Sha256(token), digest);
        foreach (var one in registration.TokenSha256.Values) isRight |= Secrets.Same(one.ToLowerInvariant(), digest);
        return isRight;
    }

    private IResult NotLetIn(HttpContext http, string what)
    {
        if (limits.Failure(http.Connection.RemoteIpAddress, what) is { } wait) return OAuthAnswers.Refuse(http, OAuthRefusal.TooMany(wait));
        OAuthAnswers.NoStore(http);
        http.Response.Headers.WWWAuthenticate = "Bearer realm=\"tollgate\"" + (http.Request.Headers.Authorization.Count > 0 ? ", error=\"invalid_token\"" : "");
        return Results.StatusCode(StatusCodes.Status401Unauthorized);
    }

    private static async Task<JsonElement?> ReadAsync(HttpContext http, CancellationToken cancel)
    {
        if (http.Request.ContentType?.Split(';')[0].Trim().Equals("application/json", StringComparison.OrdinalIgnoreCase) != true
            || http.Request.ContentLength > InputLimits.FormBytes) return null;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = InputLimits.FormBytes;
        try
        {
            using var json = await JsonDocument.ParseAsync(http.Request.Body, new JsonDocumentOptions { MaxDepth = 16 }, cancel);
            return json.RootElement.ValueKind == JsonValueKind.Object ? json.RootElement.Clone() : null;
        }
        catch (Exception bad) when (bad is JsonException or BadHttpRequestException)
        {
            return null;
        }
    }

    private string Address(OAuthClient client) => $"{options.Value.IssuerName.TrimEnd('/')}{OAuthPaths.Registration}/{client.ClientId}";

    private static bool HasSecret(OAuthClient client) => client.RegisteredMethod!.StartsWith("client_secret", StringComparison.Ordinal);

    private string AddSecret(OAuthClient client)
    {
        var (secret, now) = (Secrets.New(), time.GetUtcNow());
        db.Add(new OAuthClientSecret { Id = Guid.CreateVersion7(now), ClientId = client.ClientId, Sha256 = Secrets.Sha256(secret), LastFour = secret[^4..], Created = now });
        return secret;
    }

    private static IResult Refuse(HttpContext http, OAuthRefusal refusal) => OAuthAnswers.Refuse(http, refusal);
}
