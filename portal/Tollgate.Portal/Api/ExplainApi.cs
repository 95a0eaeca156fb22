using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Billing.Invoicing;
using Tollgate.Contracts;
using Tollgate.Contracts.Explain;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;
using Tollgate.Identity.Explain;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>Why was I refused: all gateways are asked what became of a call, or what they know of a key.</summary>
internal static class ExplainApi
{
    private const int LongestId = 64;
    private const string NoCall = "No gateway in reach remembers a call of this id. Take it from the X-Request-Id header of the answer; old calls are forgotten.";

    /// <summary>One of the three: a call, a key by its text, or a key by its digest.</summary>
    public sealed record Question(string? RequestId = null, string? Key = null, string? Sha256 = null);

    /// <summary>Of the caller's own organisation: calls without a key of it are somebody else's, or nobody's.</summary>
    public static void MapExplain(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("").WithTags("Explain");
        group.MapGet("/explain/{requestId}", OwnCallAsync).WithName("ExplainCall");
        group.MapGet("/applications/{application:guid}/keys/{key:guid}/explain", OwnKeyAsync).WithName("ExplainKey");
    }

    public static void MapAdminExplain(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/explain").WithTags("Admin");
        group.MapGet("/{requestId}", CallAsync).WithName("ExplainAnyCall");
        group.MapPost("", AskAsync).WithName("Explain");
    }

    private static async Task<Results<Ok<CallExplanation>, ProblemHttpResult>> OwnCallAsync(
        string requestId, ClaimsPrincipal user, ExplainService explain, InvoicedCalls invoiced, ApplicationService applications, CancellationToken cancel) =>
        requestId.Length <= LongestId && await explain.CallAsync(requestId, cancel) is { Caller: { } caller } call
            && await applications.GetAsync(user.Organisation(), caller.Application, cancel) is not null
            ? TypedResults.Ok(await invoiced.CompleteAsync(call, cancel) with { Upstream = call.Upstream is { } upstream ? upstream with { LastAddress = null } : null })    // where our services are is ours to know
            : Problems.NotFound(NoCall);

    private static async Task<Results<Ok<IReadOnlyList<KeyExplanation>>, ProblemHttpResult>> OwnKeyAsync(
        Guid application, Guid key, ClaimsPrincipal user, ExplainService explain, CancellationToken cancel)
    {
        if (await explain.DigestAsync(user.Organisation(), new AppId(application), new ApiKeyId(key), cancel) is not { } digest) return Problems.NotFound();
        var answers = await explain.KeyAsync(digest, cancel);
        return TypedResults.Ok<IReadOnlyList<KeyExplanation>>([.. answers.Select(WithoutAddresses)]);
    }

    private static async Task<Results<Ok<CallExplanation>, ProblemHttpResult>> CallAsync(string requestId, ExplainService explain, InvoicedCalls invoiced, CancellationToken cancel) =>
        requestId.Length <= LongestId && await explain.CallAsync(requestId, cancel) is { } call ? TypedResults.Ok(await invoiced.CompleteAsync(call, cancel)) : Problems.NotFound(NoCall);

    private static async Task<Results<Ok<CallExplanation>, Ok<IReadOnlyList<KeyExplanation>>, ProblemHttpResult>> AskAsync(
        Body<Question> body, ExplainService explain, InvoicedCalls invoiced, CancellationToken cancel)
    {
        var asked = body.Value;
        if (asked.RequestId is { Length: > 0 and <= LongestId } id)
            return await explain.CallAsync(id, cancel) is { } call ? TypedResults.Ok(await invoiced.CompleteAsync(call, cancel)) : Problems.NotFound(NoCall);
        if ((asked.Key is { Length: > 0 and <= 512 } key ? ApiKeyFormat.Sha256Hex(key) : asked.Sha256?.ToLowerInvariant()) is { Length: 64 } digest && digest.All(char.IsAsciiHexDigitLower))
            return TypedResults.Ok(await explain.KeyAsync(digest, cancel));
        return Problems.BadRequest("explain", "Send a requestId, a key, or the sha256 of a key (64 hexadecimal digits).");
    }

    private static KeyExplanation WithoutAddresses(KeyExplanation key) => key with
    {
        LastCalls = [.. key.LastCalls.Select(call => call with { Upstream = call.Upstream is { } upstream ? upstream with { LastAddress = null } : null })],
    };
}
