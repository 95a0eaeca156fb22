using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Edge;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>What a route's edge does with an admitted call, around the stages that answer it.</summary>
internal static class EdgeStages
{
    public static async Task ServeAsync(Exchange exchange, RouteEdge edge)
    {
        var context = exchange.Context;
        if (edge.MaxHeaderBytes is { } most && Weigh(context.Request.Headers) > most)
        {
            exchange.RecordUnanswered(StatusCodes.Status431RequestHeaderFieldsTooLarge);
            await exchange.RefuseAsync(Verdict.Refuse(Refusal.HeadersTooLarge));
            return;
        }

        if (edge.MaxBodyBytes is { } largest && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = largest;

        var compressed = edge.Compression is { } rule ? CompressedBody.Begin(context, rule) : null;
        await (edge.Files is { } files ? exchange.Engine.Folders.ServeAsync(exchange, files) : exchange.AnswerAsync());
        if (compressed is not null && !context.RequestAborted.IsCancellationRequested) await compressed.FinishAsync();
    }

    private static long Weigh(IHeaderDictionary headers)
    {
        long bytes = 0;
        foreach (var (name, values) in headers)
            foreach (var value in values)
                bytes += name.Length + (value?.Length ?? 0) + 4;
        return bytes;
    }
}
