using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Identity.Accounts.Pages;
using Tollgate.Identity.OAuth;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Passkeys;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>Shows account pages, and lets only forms of ours through. They work without script, and none is allowed on them.</summary>
internal static class AccountPages
{
    private const int MaxFormBytes = 64 * 1024;

    private const string ContentSecurityPolicy =
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly object ScriptItem = new();
    private static readonly object PolicyItem = new();
    private static readonly object LeadsToItem = new();

    // Kept values go back into the page; these never do.
    private static readonly string[] NeverShown = ["password", "current", "credential", "ceremony", "ticket", AccountForm.TokenField];

    private static readonly IReadOnlyDictionary<string, string> NoErrors = new Dictionary<string, string>();

    /// <summary>Headers on every answer; on a POST the form is read within bounds and its anti-forgery token checked.</summary>
    public static async ValueTask<object?> Guard(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        Protect(http);
        if (HttpMethods.IsPost(http.Request.Method) && await WhatIsWrongAsync(http) is { } refusal) return refusal;
        await NoteClientAsync(http);
        return await next(call);
    }

    /// <summary>The headers of every page. A form may lead to the client that the person came from, which browsers ask of its page's policy too.</summary>
    public static void Protect(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.XFrameOptions = "DENY";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        http.Response.OnStarting(Finish, http.Response);
    }

    /// <summary>Another policy for the present page.</summary>
    public static void UsePolicy(HttpContext http, string policy) => http.Items[PolicyItem] = policy;

    /// <summary>The form of the present page leads on to this address of a client.</summary>
    public static void LeadsTo(HttpContext http, string redirectUri) => http.Items[LeadsToItem] = redirectUri;

    /// <summary>A person on the way to a client will be led on to it by the form of this page: to an address that is the client's own, and to no other that an address of ours was made to hold.</summary>
    private static async ValueTask NoteClientAsync(HttpContext http)
    {
        var url = http.Field(SessionCookie.ReturnUrlParameter);
        if (url.IndexOf('?') is not (> 0 and var at)) return;
        var query = QueryHelpers.ParseQuery(url[at..]);
        if (query.GetValueOrDefault("client_id") is not [{ Length: > 0 } id] || query.GetValueOrDefault("redirect_uri") is not [{ Length: > 0 } uri]) return;
        try
        {
            var services = http.RequestServices;
            if (await services.GetRequiredService<ClientCache>().FindAsync(services.GetRequiredService<IdentityDb>(), id, http.RequestAborted) is { } known && RedirectUris.Allows(known.Client, uri))
                LeadsTo(http, uri);
        }
        catch (Exception lost) when (OAuthSetup.IsDatabaseAway(lost))
        {
            // The page says so itself, where it needs the database.
        }
    }

