using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Web;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>The steps of the code flow, one by one.</summary>
internal static class CodeFlow
{
    public const string Verifier = "a-verifier-of-some-fifty-characters-0123456789-ABCDEF";
    public static readonly string Challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    public static string Ask(string client = "web", string redirectUri = "https://app.example/cb", string scope = "openid", string more = "") =>
        $"/connect/authorize?response_type=code&client_id={WebUtility.UrlEncode(client)}&redirect_uri={WebUtility.UrlEncode(redirectUri)}"
        + $"&scope={WebUtility.UrlEncode(scope)}&code_challenge={Challenge}&code_challenge_method=S256{more}";

    public static async Task<Visitor> SignedInAsync(OAuthSite site)
    {
        var person = new Visitor(site.Host.Url);
        await person.SignInAsync(OAuthSite.Person);
        return person;
    }

    public static async Task<string> CodeAsync(Visitor person, string ask) => Query(await person.GetAsync(ask))["code"].ShouldNotBeNull();

    public static System.Collections.Specialized.NameValueCollection Query(HttpResponseMessage answer) =>
        HttpUtility.ParseQueryString(answer.Headers.Location.ShouldNotBeNull().Query);

    public static Task<Answer> RedeemAsync(OAuthSite site, string code, string redirectUri = "https://app.example/cb", string verifier = Verifier,
        string client = "web", string secret = "web secret") =>
        site.TokenAsync(OAuthSite.Form(("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectUri), ("code_verifier", verifier)), OAuthSite.Basic(client, secret));

    public static Task<Answer> RefreshAsync(OAuthSite site, string token, string more = "") =>
        site.TokenAsync(OAuthSite.Form(("grant_type", "refresh_token"), ("refresh_token", token)) + more, OAuthSite.Basic("web", "web secret"));

    public static async Task<Answer> UserInfoAsync(OAuthSite site, string token, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, "/connect/userinfo");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        return await Answer.OfAsync(await site.Http.SendAsync(request));
    }
}
