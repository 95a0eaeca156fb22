using System.Net;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.Storage;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>The rarer rows of what a client is told: the store is away, the client is disabled or has not the grant.</summary>
public sealed class ErrorTableTests
{
    [Theory]
    [OnBothDatabases]
    public async Task While_the_store_is_away_clients_are_told_in_their_words_and_people_on_a_page(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var ask = Ask(more: "&state=s");

        // The client's address is certain by then: it is told there.
        await RenameAsync(site, shape, "authorization_codes", "away_codes");
        var told = await person.GetAsync(ask);
        told.StatusCode.ShouldBe(HttpStatusCode.Found);
        told.Headers.Location!.OriginalString.ShouldStartWith("https://app.example/cb?");
        (Query(told)["error"], Query(told)["state"], Query(told)["iss"]).ShouldBe(("temporarily_unavailable", "s", OAuthSite.Issuer));
        var redeemed = await RedeemAsync(site, "anything");
        redeemed.ShouldBeError("temporarily_unavailable", 503);
        redeemed.Headers.RetryAfter.ShouldNotBeNull();

        // Here nothing is certain: a page, and no address.
        await RenameAsync(site, shape, "oauth_clients", "away_clients");
        var page = await person.GetAsync(ask);
        page.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (page.Headers.Location, page.Headers.RetryAfter is null).ShouldBe((null, false));
        foreach (var path in new[] { "/connect/token", "/connect/introspect", "/connect/revocation", "/connect/par", "/connect/deviceauthorization" })
            (await site.PostAsync(path, "grant_type=client_credentials&token=x&scope=plain", OAuthSite.Basic("plain-worker", "another secret"))).ShouldBeError("temporarily_unavailable", 503);

        await RenameAsync(site, shape, "away_clients", "oauth_clients");
        await RenameAsync(site, shape, "away_codes", "authorization_codes");
        Query(await person.GetAsync(ask))["code"].ShouldNotBeNull();
        (await site.TokenAsync("grant_type=client_credentials", OAuthSite.Basic("plain-worker", "another secret"))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_client_without_the_grant_is_told_and_a_disabled_one_leads_nowhere(Shape shape)
    {
        var file = OAuthSite.File.Replace("\"clients\": [", """
            "clients": [ { "clientId": "no-codes", "secret": "no secret", "grants": ["client_credentials"], "scopes": ["openid"], "redirectUris": ["https://no.example/cb"] },
            """);
        await using var site = await OAuthSite.StartAsync(shape, file: file);
        using var person = await SignedInAsync(site);
        Query(await person.GetAsync(Ask("no-codes", "https://no.example/cb")))["error"].ShouldBe("unauthorized_client");
        (await site.TokenAsync("grant_type=refresh_token&refresh_token=x", OAuthSite.Basic("no-codes", "no secret"))).ShouldBeError("unauthorized_client");

        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid offline_access")));
        (await site.Host.UseAsync<ClientService, bool>(clients => clients.DisableAsync("web", true, default))).ShouldBeTrue();
        var page = await person.GetAsync(Ask());
        (page.StatusCode, page.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
        (await RefreshAsync(site, tokens.Text("refresh_token"))).ShouldBeError("invalid_client", 401);
        (await UserInfoAsync(site, tokens.Text("access_token"))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await site.IntrospectAsync(tokens.Text("access_token"), "platform", "platform secret")).Body.ShouldBe("""{"active":false}""");
        (await site.Host.UseAsync<ClientService, bool>(clients => clients.DisableAsync("web", false, default))).ShouldBeTrue();
        (await RefreshAsync(site, tokens.Text("refresh_token"))).Status.ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>A table that is not there fails as a lost server does: in the driver.</summary>
    private static Task<int> RenameAsync(OAuthSite site, Shape shape, string from, string to)
    {
        var sql = $"ALTER TABLE {(shape == Shape.Postgres ? IdentityDb.Name + "." : "")}{from} RENAME TO {to}";
        return site.Host.UseAsync<IdentityDb, int>(db => db.Database.ExecuteSqlRawAsync(sql));
    }
}