    /// <summary>What a policy names a client's address by: its origin, or its scheme where that is an app's own.</summary>
    private static string? ClientOrigin(HttpContext http)
    {
        if (http.Items[LeadsToItem] is not string uri || !Uri.TryCreate(uri, UriKind.Absolute, out var client)) return null;
        if (client.Scheme is not ("http" or "https"))
            return client.Scheme.Contains('.') && client.Scheme.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '+') ? client.Scheme + ":" : null;
        return client.Host.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '[' or ']' or ':') ? $"{client.Scheme}://{client.Authority}" : null;
    }

    public static IResult Show<TPage>(
        HttpContext http, IReadOnlyDictionary<string, string>? errors = null, string? notice = null, int status = StatusCodes.Status200OK,
        params (string Name, object Value)[] more) where TPage : IComponent
    {
        var token = http.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(http).RequestToken!;
        var parameters = new Dictionary<string, object?> { ["Form"] = new AccountForm(token, Values(http), errors ?? NoErrors, notice) };
        foreach (var (name, value) in more) parameters[name] = value;
        return new RazorComponentResult<TPage>(parameters) { StatusCode = status, PreventStreamingRendering = true };
    }

    public static IResult Message(int status, string title, string sentence, string? action = null, string? target = null) =>
        new RazorComponentResult<MessagePage>(new Dictionary<string, object?>
        {
            [nameof(MessagePage.Title)] = title,
            [nameof(MessagePage.Sentence)] = sentence,
            [nameof(MessagePage.Action)] = action,
            [nameof(MessagePage.Target)] = target,
        }) { StatusCode = status, PreventStreamingRendering = true };

    /// <summary>The same page again, with the reason on the form as a whole.</summary>
    public static IResult Refuse<TPage>(
        HttpContext http, string sentence, int status = StatusCodes.Status422UnprocessableEntity, params (string Name, object Value)[] more) where TPage : IComponent =>
        Show<TPage>(http, new Dictionary<string, string> { [AccountForm.Whole] = sentence }, status: status, more: more);

    public static IResult TooMany<TPage>(HttpContext http, TimeSpan wait, params (string Name, object Value)[] more) where TPage : IComponent
    {
        var seconds = (int)Math.Ceiling(wait.TotalSeconds);
        http.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var inWords = seconds < 90 ? $"{seconds} seconds" : $"{(seconds + 59) / 60} minutes";
        return Refuse<TPage>(http, $"That was a little often. Try again in {inWords}.", StatusCodes.Status429TooManyRequests, more);
    }

    /// <summary>The present page loads a script file of ours, and none of anybody else.</summary>
    public static void AllowScript(HttpContext http) => http.Items[ScriptItem] = true;

    /// <summary>The address of an account page that leads on to somewhere.</summary>
    public static string WithReturn(string path, string? back) =>
        back is null ? path : $"{path}{(path.Contains('?') ? '&' : '?')}{SessionCookie.ReturnUrlParameter}={Uri.EscapeDataString(back)}";

    /// <summary>303: whatever was posted, what follows is a GET (RFC 9110 §15.4.4).</summary>
    public static IResult SeeOther(HttpContext http, string localUrl)
    {
        http.Response.Headers.Location = localUrl;
        return TypedResults.StatusCode(StatusCodes.Status303SeeOther);
    }

    /// <summary>A field of the form or the query, without blanks around it; passwords as they are.</summary>
    public static string Field(this HttpContext http, string name)
    {
        var value = (HasForm(http) ? http.Request.Form[name] : http.Request.Query[name]) is [{ } one, ..] ? one : "";
        return name is "password" or "current" ? value : value.Trim();
    }

    /// <summary>What a page with a question for a passkey was answered.</summary>
    public static PasskeyAnswer PasskeyAnswer(HttpContext http) => new(http.Field("ceremony"), http.Field("credential"));

    /// <summary>Only what is posted is a form, whatever the type of a GET's body is said to be: its form has been read, within bounds.</summary>
    private static bool HasForm(HttpContext http) => HttpMethods.IsPost(http.Request.Method) && http.Request.HasFormContentType;

    /// <summary>Where to go when all is done.</summary>
    public static string? ReturnUrl(this HttpContext http) => LocalUrl.From(http.Field(SessionCookie.ReturnUrlParameter));

    /// <summary>
    /// Nothing is kept by caches (said last, because anti-forgery warns of a header that it would have written), and the portal's script
    /// loads these pages whole, with their own policy, instead of merging them into one of its own.
    /// </summary>
    private static Task Finish(object response)
    {
        var http = ((HttpResponse)response).HttpContext;
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = http.Items[PolicyItem] is string policy ? policy : ClientOrigin(http) is { } origin
            ? ContentSecurityPolicy.Replace("form-action 'self'", "form-action 'self' " + origin, StringComparison.Ordinal)
            : ContentSecurityPolicy;
        if (http.Items.ContainsKey(ScriptItem)) headers.ContentSecurityPolicy += "; script-src 'self'";
        headers.CacheControl = "no-store";
        headers.Remove("blazor-enhanced-nav");
        return Task.CompletedTask;
    }

    private static Dictionary<string, string> Values(HttpContext http)
    {
        var names = HasForm(http) ? http.Request.Form.Keys : http.Request.Query.Keys;
        var values = names.Except(NeverShown).ToDictionary(name => name, name => http.Field(name));
        if (values.Remove(SessionCookie.ReturnUrlParameter) && http.ReturnUrl() is { } back) values[SessionCookie.ReturnUrlParameter] = back;
        return values;
    }

    private static async Task<IResult?> WhatIsWrongAsync(HttpContext http)
    {
        if (!http.Request.HasFormContentType)
            return Message(StatusCodes.Status415UnsupportedMediaType, "That was no form", "This address takes what its own page sends, and nothing else.");
        if (http.Request.ContentLength > MaxFormBytes) return TooLarge();
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = MaxFormBytes;
        http.Features.Set<IFormFeature>(new FormFeature(http.Request, new FormOptions
        {
            ValueCountLimit = 32, KeyLengthLimit = 128, ValueLengthLimit = InputLimits.Address, BufferBodyLengthLimit = MaxFormBytes, MultipartBodyLengthLimit = MaxFormBytes,
        }));
        try
        {
            await http.Request.ReadFormAsync(http.RequestAborted);
        }
        catch (BadHttpRequestException bad) when (bad.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return TooLarge();
        }
        catch (Exception bad) when (bad is InvalidDataException or IOException)
        {
            return Message(StatusCodes.Status400BadRequest, "That form could not be read", "Go back, load the page again and send it once more.");
        }

        return await http.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(http)
            ? null
            : Message(StatusCodes.Status400BadRequest, "This page has gone stale",
                "It was open for too long, or someone signed in or out meanwhile. Nothing has been done. Load it again and send it once more.",
                "Start again", WithReturn(http.Request.Path, http.ReturnUrl()));

        static IResult TooLarge() =>
            Message(StatusCodes.Status413PayloadTooLarge, "That was too much", "These forms are short. Send less.");
    }
}
