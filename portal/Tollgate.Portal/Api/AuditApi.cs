using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.ServiceDefaults;
using Tollgate.Storage;

namespace Tollgate.Portal.Api;

/// <summary>The audit log, to be read: whole for platform admins and auditors, and its own for an organisation's owner.</summary>
internal static class AuditApi
{
    public static void MapAudit(this IEndpointRouteBuilder api)
    {
        api.MapGet("/organisation/audit", OwnAsync).WithName("ListOrganisationAudit").WithTags("Audit").RequireAuthorization(TollgatePolicies.Owner);
        api.MapGet("/admin/audit", AllAsync).WithName("ListAudit").WithTags("Audit").RequireAuthorization(TollgatePolicies.PlatformAuditor);
    }

    private static Task<Results<Ok<Page<AuditView>>, ProblemHttpResult>> OwnAsync(HttpRequest request, ClaimsPrincipal user, AuditSearch audit, CancellationToken cancel) =>
        ListAsync(request, user.Organisation(), audit, cancel);

    private static async Task<Results<Ok<Page<AuditView>>, ProblemHttpResult>> AllAsync(HttpRequest request, AuditSearch audit, CancellationToken cancel)
    {
        var told = request.Query["organisation"].ToString();
        if (told.Length == 0) return await ListAsync(request, null, audit, cancel);
        return Guid.TryParse(told, out var id)
            ? await ListAsync(request, new OrganisationId(id), audit, cancel)
            : Problems.BadRequest("parameter", "organisation is an id.");
    }

    private static async Task<Results<Ok<Page<AuditView>>, ProblemHttpResult>> ListAsync(HttpRequest request, OrganisationId? organisation, AuditSearch audit, CancellationToken cancel)
    {
        if (!TryMoment(request, "from", out var from) || !TryMoment(request, "to", out var to))
            return Problems.BadRequest("parameter", "from and to are moments, such as 2027-01-31T00:00:00Z.");
        var page = 1;
        if (request.Query["page"].ToString() is { Length: > 0 } asked && (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out page) || page < 1))
            return Problems.BadRequest("parameter", "page is a number from 1.");
        return TypedResults.Ok(await audit.ListAsync(new AuditFilter(organisation, request.Query["action"], request.Query["actor"], request.Query["target"],
            request.Query["address"], request.Query["refused"] == "true", from, to), page, cancel));
    }

    private static bool TryMoment(HttpRequest request, string name, out DateTimeOffset? moment)
    {
        moment = null;
        if (request.Query[name].ToString() is not { Length: > 0 } text) return true;
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed)) return false;
        moment = parsed;
        return true;
    }
}
