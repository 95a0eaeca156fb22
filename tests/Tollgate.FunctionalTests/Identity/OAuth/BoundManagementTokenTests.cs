using System.Net;
using Tollgate.FunctionalTests.Portal;
using Tollgate.Identity.Organisations;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>The management API takes access tokens that are bound to a key, with the proof of that key and never without.</summary>
public sealed class BoundManagementTokenTests
{
    private const string Site = "http://localhost:8090";

    [Theory]
    [OnBothDatabases]
    public async Task A_bound_token_opens_the_management_api_with_a_fresh_proof_of_its_key_alone(Shape shape)
    {
        await using var host = await PortalHost.StartAsync(shape);
        using var person = new Visitor(host.Url);
        await person.PostBlindlyAsync("/test/sign-in?organisation=Somebody&role=Owner&admin=false", new StringContent(""));
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = host.Url };
        using var key = new ClientKey();

        var begun = await PostAsync(http, "/connect/deviceauthorization", OAuthSite.Form(("client_id", "tollgate-cli"), ("scope", "tollgate:read")), null);
        var page = await (await person.SubmitAsync("/device", ("user_code", begun.Text("user_code")))).Content.ReadAsStringAsync();
        await person.SubmitHtmlAsync(page, ("decision", "allow"));
        var tokens = await PostAsync(http, "/connect/token", OAuthSite.Form(("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", begun.Text("device_code")), ("client_id", "tollgate-cli")),
            Proof(key, "/connect/token", "POST"));
        tokens.Text("token_type").ShouldBe("DPoP");
        var token = tokens.Text("access_token");

        var proof = Proof(key, "/api/v1/me", "GET", token);
        (await AskAsync(http, "/api/v1/me", "DPoP " + token, proof)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await ShouldRefuseAsync("a proof that was used", "/api/v1/me", "DPoP " + token, proof, "invalid_dpop_proof");
        (await AskAsync(http, "/api/v1/applications?x=1", "DPoP " + token, Proof(key, "/api/v1/applications", "GET", token))).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var other = new ClientKey();
        await ShouldRefuseAsync("no proof", "/api/v1/me", "DPoP " + token, null, "invalid_dpop_proof");
        await ShouldRefuseAsync("another key", "/api/v1/me", "DPoP " + token, Proof(other, "/api/v1/me", "GET", token), "invalid_token");
        await ShouldRefuseAsync("another address", "/api/v1/me", "DPoP " + token, Proof(key, "/api/v1/applications", "GET", token), "invalid_dpop_proof");
        await ShouldRefuseAsync("another method", "/api/v1/me", "DPoP " + token, Proof(key, "/api/v1/me", "POST", token), "invalid_dpop_proof");
        await ShouldRefuseAsync("another token", "/api/v1/me", "DPoP " + token, Proof(key, "/api/v1/me", "GET", token + "x"), "invalid_dpop_proof");
        await ShouldRefuseAsync("as one of the bearer", "/api/v1/me", "Bearer " + token, Proof(key, "/api/v1/me", "GET", token), "invalid_token");

        async Task ShouldRefuseAsync(string what, string path, string authorization, string? dpop, string error)
        {
            using var answer = await AskAsync(http, path, authorization, dpop);
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, what);
            var challenge = answer.Headers.WwwAuthenticate.ToString();
            challenge.ShouldStartWith(authorization[..authorization.IndexOf(' ')], customMessage: what);
            challenge.ShouldContain($"error=\"{error}\"", customMessage: what);
        }
    }

    private static string Proof(ClientKey key, string path, string method, string? token = null) => key.Proof(path, method, token, claims => claims["htu"] = Site + path);

    private static async Task<HttpResponseMessage> AskAsync(HttpClient http, string path, string authorization, string? proof)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (proof is not null) request.Headers.Add("DPoP", proof);
        return await http.SendAsync(request);
    }

    private static async Task<Answer> PostAsync(HttpClient http, string path, string form, string? proof)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(form, null, "application/x-www-form-urlencoded") };
        if (proof is not null) request.Headers.Add("DPoP", proof);
        return await Answer.OfAsync(await http.SendAsync(request));
    }
}
