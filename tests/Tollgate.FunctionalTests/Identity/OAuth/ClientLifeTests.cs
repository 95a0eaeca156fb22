using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>Clients that register themselves, and clients that are told of the end of a session.</summary>
public sealed class ClientLifeTests
{
    private const string Invitation = "an initial access token of forty characters";

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
            ("""{"redirect_uris":["https://a.example"],"jwks_uri":"http://169.254.169.254/"}""", "invalid_client_metadata"),
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
    public async Task A_client_is_told_of_the_end_of_a_session_and_told_again_where_it_did_not_listen(Shape shape)
    {
        var told = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var listener = builder.Build();
        listener.MapPost("/logout", async (HttpRequest request) =>
        {
            told.Enqueue((await request.ReadFormAsync())["logout_token"].ToString());
            return Results.StatusCode(told.Count == 1 ? 503 : 200);
        });
        await listener.StartAsync();
        await using var site = await OAuthSite.StartAsync(shape, file: OAuthSite.File.Replace("\"postLogoutRedirectUris\"", $"\"backChannelLogoutUri\": \"{listener.Urls.First()}/logout\", \"postLogoutRedirectUris\""));
        using var person = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask()));
        var id = new JsonWebToken(tokens.Text("id_token"));
        await person.SubmitAsync("/connect/endsession");

        await Deadline.UntilAsync("the client is told twice", () => Task.FromResult(told.Count >= 2), TimeSpan.FromSeconds(40));
        var keys = new JsonWebKeySet(await site.Http.GetStringAsync("/.well-known/openid-configuration/jwks")).GetSigningKeys();
        var read = await new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(told.Last(), new TokenValidationParameters
        {
            ValidTypes = ["logout+jwt"], ValidAlgorithms = ["RS256"], ValidIssuer = OAuthSite.Issuer, ValidAudience = "web", IssuerSigningKeys = keys,
        });
        read.IsValid.ShouldBeTrue(read.Exception?.Message);
        (read.Claims["sub"], read.Claims["sid"]).ShouldBe((id.Subject, id.GetClaim("sid").Value));
        read.Claims.ContainsKey("nonce").ShouldBeFalse();
        new JsonWebToken(told.Last()).GetPayloadValue<JsonElement>("events").GetProperty("http://schemas.openid.net/event/backchannel-logout").ValueKind.ShouldBe(JsonValueKind.Object);
        (await UserInfoAsync(site, told.Last())).Status.ShouldBe(HttpStatusCode.Unauthorized);   // it is no access token
    }

    private static async Task<HttpResponseMessage> RegisterAsync(OAuthSite site, string wish, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/connect/register") { Content = new StringContent(wish, Encoding.UTF8, "application/json") };
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await site.Http.SendAsync(request);
    }
}
