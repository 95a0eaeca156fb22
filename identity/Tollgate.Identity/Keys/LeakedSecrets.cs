using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.Mail;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Storage;
using Tollgate.ServiceDefaults;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.Keys;

/// <summary>
/// Takes keys and tokens that were found where anybody can read them: <c>POST /leaked-secrets</c>, in the form in which scanners of public repositories report
/// them. Whoever has one may end it, and needs no account for that; whoever guesses learns nothing that a call would not have told.
/// </summary>
internal sealed class LeakedSecrets(IDbContextFactory<IdentityDb> databases, MailQueue mails, TimeProvider time) : IDisposable
{
    public const string Path = "/leaked-secrets";
    private const int MostAtOnce = 100;
    private const int MostBytes = 256 * 1024;
    private const int LongestSecret = 512;
    private const int ReportsPerMinute = 30;

    private readonly PartitionedRateLimiter<string> _reports = AccountLimits.Per(TimeSpan.FromMinutes(1), ReportsPerMinute);

    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost(Path, TakeAsync).AllowAnonymous().DisableAntiforgery().WithMetadata(new RequestSizeLimitAttribute(MostBytes));

    public void Dispose() => _reports.Dispose();

    private static async Task<IResult> TakeAsync(HttpContext http, LeakedSecrets leaked, AuditLog audit, CancellationToken cancel)
    {
        if (AccountLimits.Take(leaked._reports, AccountLimits.Key(http.Connection.RemoteIpAddress)) is { } wait)
        {
            http.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
            return Problems.Of(StatusCodes.Status429TooManyRequests, "rate-limited", "Too many reports", "Wait as many seconds as Retry-After says, and put up to 100 secrets into one report.");
        }

        Found[]? found;
        try
        {
            found = await JsonSerializer.DeserializeAsync<Found[]>(http.Request.Body, JsonSerializerOptions.Web, cancel);
        }
        catch (Exception wrong) when (wrong is JsonException or BadHttpRequestException)
        {
            found = null;
        }

        if (found is null || found.Length is 0 or > MostAtOnce || found.Any(one => one?.Token is not { Length: > 0 and <= LongestSecret }))
            return Problems.BadRequest("leaked-secrets", $"Send a JSON array of 1 to {MostAtOnce} objects with a \"token\" each.");

        var answers = new List<Answer>(found.Length);
        foreach (var one in found) answers.Add(new Answer(Hash(one.Token!), one.Type, await leaked.EndAsync(one.Token!, audit, cancel) ? "true_positive" : "false_positive"));
        return Results.Json(answers);
    }

    /// <summary>Ends a secret. True when it is one of ours, also when it had been ended before.</summary>
    private async Task<bool> EndAsync(string secret, AuditLog audit, CancellationToken cancel)
    {
        var sha256 = ApiKeyFormat.Sha256Hex(secret);
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var now = (DateTimeOffset?)time.GetUtcNow();
        if (await db.ManagementTokens.AsNoTracking().SingleOrDefaultAsync(t => t.Sha256 == sha256, cancel) is { } token)
        {
            if (await db.ManagementTokens.Where(t => t.Id == token.Id && t.RevokedAt == null).ExecuteUpdateAsync(t => t.SetProperty(x => x.RevokedAt, now), cancel) == 0) return true;
            await audit.AddAsync(db, "token.revoked-as-leaked", token.Id.ToString(), token.Organisation);
            await db.SaveChangesAsync(cancel);
            await transaction.CommitAsync(cancel);
            await TellAsync(db, token.Organisation, $"the access token “{token.Name}” ({token.Prefix}…)", cancel);
            return true;
        }

        if (await db.Keys.SingleOrDefaultAsync(k => k.Sha256 == sha256, cancel) is not { } key) return false;
        var organisation = await db.Applications.Where(a => a.Id == key.Application).Select(a => a.Organisation).SingleAsync(cancel);
        await db.LockOrganisationAsync(organisation, cancel);
        await db.Entry(key).ReloadAsync(cancel);
        if (key.RevokedAt is not null) return true;
        key.RevokedAt = now;
        await audit.AddAsync(db, "key.revoked-as-leaked", key.Id.ToString(), organisation);
        await db.SaveWithChangesAsync([key.ToFeedItem()], cancel);
        await transaction.CommitAsync(cancel);
        await TellAsync(db, organisation, $"the API key “{key.Name}” ({(key.Prefix.Length > 0 ? key.Prefix : "")}…{key.LastFour})", cancel);
        return true;
    }

    private async Task TellAsync(IdentityDb db, OrganisationId organisation, string what, CancellationToken cancel)
    {
        var name = await db.Organisations.Where(o => o.Id == organisation).Select(o => o.Name).SingleAsync(cancel);
        var people = await db.Memberships.Where(m => m.Organisation == organisation && (m.Role == OrganisationRole.Owner || m.Role == OrganisationRole.Admin))
            .Join(db.Accounts, m => m.Account, a => a.Id, (_, a) => a.Email!).ToListAsync(cancel);
        foreach (var email in people)
            await mails.SendAsync(Letter.To(email, "A secret was found in public, and is revoked")
                .Say($"Somebody found {what} of {name} where anybody can read it, and reported it. It is revoked: no gateway takes it any more.")
                .Say("Make another one, and look at where the old one was written down: what was published once stays readable in the history of a repository."), cancel);
    }

    private static string Hash(string secret) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>What a scanner found. Its address is not kept: who reports may write anything there.</summary>
    private sealed record Found(string? Token, string? Type);

    private sealed record Answer(
        [property: JsonPropertyName("token_hash")] string TokenHash, [property: JsonPropertyName("token_type")] string? TokenType, [property: JsonPropertyName("label")] string Label);
}
