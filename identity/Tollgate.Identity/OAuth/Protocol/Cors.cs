using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Protocol;

/// <summary>Lets script of the origins that clients name read what it may: never with cookies, never any origin.</summary>
internal sealed class Cors(IDbContextFactory<IdentityDb> databases, TimeProvider time)
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(10);
    private volatile Origins? _known;

    public static async ValueTask<object?> Filter(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        http.Response.Headers.Append("Vary", "Origin");
        var isPreflight = HttpMethods.IsOptions(http.Request.Method);
        if (http.Request.Headers.Origin is [{ Length: > 0 and < 300 } origin]
            && await http.RequestServices.GetRequiredService<Cors>().IsKnownAsync(origin, http.RequestAborted))
        {
            var headers = http.Response.Headers;
            headers.AccessControlAllowOrigin = origin;
            headers.AccessControlExposeHeaders = "WWW-Authenticate, DPoP-Nonce";
            if (isPreflight)
            {
                headers.AccessControlAllowMethods = "GET, POST";
                headers.AccessControlAllowHeaders = "Authorization, Content-Type, DPoP";
                headers.AccessControlMaxAge = "600";
            }
        }

        return isPreflight ? Results.NoContent() : await next(call);
    }

    private async ValueTask<bool> IsKnownAsync(string origin, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        if (_known is not { } known || now >= known.FreshUntil)
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            var all = await db.OAuthClients.AsNoTracking().Where(c => c.DeletedAt == null).Select(c => c.Origins).ToListAsync(cancel);
            _known = known = new Origins(all.SelectMany(o => o).ToHashSet(StringComparer.Ordinal), now + Freshness);
        }

        return known.All.Contains(origin);
    }

    private sealed record Origins(HashSet<string> All, DateTimeOffset FreshUntil);
}
