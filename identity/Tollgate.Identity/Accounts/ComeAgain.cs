using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Tollgate.ServiceDefaults;
using Tollgate.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>While the database is away: 503 with <c>Retry-After</c>, as a page for people and as a problem document for programs.</summary>
internal sealed partial class ComeAgain(ILogger<ComeAgain> logger) : IExceptionHandler
{
    private const string Title = "Not at the moment";
    private const string Sentence = "Something that is needed for this does not answer. Try again in a moment.";

    public async ValueTask<bool> TryHandleAsync(HttpContext http, Exception exception, CancellationToken cancel)
    {
        if (!Database.IsAway(exception)) return false;
        Log.Away(logger, http.Request.Method, http.Request.Path.ToUriComponent(), exception.GetBaseException().Message);
        http.Response.Headers.RetryAfter = "5";
        await Answer(http).ExecuteAsync(http);
        return true;
    }

    private static IResult Answer(HttpContext http)
    {
        var isPage = http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase) && !http.Request.Path.StartsWithSegments("/api");
        if (!isPage) return Problems.Of(StatusCodes.Status503ServiceUnavailable, "unavailable", Title, Sentence);
        AccountPages.Protect(http);
        return AccountPages.Message(StatusCodes.Status503ServiceUnavailable, Title, Sentence, "Try again", "");
    }

    private static partial class Log
    {
        [LoggerMessage(2360, LogLevel.Warning, "{Method} {Path} could not be answered: the database is away ({Reason})")]
        public static partial void Away(ILogger logger, string method, string path, string reason);
    }
}
