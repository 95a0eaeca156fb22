using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Billing.Invoicing;
using Tollgate.Billing.Metering;
using Tollgate.Contracts;
using Tollgate.Identity.Applications;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>What the organisation used, and what it comes to.</summary>
internal static class UsageApi
{
    private const int MostPoints = 10_000;

    public static void MapUsage(this IEndpointRouteBuilder api)
    {
        api.MapGet("/usage", SeriesAsync).WithName("GetUsage").WithTags("Usage")
            .WithDescription("Query: from and to (RFC 3339; the last 24 hours when left out), bucket (minute or hour), application (id), mode (live or test; calls with test keys are counted apart and on no invoice).");
        api.MapGet("/usage/period", PeriodAsync).WithName("GetPeriodUsage").WithTags("Usage");
        api.MapGet("/invoices/draft", DraftAsync).WithName("GetDraftInvoices").WithTags("Invoices");
    }

    private static async Task<Results<Ok<IReadOnlyList<UsagePoint>>, ProblemHttpResult>> SeriesAsync(
        HttpRequest request, ClaimsPrincipal user, ApplicationService applications, UsageService usage, TimeProvider time, CancellationToken cancel)
    {
        var query = request.Query;
        if (!TryMoment(query["to"], time.GetUtcNow(), out var to)) return Problems.BadRequest("parameter", "to is a moment, such as 2026-11-21T10:00:00Z.");
        if (!TryMoment(query["from"], to.AddDays(-1), out var from)) return Problems.BadRequest("parameter", "from is a moment, such as 2026-11-20T10:00:00Z.");
        var bucketName = query["bucket"].ToString();
        if (bucketName is not ("" or "minute" or "hour")) return Problems.BadRequest("parameter", "bucket is minute or hour.");
        var mode = query["mode"].ToString();
        if (mode is not ("" or "live" or "test")) return Problems.BadRequest("parameter", "mode is live or test.");
        var bucket = bucketName == "minute" ? UsageBucket.Minute : UsageBucket.Hour;
        if (from > to || from < DateTimeOffset.UnixEpoch) return Problems.BadRequest("parameter", "from lies before to, and after 1970.");
        if ((to - from) / (bucket == UsageBucket.Minute ? TimeSpan.FromMinutes(1) : TimeSpan.FromHours(1)) > MostPoints)
            return Problems.BadRequest("parameter", $"That is more than {MostPoints} points: ask for a shorter time or for hours.");

        AppId? application = null;
        if (query["application"].ToString() is { Length: > 0 } asked)
        {
            if (!Guid.TryParse(asked, out var id)) return Problems.BadRequest("parameter", "application is the id of an application.");
            application = new AppId(id);
            if (await applications.GetAsync(user.Organisation(), application.Value, cancel) is null) return Problems.NotFound();
        }

        return TypedResults.Ok(await usage.SeriesAsync(user.Organisation(), new UsageFilter(application, Test: mode == "test"), from, to, bucket, cancel));
    }

    private static async Task<Ok<IReadOnlyList<UsageSum>>> PeriodAsync(ClaimsPrincipal user, UsageService usage, CancellationToken cancel) =>
        TypedResults.Ok(await usage.TotalsAsync(user.Organisation(), cancel));

    private static async Task<Ok<IReadOnlyList<DraftInvoice>>> DraftAsync(ClaimsPrincipal user, InvoiceService invoices, CancellationToken cancel) =>
        TypedResults.Ok(await invoices.DraftAsync(user.Organisation(), cancel));

    private static bool TryMoment(string? text, DateTimeOffset otherwise, out DateTimeOffset moment)
    {
        moment = otherwise;
        return string.IsNullOrEmpty(text)
            || DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out moment);
    }
}
