using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Policy.FileLimits;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>The answers and headers of a file's rate limit, in Ocelot's words.</summary>
internal static class PlainAnswer
{
    private const string NoClient = "The call does not say which client it comes from. Send your client id in the header {0}.";

    public static Task RefuseAsync(HttpResponse response, in RateStanding standing)
    {
        var unidentified = standing.Answer == RateAnswer.Unidentified;
        var text = unidentified ? NoClient.Replace("{0}", standing.Rule.ClientHeader, StringComparison.Ordinal) : standing.Rule.Message;
        response.StatusCode = unidentified ? StatusCodes.Status503ServiceUnavailable : standing.Rule.Status;
        if (!unidentified && standing.Rule.Tells) response.Headers.RetryAfter = standing.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        if (response.StatusCode is 204 or 205 or 304 || HttpMethods.IsHead(response.HttpContext.Request.Method)) return Task.CompletedTask;
        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = Encoding.UTF8.GetByteCount(text);
        return response.WriteAsync(text);
    }

    public static void Tell(IHeaderDictionary headers, in RateStanding standing)
    {
        headers["X-RateLimit-Limit"] = standing.Rule.Limit.ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Remaining"] = standing.Remaining.ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Reset"] = DateTimeOffset.FromUnixTimeMilliseconds(standing.ResetUnixMs).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
    }
}
