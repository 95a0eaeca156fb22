using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Tollgate.Billing.Storage;
using Tollgate.Contracts;
using Tollgate.Contracts.Usage;
using Tollgate.ServiceDefaults;
using Tollgate.ServiceDefaults.Internal;

namespace Tollgate.Billing.Metering;

/// <summary>Where gateways bring usage, and ask for sums: on the internal port, with a gateway token.</summary>
internal static partial class UsageEndpoints
{
    private const long MostBytes = 16 * 1024 * 1024;

    public static void MapUsage(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapInternal();
        group.MapPost(InternalPaths.Usage, Ingest).RequireGatewayToken();
        group.MapGet(InternalPaths.UsageTotal, Total).RequireGatewayToken();
    }

    private static async Task<Results<JsonHttpResult<UsageReceipt>, ProblemHttpResult>> Ingest(
        HttpContext http, UsageIngest ingest, ILogger<UsageIngest> logger)
    {
        var cancel = http.RequestAborted;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = MostBytes;
        if (http.Request.ContentLength > MostBytes) return TooLarge();
        UsageBatch? batch;
        try
        {
            batch = await JsonSerializer.DeserializeAsync(http.Request.Body, ContractJson.Default.UsageBatch, cancel);
        }
        catch (JsonException wrong)
        {
            var where = wrong.Path is { Length: > 1 } path ? path.TrimStart('$', '.') : "the body";
            return Problems.BadRequest("usage-batch", $"{where} cannot be read: the body is one usage batch as JSON (line {wrong.LineNumber + 1}).");
        }
        catch (BadHttpRequestException refused) when (refused.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return TooLarge();
        }

        if (batch is null) return Problems.BadRequest("usage-batch", "The body is null; it is one usage batch as JSON.");
        if (BatchRules.Check(batch) is { Count: > 0 } errors) return Problems.Validation(errors);
        try
        {
            return await ingest.IngestAsync(batch, cancel) is { } receipt
                ? TypedResults.Json(receipt, ContractJson.Default.UsageReceipt)
                : Problems.Of(StatusCodes.Status409Conflict, "usage-batch-conflict", "Another batch has this name",
                    "A batch with this node, journal and sequence but another content was counted before. Two gateways may share a copied data folder: give each its own.");
        }
        catch (Exception away) when (BillingSql.IsDatabaseFailure(away))
        {
            Log.NotCounted(logger, batch.NodeId, batch.Sequence, away.InnerException?.Message ?? away.Message);
            http.Response.Headers.RetryAfter = "1";
            return Problems.Of(StatusCodes.Status503ServiceUnavailable, "usage-not-counted", "Not counted yet",
                "The database could not take the batch just now. Keep it, and send it again.");
        }
    }

    private static async Task<Results<JsonHttpResult<UsageTotal>, ProblemHttpResult>> Total(
        UsageService usage, string? subscription, string? from, string? to, string? meter, CancellationToken cancel)
    {
        if (!Guid.TryParse(subscription, out var id)) return Problems.BadRequest("usage-total", "subscription is the id of a subscription.");
        if (!TryMoment(from, out var fromMs) || !TryMoment(to, out var toMs) || fromMs > toMs)
            return Problems.BadRequest("usage-total", "from and to are moments in milliseconds since 1970, from not after to.");
        return TypedResults.Json(new UsageTotal(await usage.UnitsAsync(new SubscriptionId(id), fromMs, toMs, meter == Meters.Test, cancel)), ContractJson.Default.UsageTotal);
    }

    private static bool TryMoment(string? text, out long ms) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ms);

    private static ProblemHttpResult TooLarge() => Problems.Of(StatusCodes.Status413PayloadTooLarge, "usage-batch-size",
        "The batch is too large", "A usage batch has at most 16 MiB; send smaller ones.");

    private static partial class Log
    {
        [LoggerMessage(4205, LogLevel.Warning, "Usage batch {Sequence} of node {Node} was not counted, and will be sent again: {Reason}")]
        public static partial void NotCounted(ILogger logger, string node, long sequence, string reason);
    }
}
