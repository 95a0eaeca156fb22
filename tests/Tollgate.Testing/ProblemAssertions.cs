using System.Net;
using System.Text.Json;
using Shouldly;

namespace Tollgate.Testing;

public static class ProblemAssertions
{
    /// <summary>The answer is a problem document (RFC 9457) with this status and type, a detail, and a request id.</summary>
    public static async Task<JsonElement> ShouldBeProblemAsync(this HttpResponseMessage answer, int status, string slug)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe((HttpStatusCode)status, text);
        answer.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json", text);
        var problem = JsonDocument.Parse(text).RootElement.Clone();
        problem.GetProperty("type").GetString().ShouldBe(Contracts.Problem.Type(slug));
        problem.GetProperty("status").GetInt32().ShouldBe(status);
        problem.GetProperty("detail").GetString().ShouldNotBeNullOrWhiteSpace();
        problem.GetProperty("requestId").GetString().ShouldNotBeNullOrWhiteSpace();
        return problem;
    }
}
