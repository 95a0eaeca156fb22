using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>A client that has proven itself, or a public one that has said its name.</summary>
internal sealed record KnownClient(OAuthClient Client, OrganisationId? Organisation);

/// <summary>
/// Finds out which client is asking: by a secret in the header or in the body, by an assertion, or by its name alone where it is public.
/// One way at a time. Who guesses too often is told to wait; who knows the secret is never kept waiting by those.
/// </summary>
internal sealed class ClientAuthentication(IdentityDb db, ClientCache known, ClientAssertions assertions, TokenLimits limits, TokenAudit audit, TimeProvider time)
{
    private static readonly string NoSecret = Secrets.Sha256(Secrets.New());
    private static readonly OAuthRefusal TwoWays = OAuthRefusal.InvalidRequest("A client proves itself in one way, not in two.");

    /// <summary>Reads the form of an endpoint that clients call, and finds out who sent it. No form = what was sent is none, and there is nobody to speak of.</summary>
    public async Task<(Parameters? Form, KnownClient? Client, OAuthRefusal? Refusal)> ReadAsync(HttpContext http, CancellationToken cancel)
    {
        if (await Parameters.ReadFormAsync(http, cancel) is not { } form)
            return (null, null, OAuthRefusal.InvalidRequest("Send a form (application/x-www-form-urlencoded) of at most 64 KiB."));
        if (form.Wrong is { } wrong) return (null, null, OAuthRefusal.InvalidRequest(wrong));
        var (client, refusal) = await AuthenticateAsync(http.Request, form, cancel);
        return (form, client, refusal);
    }

    private async Task<(KnownClient? Client, OAuthRefusal? Refusal)> AuthenticateAsync(HttpRequest request, Parameters form, CancellationToken cancel)
    {
        var claim = Read(request, form);
        var address = request.HttpContext.Connection.RemoteIpAddress;
        if (claim.Wrong is { } wrong) return (null, wrong.Status == 401 ? Failed(claim, address, wrong) : wrong);
        if (claim.Id is not { } id) return (null, Failed(claim, address, OAuthRefusal.InvalidClient("Say which client is asking.")));
        if (limits.Request(address, id) is { } wait) return (null, OAuthRefusal.TooMany(wait));

        var client = await known.FindAsync(db, id, cancel);
        if (client is not null && await ProvesAsync(client.Client, claim, cancel))
        {
            audit.Authenticated(client, claim.Method);
            return (client, null);
        }

        return (null, Failed(claim, address, OAuthRefusal.InvalidClient()));
    }

    /// <summary>A client that may ask at all: neither deleted nor disabled, its application there, and neither that nor its organisation suspended.</summary>
    public static async Task<KnownClient?> FindAsync(IdentityDb db, string clientId, CancellationToken cancel)
    {
        if (clientId.Length > InputLimits.ClientId || clientId.Any(c => c is < ' ' or > '~')) return null;
        var client = await db.OAuthClients.AsNoTracking().Include(c => c.Secrets)
            .SingleOrDefaultAsync(c => c.ClientId == clientId && c.DeletedAt == null && c.DisabledAt == null, cancel);
        if (client is null) return null;
        if (client.Application is not { } application) return new KnownClient(client, null);

        var owner = await db.Applications.Where(a => a.Id == application && a.DeletedAt == null && a.SuspendedAt == null)
            .Join(db.Organisations.Where(o => o.SuspendedAt == null), a => a.Organisation, o => o.Id, (_, o) => new { o.Id }).SingleOrDefaultAsync(cancel);
        return owner is null ? null : new KnownClient(client, owner.Id);
    }

    private OAuthRefusal Failed(Claim claim, IPAddress? address, OAuthRefusal refusal)
    {
        if (limits.Failure(address, claim.Id) is { } wait) return OAuthRefusal.TooMany(wait);
        audit.NotAuthenticated(claim.Id, claim.Method);
        return refusal;
    }

    private async Task<bool> ProvesAsync(OAuthClient client, Claim claim, CancellationToken cancel)
    {
        if (claim.Assertion is { } assertion) return !client.IsPublic && await assertions.ProvesAsync(client, assertion, cancel);
        if (client.IsPublic) return claim.Secret is null;
        var digest = claim.Secret is null ? NoSecret : Secrets.Sha256(claim.Secret);
        var now = time.GetUtcNow();
        var matches = false;
        foreach (var one in client.Secrets) matches |= Secrets.Same(one.Sha256, digest) & one.IsLive(now);
        return matches && claim.Secret is not null;
    }

    private static Claim Read(HttpRequest request, Parameters form)
    {
        var hasHeader = request.Headers.Authorization.Count > 0;
        if (form["client_assertion"] is not null || form["client_assertion_type"] is not null)
        {
            if (hasHeader || form["client_secret"] is not null) return new Claim(form["client_id"], "several", Wrong: TwoWays);
            var id = form["client_assertion"] is { } assertion ? ClientAssertions.ClientOf(assertion) : null;
            if (form["client_assertion_type"] != ClientAssertions.Type || id is null || (form["client_id"] is { } told && told != id))
                return new Claim(form["client_id"], "private_key_jwt", Wrong: OAuthRefusal.InvalidClient());
            return new Claim(id, "private_key_jwt", Assertion: form["client_assertion"]);
        }

        if (hasHeader) return ReadHeader(request, form);
        return new Claim(form["client_id"], form["client_secret"] is null ? "none" : "client_secret_post", form["client_secret"]);
    }

    private static Claim ReadHeader(HttpRequest request, Parameters form)
    {
        const string method = "client_secret_basic";
        if (form["client_secret"] is not null || request.Headers.Authorization.Count > 1) return new Claim(form["client_id"], "several", Wrong: TwoWays);

        // RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
        var header = request.Headers.Authorization.ToString();
        var unreadable = new Claim(form["client_id"], method, Wrong: OAuthRefusal.InvalidClient());
        if (!header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase) || header.Length > 2048) return unreadable;
        string text;
        try
        {
            text = Encoding.UTF8.GetString(Convert.FromBase64String(header["Basic ".Length..].Trim()));
        }
        catch (FormatException)
        {
            return unreadable;
        }

        var colon = text.IndexOf(':');
        if (colon < 1) return unreadable;
        var id = WebUtility.UrlDecode(text[..colon]);
        var secret = WebUtility.UrlDecode(text[(colon + 1)..]);
        if (form["client_id"] is { } told && told != id) return new Claim(id, method, Wrong: OAuthRefusal.InvalidRequest("The header and client_id name two clients."));
        return secret.Length is > 0 and <= InputLimits.Secret ? new Claim(id, method, secret) : unreadable with { Id = id };
    }

    private sealed record Claim(string? Id, string Method, string? Secret = null, string? Assertion = null, OAuthRefusal? Wrong = null);
}
