using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>Clients that register themselves (RFC 7591), and look after their registration (RFC 7592).</summary>
public sealed class RegistrationTests
{
    private const string Invitation = "an initial access token of forty characters";
    private const string Wish = """{"client_name":"Agent","redirect_uris":["https://agent.example/cb"],"grant_types":["authorization_code","refresh_token"],"scope":"openid offline_access"}""";

    [Theory]
    [OnBothDatabases]
    public async Task A_program_with_an_invitation_registers_itself_and_people_are_asked(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: [("Identity:Registration:Token", Invitation), ("Identity:Registration:Scopes", "weather.read")]);
        (await site.Http.GetStringAsync("/.well-known/openid-configuration")).ShouldContain("/connect/register");
        const string wish = """{"client_name":"Agent","redirect_uris":["https://agent.example/cb"],"grant_types":["authorization_code","refresh_token"],"scope":"openid weather.read","software_id":"x"}""";
        (await RegisterAsync(site, wish, null)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await RegisterAsync(site, wish, "wrong")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var made = await RegisterAsync(site, wish, Invitation);
        made.StatusCode.ShouldBe(HttpStatusCode.Created);
        var client = JsonDocument.Parse(await made.Content.ReadAsStringAsync()).RootElement;
        var (id, secret) = (client.GetProperty("client_id").GetString()!, client.GetProperty("client_secret").GetString()!);
        client.GetProperty("client_secret_expires_at").GetInt32().ShouldBe(0);

        using var person = await SignedInAsync(site);
        var allowed = await person.SubmitAsync(Ask(id, "https://agent.example/cb", "openid weather.read"), ("decision", "allow"));
        (await RedeemAsync(site, Query(allowed)["code"]!, "https://agent.example/cb", client: id, secret: secret)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_wrong_registration_gets_its_word(Shape shape)
    {
        (string wish, string error)[] cases =
        [
            ("""{"redirect_uris":["http://agent.example/#x"]}""", "invalid_redirect_uri"),
            ("""{"redirect_uris":["javascript:alert(1)"]}""", "invalid_redirect_uri"),
            ("""{}""", "invalid_redirect_uri"),
            ("""{"redirect_uris":"https://a.example"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"grant_types":["implicit"]}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"response_types":["token"]}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"scope":"maps"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"token_endpoint_auth_method":"client_secret_jwt"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"token_endpoint_auth_method":"private_key_jwt"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"jwks_uri":"file:///etc/passwd"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"jwks_uri":"https://user@a.example/keys"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"jwks_uri":["https://a.example/keys"]}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"jwks":"https://a.example/keys"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"jwks_uri":"https://a.example/keys","jwks":{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}}""", "invalid_client_metadata"),
            // What a client believes to be protected by, and is not.
            ("""{"redirect_uris":["https://a.example"],"subject_type":"pairwise"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"id_token_encrypted_response_alg":"RSA-OAEP"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"userinfo_signed_response_alg":"RS256"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"authorization_signed_response_alg":"RS256"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"tls_client_certificate_bound_access_tokens":true}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"token_endpoint_auth_signing_alg":"none"}""", "invalid_client_metadata"),
            ("""{"redirect_uris":["https://a.example"],"token_endpoint_auth_signing_alg":7}""", "invalid_client_metadata"),
            // A private key beside a public one.
            ("""{"redirect_uris":["https://a.example"],"jwks":{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},{"kty":"oct","k":"AAAA"}]}}""", "invalid_client_metadata"),
            ("""[]""", "invalid_client_metadata"),
            ("""{""", "invalid_client_metadata"),
        ];
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:Registration:Token", Invitation));
        foreach (var (wish, error) in cases)
        {
            (await Answer.OfAsync(await RegisterAsync(site, wish, Invitation))).ShouldBeError(error);
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task Without_an_invitation_of_the_operator_there_is_no_registration(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        (await RegisterAsync(site, "{}", Invitation)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await site.Http.GetStringAsync("/.well-known/openid-configuration")).ShouldNotContain("registration_endpoint");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_registration_is_read_and_changed_by_who_was_given_its_token_and_by_nobody_else(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:Registration:Token", Invitation));
        var made = JsonNode.Parse((await Answer.OfAsync(await RegisterAsync(site, Wish, Invitation))).Body)!.AsObject();
        var (address, token, id, secret) = (Text(made, "registration_client_uri"), Text(made, "registration_access_token"), Text(made, "client_id"), Text(made, "client_secret"));
        address.ShouldBe($"{OAuthSite.Issuer}/connect/register/{id}");
        var path = new Uri(address).AbsolutePath;

        var read = await ManageAsync(site, HttpMethod.Get, path, token);
        (read.Status, read.Text("client_id"), read.Text("registration_access_token"), read.Json.TryGetProperty("client_secret", out _)).ShouldBe((HttpStatusCode.OK, id, token, false));
        read.Headers.CacheControl!.NoStore.ShouldBeTrue();
        foreach (var wrong in new[] { null, "", Invitation, token + "x", secret })
            (await ManageAsync(site, HttpMethod.Get, path, wrong)).Status.ShouldBe(HttpStatusCode.Unauthorized, wrong);
        (await ManageAsync(site, HttpMethod.Get, "/connect/register/web", token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await ManageAsync(site, HttpMethod.Get, "/connect/register/dcr_unknown", token)).Status.ShouldBe(HttpStatusCode.Unauthorized);

        JsonObject Change(Action<JsonObject> change)
        {
            var body = JsonNode.Parse(Wish)!.AsObject();
            (body["client_id"], body["client_secret"]) = (id, secret);
            change(body);
            return body;
        }

        foreach (var (wrong, error) in new (JsonObject, string)[]
        {
            (Change(b => b.Remove("client_id")), "invalid_client_metadata"),
            (Change(b => b["client_id"] = "web"), "invalid_client_metadata"),
            (Change(b => b["client_secret"] = "a secret of my own"), "invalid_client_metadata"),
            (Change(b => b["registration_access_token"] = "mine"), "invalid_request"),
            (Change(b => b["client_id_issued_at"] = 1), "invalid_request"),
            (Change(b => b["redirect_uris"] = new JsonArray("https://agent.example/#x")), "invalid_redirect_uri"),
            (Change(b => b["scope"] = "maps"), "invalid_client_metadata"),
        })
            (await ManageAsync(site, HttpMethod.Put, path, token, wrong)).ShouldBeError(error);

        var changed = await ManageAsync(site, HttpMethod.Put, path, token, Change(b => (b["client_name"], b["redirect_uris"]) = ("Agent two", new JsonArray("https://agent.example/other"))));
        (changed.Status, changed.Text("client_name"), changed.Json.TryGetProperty("client_secret", out _)).ShouldBe((HttpStatusCode.OK, "Agent two", false), changed.Body);
        using var person = await SignedInAsync(site);
        (await person.GetAsync(Ask(id, "https://agent.example/cb"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var allowed = await person.SubmitAsync(Ask(id, "https://agent.example/other"), ("decision", "allow"));
        (await RedeemAsync(site, Query(allowed)["code"]!, "https://agent.example/other", client: id, secret: secret)).Status.ShouldBe(HttpStatusCode.OK);

        // Without a secret from now on, and with another one again.
        (await ManageAsync(site, HttpMethod.Put, path, token, Change(b => b["token_endpoint_auth_method"] = "none"))).Status.ShouldBe(HttpStatusCode.OK);
        (await site.TokenAsync("grant_type=refresh_token&refresh_token=x", OAuthSite.Basic(id, secret))).ShouldBeError("invalid_client", 401);
        var fresh = await ManageAsync(site, HttpMethod.Put, path, token, Change(b => (b["token_endpoint_auth_method"], b["client_secret"]) = ("client_secret_post", null)));
        fresh.Text("client_secret").ShouldNotBe(secret);
        (await site.TokenAsync("grant_type=refresh_token&refresh_token=x", OAuthSite.Basic(id, fresh.Text("client_secret")))).ShouldBeError("invalid_grant");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_registration_that_is_ended_takes_its_tokens_along(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:Registration:Token", Invitation));
        var made = JsonNode.Parse((await Answer.OfAsync(await RegisterAsync(site, Wish, Invitation))).Body)!.AsObject();
        var (path, token, id, secret) = (new Uri(Text(made, "registration_client_uri")).AbsolutePath, Text(made, "registration_access_token"), Text(made, "client_id"), Text(made, "client_secret"));
        using var person = await SignedInAsync(site);
        var allowed = await person.SubmitAsync(Ask(id, "https://agent.example/cb", "openid offline_access"), ("decision", "allow"));
        var tokens = await RedeemAsync(site, Query(allowed)["code"]!, "https://agent.example/cb", client: id, secret: secret);

        (await ManageAsync(site, HttpMethod.Delete, path, token)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await ManageAsync(site, HttpMethod.Get, path, token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await ManageAsync(site, HttpMethod.Delete, path, token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await site.IntrospectAsync(tokens.Text("access_token"), "platform", "platform secret")).Body.ShouldBe("""{"active":false}""");
        (await UserInfoAsync(site, tokens.Text("access_token"))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await person.GetAsync(Ask(id, "https://agent.example/cb"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    private static string Text(JsonObject json, string name) => json[name].ShouldNotBeNull(json.ToJsonString()).GetValue<string>();

    private static async Task<Answer> ManageAsync(OAuthSite site, HttpMethod method, string path, string? token, JsonObject? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        return await Answer.OfAsync(await site.Http.SendAsync(request));
    }

    internal static async Task<HttpResponseMessage> RegisterAsync(OAuthSite site, string wish, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/connect/register") { Content = new StringContent(wish, Encoding.UTF8, "application/json") };
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await site.Http.SendAsync(request);
    }
}
