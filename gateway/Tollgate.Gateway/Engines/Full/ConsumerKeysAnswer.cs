using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Consumers;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Answers with the keys of the gateway's signed words on who calls.</summary>
internal static class ConsumerKeysAnswer
{
    public static bool IsAskedBy(Exchange exchange) =>
        exchange.Policy.Routes.TellsConsumers && exchange.Call.Path == ConsumerTokens.JwksPath &&
        (HttpMethods.IsGet(exchange.Context.Request.Method) || HttpMethods.IsHead(exchange.Context.Request.Method));

    public static Task WriteAsync(Exchange exchange)
    {
        exchange.Outcome = "ok";
        var response = exchange.Context.Response;
        var set = exchange.Engine.ConsumerTokens.JwksDocument;
        OwnHeaders.Write(exchange, response.Headers);
        response.ContentType = "application/jwk-set+json";
        response.Headers.CacheControl = $"public, max-age={ConsumerKeys.MaxAgeSeconds}";
        response.ContentLength = set.Length;
        return HttpMethods.IsHead(exchange.Context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(set).AsTask();
    }
}
