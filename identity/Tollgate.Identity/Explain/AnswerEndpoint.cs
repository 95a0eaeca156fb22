using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Contracts.Explain;
using Tollgate.Identity.Storage;
using Tollgate.ServiceDefaults;
using Tollgate.ServiceDefaults.Internal;

namespace Tollgate.Identity.Explain;

/// <summary>Where gateways answer questions: <c>POST /explanations</c> on the internal port. What nobody fetched is gone after a minute.</summary>
internal static class AnswerEndpoint
{
    private const long MostBytes = 256 * 1024;
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);

    public static void MapGatewayAnswers(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapInternal().MapPost(InternalPaths.Explanations, TakeAsync).RequireGatewayToken().WithMetadata(new RequestSizeLimitAttribute(MostBytes));

    private static async Task<Results<NoContent, ProblemHttpResult>> TakeAsync(
        HttpContext http, IDbContextFactory<IdentityDb> databases, TimeProvider time, CancellationToken cancel)
    {
        string text;
        ExplainAnswer? answer;
        try
        {
            using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
            text = await reader.ReadToEndAsync(cancel);
            answer = JsonSerializer.Deserialize(text, ContractJson.Default.ExplainAnswer);
        }
        catch (Exception wrong) when (wrong is JsonException or BadHttpRequestException)
        {
            return Problems.BadRequest("explanation", "The body is one answer as JSON, of at most 256 KiB.");
        }

        if (answer?.Node is not { Length: > 0 and <= GatewayAnswer.MaxNodeLength } node) return Problems.BadRequest("explanation", "The answer names its question and its node.");
        var now = time.GetUtcNow();
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.GatewayAnswers.Where(a => a.At < now - Kept || (a.Question == answer.Question && a.Node == node)).ExecuteDeleteAsync(cancel);
        db.Add(new GatewayAnswer { Question = answer.Question, Node = node, Answer = text, At = now });
        await db.SaveChangesAsync(cancel);
        return TypedResults.NoContent();
    }
}
