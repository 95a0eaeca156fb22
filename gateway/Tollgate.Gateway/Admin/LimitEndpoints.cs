using System.Text.Json;
using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway.Admin;

/// <summary>
/// On the internal port, for holders of the gateway token: <c>GET /limits</c> tells the counters and leases of this node, narrowed by <c>?application=</c> or
/// <c>?subscription=</c>; <c>POST /limits/reset</c> with <c>{"application": …, "product": …, "limit": …}</c> begins counters anew, on all nodes.
/// </summary>
internal static partial class LimitEndpoints
{
    private const int Most = 1000;
    private const int LongestBody = 4096;

    public static void MapLimits(this IEndpointRouteBuilder endpoints, PlanLimits limits, EntitlementTable entitlements, string? token, ILogger logger)
    {
        endpoints.MapGet("/limits", (string? application, string? subscription) => Results.Json(Facts(limits, application, subscription))).RequireOwnToken(token);
        endpoints.MapPost("/limits/reset", (HttpContext http, CancellationToken cancel) => ResetAsync(http, limits, entitlements, logger, cancel)).RequireOwnToken(token);
    }

    private static object Facts(PlanLimits limits, string? application, string? subscription)
    {
        var found = limits.Facts(item => (application is null || item.Application.ToString() == application) && (subscription is null || item.Subscription.ToString() == subscription))
            .Take(Most + 1).ToArray();
        return new { node = limits.Node, nodes = limits.Nodes, ledgerAway = limits.IsLedgerAway, subscriptions = found.Take(Most), more = found.Length > Most };
    }

    private static async Task<IResult> ResetAsync(HttpContext http, PlanLimits limits, EntitlementTable entitlements, ILogger logger, CancellationToken cancel)
    {
        Wish? wish = null;
        try
        {
            var body = new byte[LongestBody];
            var length = await http.Request.Body.ReadAtLeastAsync(body, LongestBody, throwOnEndOfStream: false, cancel);
            if (length is > 0 and < LongestBody)
                wish = JsonSerializer.Deserialize<Wish>(body.AsSpan(0, length), JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            // told below
        }

        if (wish is null || !Guid.TryParse(wish.Application, out var application) || string.IsNullOrEmpty(wish.Product))
            return Problems.BadRequest("limits", "Send {\"application\": \"<id>\", \"product\": \"<name>\"}, with \"limit\": \"<name>\" for one limit or quota alone.");
        if (!entitlements.TryGet(new AppId(application), wish.Product, out var entitlement))
            return Problems.NotFound("The application has no subscription to this product that this gateway knows.");
        if (await limits.ResetAsync(entitlement, wish.Limit) is not { } reset)
            return Results.Problem("The ledger is away. Try again when Redis is back.", statusCode: StatusCodes.Status503ServiceUnavailable);
        if (reset.Count == 0)
            return Problems.NotFound("The plan has no limit or quota of this name.");

        Log.Reset(logger, string.Join(", ", reset), wish.Application, wish.Product, http.Connection.RemoteIpAddress?.ToString() ?? "");
        return Results.Json(new { reset });
    }

    private sealed record Wish(string? Application, string? Product, string? Limit);

    private static partial class Log
    {
        [LoggerMessage(2381, LogLevel.Warning, "Counters {Names} of application {Application} for {Product} were begun anew at the wish of {Address}")]
        public static partial void Reset(ILogger logger, string names, string application, string product, string address);
    }
}
