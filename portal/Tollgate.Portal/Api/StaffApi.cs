using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Identity.Accounts;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>The platform's own staff and their roles.</summary>
internal static class StaffApi
{
    public sealed record StaffRequest(string Email, PlatformRole Role);

    public static void MapStaff(this IEndpointRouteBuilder admin)
    {
        var staff = admin.MapGroup("/staff").WithTags("Admin");
        staff.MapGet("", async (StaffService service, CancellationToken cancel) => TypedResults.Ok(await service.ListAsync(cancel))).WithName("ListStaff");
        staff.MapPut("", SetAsync).WithName("PutStaff").RequireAuthorization(TollgatePolicies.PlatformAdmin).AddEndpointFilter<RecentSignInOnly>();
        staff.MapDelete("/{id:guid}", RemoveAsync).WithName("RemoveStaff").RequireAuthorization(TollgatePolicies.PlatformAdmin).AddEndpointFilter<RecentSignInOnly>();
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> SetAsync(Body<StaffRequest> body, StaffService staff, CancellationToken cancel) =>
        Answer(await staff.SetAsync(body.Value.Email, body.Value.Role, cancel));

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(Guid id, StaffService staff, CancellationToken cancel) => Answer(await staff.RemoveAsync(id, cancel));

    private static Results<NoContent, ProblemHttpResult> Answer(StaffOutcome outcome) => outcome switch
    {
        StaffOutcome.Done => TypedResults.NoContent(),
        StaffOutcome.LastAdmin => Problems.Conflict("last-admin", "The platform has an admin. Make somebody else one first."),
        _ => Problems.NotFound("There is no confirmed account with this address."),
    };
}
