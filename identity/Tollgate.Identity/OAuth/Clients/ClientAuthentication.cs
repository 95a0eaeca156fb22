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

/// <summary>Finds out which client is asking: by a secret in the header or in the body, or by its name alone where it is public. One way at a time.</summary>
internal sealed class ClientAuthentication(IdentityDb db, TimeProvider time)
{
    private static readonly string NoSecret = Secrets.Sha256(Secrets.New());

    public async Task<(KnownClient? Client, OAuthRefusal? Refusal)> AuthenticateAsync(HttpRequest request, Parameters form, CancellationToken cancel)
    {
        var (id, secret, wrong) = Read(request, form);
        if (wrong is not null) return (null, wrong);
        if (id is null) return (null, OAuthRefusal.InvalidClient("Say which client is asking."));

        var known = await FindAsync(db, id, cancel);
        return known is not null && Proves(known.Client, secret) ? (known, null) : (null, OAuthRefusal.InvalidClient());
    }

    /// <summary>A client that may ask at all: its application is there, and its organisation not suspended.</summary>
    public static async Task<KnownClient?> FindAsync(IdentityDb db, string clientId, CancellationToken cancel)
    {
        if (clientId.Length > InputLimits.ClientId || clientId.Any(c => c is < ' ' or > '~')) return null;
        var client = await db.OAuthClients.AsNoTracking().Include(c => c.Secrets).SingleOrDefaultAsync(c => c.ClientId == clientId && c.DeletedAt == null, cancel);
        if (client is null) return null;
        if (client.Application is not { } application) return new KnownClient(client, null);

        var owner = await db.Applications.Where(a => a.Id == application && a.DeletedAt == null)
            .Join(db.Organisations.Where(o => o.SuspendedAt == null), a => a.Organisation, o => o.Id, (_, o) => new { o.Id }).SingleOrDefaultAsync(cancel);
        return owner is null ? null : new KnownClient(client, owner.Id);
    }

    private bool Proves(OAuthClient client, string? secret)
    {
        if (client.IsPublic) return secret is null;
        var digest = secret is null ? NoSecret : Secrets.Sha256(secret);
        var now = time.GetUtcNow();
        var matches = false;
        foreach (var one in client.Secrets) matches |= Secrets.Same(one.Sha256, digest) & one.IsLive(now);
        return matches && secret is not null;
    }

    private static (string? Id, string? Secret, OAuthRefusal? Wrong) Read(HttpRequest request, Parameters form)
    {
        var twoWays = OAuthRefusal.InvalidRequest("A client proves itself in one way, not in two.");
        if (form["client_assertion"] is not null || form["client_assertion_type"] is not null)
            return (null, null, OAuthRefusal.InvalidClient("Assertions are not taken here."));
        if (request.Headers.Authorization.Count == 0) return (form["client_id"], form["client_secret"], null);
        if (form["client_secret"] is not null || request.Headers.Authorization.Count > 1) return (null, null, twoWays);

        // RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase) || header.Length > 2048) return (null, null, OAuthRefusal.InvalidClient());
        string text;
        try
        {
            text = Encoding.UTF8.GetString(Convert.FromBase64String(header["Basic ".Length..].Trim()));
        }
        catch (FormatException)
        {
            return (null, null, OAuthRefusal.InvalidClient());
        }

        var colon = text.IndexOf(':');
        if (colon < 1) return (null, null, OAuthRefusal.InvalidClient());
        var id = WebUtility.UrlDecode(text[..colon]);
        var secret = WebUtility.UrlDecode(text[(colon + 1)..]);
        if (form["client_id"] is { } told && told != id) return (null, null, OAuthRefusal.InvalidRequest("The header and client_id name two clients."));
        return secret.Length is > 0 and <= InputLimits.Secret
            ? (id, secret, null)
            : (null, null, OAuthRefusal.InvalidClient());
    }
}
