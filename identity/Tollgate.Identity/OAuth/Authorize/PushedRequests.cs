using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using System.Text.Json.Nodes;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Dpop;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Authorize;

/// <summary>Keeps requests that clients have sent ahead, for their one use.</summary>
internal sealed class PushedRequests(IdentityDb db, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    private const string Prefix = "urn:ietf:params:oauth:request_uri:";

    /// <summary>How long a person may take on a page of ours, from each of them on.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static bool IsName(string? requestUri) => requestUri?.StartsWith(Prefix, StringComparison.Ordinal) == true;

    /// <returns>The name that it is asked for by.</returns>
    public async Task<string> AddAsync(OAuthClient client, string parameters, CancellationToken cancel)
    {
        var handle = Secrets.New();
        db.Add(new PushedRequest
        {
            Sha256 = Secrets.Sha256(handle), ClientId = client.ClientId, Parameters = parameters,
            Expires = time.GetUtcNow().AddSeconds(options.Value.PushedRequestLifetimeSeconds),
        });
        await db.SaveChangesAsync(cancel);
        return Prefix + handle;
    }

    /// <summary>What was sent ahead under a name, by this client, and is neither used nor too old.</summary>
    public async Task<(Parameters? Parameters, string Sha256)> FindAsync(OAuthClient client, string requestUri, CancellationToken cancel)
    {
        var (digest, now) = (Secrets.Sha256(requestUri[Prefix.Length..]), time.GetUtcNow());
        var encoded = await db.PushedRequests.Where(r => r.Sha256 == digest && r.ClientId == client.ClientId && r.ConsumedAt == null && r.Expires > now)
            .Select(r => r.Parameters).SingleOrDefaultAsync(cancel);
        return (encoded is null ? null : Parameters.Parse(encoded), digest);
    }

    /// <summary>A person has come with it and is asked something first: their time is not the program's, for which it was given its lifetime.</summary>
    public async Task HoldAsync(string digest, CancellationToken cancel)
    {
        var until = time.GetUtcNow() + Patience;
        await db.PushedRequests.Where(r => r.Sha256 == digest && r.ConsumedAt == null && r.Expires < until).ExecuteUpdateAsync(r => r.SetProperty(x => x.Expires, until), cancel);
    }

    /// <summary>Of many answers to one request, one goes out.</summary>
    public async Task<bool> UseAsync(string digest, CancellationToken cancel)
    {
        var now = (DateTimeOffset?)time.GetUtcNow();
        return await db.PushedRequests.Where(r => r.Sha256 == digest && r.ConsumedAt == null).ExecuteUpdateAsync(r => r.SetProperty(x => x.ConsumedAt, now), cancel) == 1;
    }
}

/// <summary>Takes a request ahead of its person (RFC 9126): <c>POST /connect/par</c>. It is judged at once, so that mistakes are told to the program.</summary>
internal sealed class PushedRequestEndpoint(
    ClientAuthentication clients, AuthorizeReader reader, PushedRequests pushed, DpopProofs proofs, TokenAudit audit, TokenLimits limits, IOptions<TollgateIdentityOptions> options)
{
    private const string KeyParameter = "dpop_jkt";

    public static async Task<IResult> HandleAsync(HttpContext http, PushedRequestEndpoint endpoint, CancellationToken cancel)
    {
        var (answer, refusal) = await endpoint.AnswerAsync(http, cancel);
        return OAuthAnswers.Of(http, answer, refusal, StatusCodes.Status201Created);
    }

    private async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> AnswerAsync(HttpContext http, CancellationToken cancel)
    {
        var (form, client, refusal) = await clients.ReadAsync(http, cancel);
        if (form is null) return (null, refusal);
        string? key = null;
        if (client is not null && (refusal = limits.Unproven(http.Connection.RemoteIpAddress, client.Client)) is null) (key, refusal) = await JudgeAsync(http, client, form, cancel);
        if (refusal is not null)
        {
            audit.Refused(client?.Client.ClientId, refusal);
            return (null, refusal);
        }

        var parameters = form.Encode("client_secret", "client_assertion", "client_assertion_type", KeyParameter) + (key is null ? "" : $"&{KeyParameter}={key}");
        var name = await pushed.AddAsync(client!.Client, parameters, cancel);
        return (new JsonObject { ["request_uri"] = name, ["expires_in"] = options.Value.PushedRequestLifetimeSeconds }, null);
    }

    /// <summary>The only key that may redeem the code, where one is named, or why the request is refused.</summary>
    private async Task<(string? Key, OAuthRefusal? Refusal)> JudgeAsync(HttpContext http, KnownClient client, Parameters form, CancellationToken cancel)
    {
        if (form["request_uri"] is not null) return (null, OAuthRefusal.InvalidRequest("A pushed request holds no request_uri."));
        if (form["client_id"] is { } told && told != client.Client.ClientId) return (null, OAuthRefusal.InvalidRequest("client_id names another client."));
        var named = form[KeyParameter];
        if (http.Request.Headers[DpopProofs.Header].Count > 0)
        {
            // RFC 9449 §10.1: the proof stands for dpop_jkt, and must not differ from it.
            var (key, bad) = await proofs.CheckAsync(http, OAuthPaths.PushedRequests, null, cancel);
            if (bad is not null) return (null, bad);
            if (named is not null && named != key) return (null, OAuthRefusal.InvalidRequest("dpop_jkt names another key than the proof."));
            named = key;
        }

        return await reader.JudgeAsync(client, form, "", cancel) switch
        {
            AuthorizeReading.Refused(_, var refusal) => (null, refusal),
            AuthorizeReading.Untrusted => (null, OAuthRefusal.InvalidRequest("redirect_uri is missing, or none of the client's.")),
            _ => (named, null),
        };
    }
}
