using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>The stages of a call on a route that does more than forward: its own request id, kept answers, and answers made of several.</summary>
internal static class SpecialStages
{
    public static async Task ServeAsync(Exchange exchange)
    {
        var context = exchange.Context;
        var route = exchange.Route;
        try
        {
            if (route.RequestIdKey is { } key && context.Request.Headers[key] is [{ } sent] && RequestId.IsSane(sent)) exchange.Rename(sent);
            if (route.IsUnserved) await RefuseAsync(exchange, exchange.Policy.Routes.HasOcelotCodes ? Refusal.UnknownRoute : Refusal.NotReady, 1);
            else if (route.Bodies is { } bodies) await BodyStage.ServeAsync(exchange, bodies, Fetch);
            else await FetchAsync(exchange);
        }
        catch (Exception mistake) when (!context.Response.HasStarted && exchange.Refused is null)
        {
            if (context.RequestAborted.IsCancellationRequested)
            {
                Cancel(exchange);
                return;
            }

            var refusal = LostTry.In<BadHttpRequestException>(mistake) is { } bad
                ? bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? Refusal.ContentTooLarge : Refusal.BadRequest
                : Refusal.None;
            if (refusal == Refusal.None) FullEngineLog.Failed(exchange.Engine.Logger, mistake, exchange.RequestId);
            context.Response.Headers.Clear();
            await RefuseAsync(exchange, refusal);
        }
    }

    private static readonly Func<Exchange, Task> Fetch = FetchAsync;

    private static Task FetchAsync(Exchange exchange) =>
        exchange.Route.Aggregate is { } aggregate ? AggregateStage.ServeAsync(exchange, aggregate)
        : exchange.Route.Cache is { } rule ? CacheStage.ServeAsync(exchange, rule)
        : exchange.ForwardAsync();

    public static Task RefuseAsync(Exchange exchange, Refusal refusal, int retryAfterSeconds = 0) => RefuseAsync(exchange, Verdict.Refuse(refusal, retryAfterSeconds));

    /// <summary>No upstream answered: the call costs nothing.</summary>
    public static Task RefuseAsync(Exchange exchange, Verdict verdict)
    {
        exchange.RecordUnanswered(Refusals.Of(verdict.Refusal).Status);
        return exchange.RefuseAsync(verdict);
    }

    /// <summary>The caller went away.</summary>
    public static void Cancel(Exchange exchange)
    {
        exchange.RecordUnanswered(499);
        exchange.Outcome = "cancelled";
        exchange.Context.Abort();
    }

    /// <summary>Sends an answer whose head is written, and whose body is in memory. Metered like any other: what the caller gets is what counts.</summary>
    public static async Task AnswerAsync(Exchange exchange, ReadOnlyMemory<byte> body)
    {
        var response = exchange.Context.Response;
        OwnHeaders.Write(exchange, response.Headers);
        exchange.RecordAnswer(response.StatusCode, exchange.Route.Units);
        if (exchange.Record.IsMissing)
        {
            response.Headers.Clear();
            await exchange.RefuseUnrecordedAsync();
            return;
        }

        exchange.Outcome = response.StatusCode >= 500 ? "upstream-error" : "ok";
        exchange.Record.BytesOut = body.Length;
        if (body.Length > 0) await response.Body.WriteAsync(body, exchange.Context.RequestAborted);
    }
}
