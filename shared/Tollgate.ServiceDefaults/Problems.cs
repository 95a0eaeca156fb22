using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Tollgate.Contracts;

namespace Tollgate.ServiceDefaults;

/// <summary>Problem documents (RFC 9457) with our stable types. The detail says what to do next, and never holds a secret.</summary>
public static class Problems
{
    public static ProblemHttpResult BadRequest(string slug, string detail) => Of(StatusCodes.Status400BadRequest, slug, "The request is not valid", detail);

    public static ProblemHttpResult Unauthorized(string slug, string detail) => Of(StatusCodes.Status401Unauthorized, slug, "Who is asking?", detail);

    public static ProblemHttpResult Forbidden(string slug, string detail) => Of(StatusCodes.Status403Forbidden, slug, "Not allowed", detail);

    public static ProblemHttpResult NotFound(string detail = "There is nothing here, or it is not yours to see.") =>
        Of(StatusCodes.Status404NotFound, "not-found", "Not found", detail);

    public static ProblemHttpResult Conflict(string slug, string detail) => Of(StatusCodes.Status409Conflict, slug, "In conflict with what is there", detail);

    /// <summary>One sentence a field, by the field's JSON name.</summary>
    public static ProblemHttpResult Validation(IReadOnlyDictionary<string, string> errors) =>
        Of(StatusCodes.Status422UnprocessableEntity, "validation", "Some values need another look",
            string.Join(' ', errors.Values), new Dictionary<string, object?> { ["errors"] = errors });

    public static ProblemHttpResult Of(int status, string slug, string title, string detail, Dictionary<string, object?>? extensions = null)
    {
        extensions ??= [];
        if (Activity.Current?.TraceId.ToString() is { } trace) extensions["requestId"] = trace;
        return TypedResults.Problem(new ProblemDetails
        {
            Status = status,
            Type = Problem.Type(slug),
            Title = title,
            Detail = detail,
            Extensions = extensions,
        });
    }
}
