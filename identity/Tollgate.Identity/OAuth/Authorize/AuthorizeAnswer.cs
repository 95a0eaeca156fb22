using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Authorize;

/// <summary>Takes an answer through the browser to the client: in the address, or in a form that sends itself (OAuth 2.0 Form Post Response Mode).</summary>
internal static class AuthorizeAnswer
{
    private const string Script = "document.forms[0].submit()";

    /// <summary>
    /// Nothing but the one script runs. Where the form may lead is left open: browsers apply that to what the client does after it, too, and the page
    /// holds nothing but what is written here.
    /// </summary>
    private static readonly string FormPolicy =
        $"default-src 'none'; script-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Script)))}'; base-uri 'none'; frame-ancestors 'none'";

    /// <param name="issuer">Always in the answer (RFC 9207), so that the client knows who gives it.</param>
    public static IResult Send(HttpContext http, ReplyTo to, string issuer, params (string Name, string Value)[] answer)
    {
        var all = answer.Append(("iss", issuer)).Concat(to.State is { } state ? [("state", state)] : []);
        if (to.ByForm) return Form(http, to.RedirectUri, all);
        var query = string.Join('&', all.Select(p => $"{p.Item1}={Uri.EscapeDataString(p.Item2)}"));
        http.Response.Headers.Location = to.RedirectUri + (to.RedirectUri.Contains('?') ? "&" : "?") + query;
        return Results.StatusCode(HttpMethods.IsPost(http.Request.Method) ? StatusCodes.Status303SeeOther : StatusCodes.Status302Found);
    }

    public static IResult Refuse(HttpContext http, ReplyTo to, string issuer, OAuthRefusal refusal) =>
        Send(http, to, issuer, ("error", refusal.Error), ("error_description", refusal.Description));

    private static IResult Form(HttpContext http, string redirectUri, IEnumerable<(string Name, string Value)> fields)
    {
        AccountPages.UsePolicy(http, FormPolicy);
        var inputs = string.Concat(fields.Select(f => $"<input type=\"hidden\" name=\"{f.Name}\" value=\"{WebUtility.HtmlEncode(f.Value)}\" />"));
        return Results.Text($"""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8" /><title>Back to the application</title></head>
            <body><form method="post" action="{WebUtility.HtmlEncode(redirectUri)}">{inputs}<noscript><p>Press the button to go back to the application.</p><button type="submit">Continue</button></noscript></form><script>{Script}</script></body></html>
            """, "text/html; charset=utf-8");
    }
}
