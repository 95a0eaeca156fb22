using System.Net;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.Storage;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>Access tokens that say nothing themselves: what a JWT would say is told to who may ask, and they end as those do.</summary>
public sealed class ReferenceTokenTests
{
    private static readonly string File = OAuthSite.File
        .Replace("\"clientId\": \"worker\",", "\"clientId\": \"worker\", \"accessTokenType\": \"reference\",")
        .Replace("\"clientId\": \"web\",", "\"clientId\": \"web\", \"accessTokenType\": \"reference\",");

    [Theory]
    [OnBothDatabases]
    public async Task A_reference_token_says_nothing_and_is_told_about_to_who_may_ask(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, file: File);
        var token = await site.WorkerTokenAsync("&scope=weather.read");
        token.ShouldMatch("^[A-Za-z0-9_-]{43}$");
        await site.Host.UseAsync<IdentityDb, bool>(async db =>
        {
            (await db.ReferenceTokens.SingleAsync()).Sha256.ShouldBe(Secrets.Sha256(token));
            return true;
        });

        var told = await site.IntrospectAsync(token);
        (told.Json.GetProperty("active").GetBoolean(), told.Text("client_id"), told.Text("sub"), told.Text("scope"), told.Text("aud"), told.Text("iss"), told.Text("token_type"))
            .ShouldBe((true, "worker", "worker", "weather.read", "https://weather.example", OAuthSite.Issuer, "Bearer"));
        told.Json.GetProperty("exp").GetInt64().ShouldBeGreaterThan(told.Json.GetProperty("iat").GetInt64());
        (await site.IntrospectAsync(token, "maps-api")).Body.ShouldBe("""{"active":false}""");
        (await site.IntrospectAsync(token, "stranger", "stranger secret")).Body.ShouldBe("""{"active":false}""");
        (await site.IntrospectAsync(token[..^1] + (token[^1] == 'A' ? 'B' : 'A'))).Body.ShouldBe("""{"active":false}""");

        // Another's revocation touches nothing, the client's own ends it.
        (await site.PostAsync("/connect/revocation", OAuthSite.Form(("token", token)), OAuthSite.Basic("stranger", "stranger secret"))).Status.ShouldBe(HttpStatusCode.OK);
        (await site.IntrospectAsync(token)).Json.GetProperty("active").GetBoolean().ShouldBeTrue();
        (await site.PostAsync("/connect/revocation", OAuthSite.Form(("token", token)), OAuthSite.Basic("worker", OAuthSite.Secret))).Status.ShouldBe(HttpStatusCode.OK);
        (await site.IntrospectAsync(token)).Body.ShouldBe("""{"active":false}""");
        (await site.Host.FeedAsync()).Items.OfType<Contracts.Feeds.RevokedTokenItem>().ShouldHaveSingleItem();
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_persons_reference_token_opens_userinfo_and_dies_with_its_family(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, file: File);
        using var person = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid email offline_access")));
        var token = tokens.Text("access_token");
        token.ShouldNotContain(".");
        (await UserInfoAsync(site, token)).Text("email").ShouldBe(OAuthSite.Person);
        (await UserInfoAsync(site, tokens.Text("refresh_token"))).Status.ShouldBe(HttpStatusCode.Unauthorized);   // the other kind of handle
        (await RefreshAsync(site, token)).ShouldBeError("invalid_grant");

        (await RefreshAsync(site, tokens.Text("refresh_token"))).Status.ShouldBe(HttpStatusCode.OK);
        (await RefreshAsync(site, tokens.Text("refresh_token"))).ShouldBeError("invalid_grant");
        (await UserInfoAsync(site, token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await site.IntrospectAsync(token, "platform", "platform secret")).Body.ShouldBe("""{"active":false}""");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_reference_token_ends_by_itself_and_may_be_bound_to_a_key(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, file: File, settings: ("Identity:AccessTokenLifetimeSeconds", "2"));
        using var key = new ClientKey();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/connect/token") { Content = new StringContent("grant_type=client_credentials&scope=weather.read", null, "application/x-www-form-urlencoded") };
        request.Headers.TryAddWithoutValidation("Authorization", OAuthSite.Basic("worker", OAuthSite.Secret));
        request.Headers.Add("DPoP", key.Proof("/connect/token"));
        var bound = await Answer.OfAsync(await site.Http.SendAsync(request));
        bound.Text("token_type").ShouldBe("DPoP");
        var told = await site.IntrospectAsync(bound.Text("access_token"));
        if (told.Json.GetProperty("active").GetBoolean()) told.Json.GetProperty("cnf").GetProperty("jkt").GetString().ShouldBe(key.Thumbprint);
        await Deadline.UntilAsync("the token is over", async () => !(await site.IntrospectAsync(bound.Text("access_token"))).Json.GetProperty("active").GetBoolean());
    }
}
