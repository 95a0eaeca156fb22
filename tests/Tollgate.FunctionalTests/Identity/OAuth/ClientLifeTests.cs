using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>Clients that are told of the end of a session.</summary>
public sealed class ClientLifeTests
{
    [Theory]
    [OnBothDatabases("false")]
    [OnBothDatabases("true")]
    public async Task A_client_that_wrote_its_own_address_down_makes_this_server_call_nobody_behind_it(string anywhere, Shape shape)
    {
        var called = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var listener = await Listener.StartAsync(app => app.MapPost("/{who}", (string who) => called.Enqueue(who)));
        var address = listener.Url;
        const string invitation = "an invitation of more than thirty-two characters";
        await using var site = await OAuthSite.StartAsync(shape, file: OAuthSite.File.Replace("\"postLogoutRedirectUris\"", $"\"backChannelLogoutUri\": \"{address}/operator\", \"postLogoutRedirectUris\""),
            settings: [("Identity:Registration:Token", invitation), ("Identity:BackChannelIntoPrivateNetworks", anywhere)]);
        using var person = await SignedInAsync(site);
        foreach (var uri in new[] { address + "/own", address.Replace("127.0.0.1", "localhost") + "/own", address.Replace("127.0.0.1", "[::ffff:127.0.0.1]") + "/own" })
        {
            var wish = $$"""{"redirect_uris":["https://agent.example/cb"],"scope":"openid","backchannel_logout_uri":"{{uri}}"}""";
            var id = (await Answer.OfAsync(await RegistrationTests.RegisterAsync(site, wish, invitation))).Text("client_id");
            (await person.SubmitAsync(Ask(id, "https://agent.example/cb"), ("decision", "allow"))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        }

        await CodeAsync(person, Ask());
        await person.SubmitAsync("/connect/endsession");
        await Deadline.UntilAsync("each was tried once", () => site.Host.UseAsync<Tollgate.Identity.Storage.IdentityDb, object?>(async db =>
            called.Contains("operator") && !await Microsoft.EntityFrameworkCore.EntityFrameworkQueryableExtensions.AnyAsync(db.LogoutNotices, n => n.Attempts == 0) ? called : null));
        if (anywhere == "true") await Deadline.UntilAsync("the others are called too", () => Task.FromResult(called.Count(who => who == "own") >= 2));
        else
        {
            await Deadline.UntilAsync("the operator reads why", () => Task.FromResult(site.Host.Logs.All.Contains("Identity:BackChannelIntoPrivateNetworks") ? "" : null));
            called.Distinct().ShouldBe(["operator"]);    // who answers late is told again
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task Who_deletes_their_account_is_signed_out_of_the_applications_too(Shape shape)
    {
        var told = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var listener = await Listener.StartAsync(app => app.MapPost("/logout", async (HttpRequest request) => told.Enqueue((await request.ReadFormAsync())["logout_token"].ToString())));
        await using var site = await OAuthSite.StartAsync(shape, file: OAuthSite.File.Replace("\"postLogoutRedirectUris\"", $"\"backChannelLogoutUri\": \"{listener.Url}/logout\", \"postLogoutRedirectUris\""));
        using var person = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid weather.read offline_access")));
        (await person.SubmitAsync("/account/delete", ("email", OAuthSite.Person))).StatusCode.ShouldBe(HttpStatusCode.OK);
        var token = await Deadline.UntilAsync("the client is told", () => Task.FromResult(told.FirstOrDefault()));
        new JsonWebToken(token).Subject.ShouldBe(new JsonWebToken(tokens.Text("id_token")).Subject);
        (await site.Host.FeedAsync()).Items.OfType<Contracts.Feeds.RevokedTokenItem>().Select(t => t.Jti).ShouldContain(new JsonWebToken(tokens.Text("access_token")).Id);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_client_is_told_of_the_end_of_a_session_and_told_again_where_it_did_not_listen(Shape shape)
    {
        var told = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var listener = await Listener.StartAsync(app => app.MapPost("/logout", async (HttpRequest request) =>
        {
            told.Enqueue((await request.ReadFormAsync())["logout_token"].ToString());
            return Results.StatusCode(told.Count == 1 ? 503 : 200);
        }));
        await using var site = await OAuthSite.StartAsync(shape, file: OAuthSite.File.Replace("\"postLogoutRedirectUris\"", $"\"backChannelLogoutUri\": \"{listener.Url}/logout\", \"postLogoutRedirectUris\""));
        using var person = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask()));
        var id = new JsonWebToken(tokens.Text("id_token"));
        await person.SubmitAsync("/connect/endsession");

        await Deadline.UntilAsync("the client is told twice", () => Task.FromResult(told.Count >= 2));
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
}
