using System.Net;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Storage;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>What people have allowed applications: shown to them, and theirs to take back.</summary>
public sealed class ConsentTests
{
    [Theory]
    [OnBothDatabases]
    public async Task Who_takes_access_back_is_rid_of_the_application_at_once_and_asked_again(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        (await person.GetStringAsync("/account/applications")).ShouldContain("There are none.");
        var ask = Ask("asks", "https://third.example/cb", "openid weather.read offline_access");
        var given = await person.SubmitAsync(ask, ("decision", "allow"));
        var tokens = await RedeemAsync(site, Query(given)["code"]!, redirectUri: "https://third.example/cb", client: "asks", secret: "asks secret");
        var waiting = Query(await person.GetAsync(ask))["code"]!;
        var own = await RedeemAsync(site, await CodeAsync(person, Ask()));   // a first-party application, which nobody was asked for

        var page = await person.GetStringAsync("/account/applications");
        foreach (var shown in new[] { "asks", "weather.read", "web" }) page.ShouldContain(shown);
        (await person.PostBlindlyAsync("/account/applications/withdraw", new FormUrlEncodedContent(new Dictionary<string, string> { ["client"] = "asks" }))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await person.SubmitAsync("/account/applications", ("client", "asks"))).Headers.Location!.OriginalString.ShouldBe("/account/applications?notice=withdrawn");

        (await site.IntrospectAsync(tokens.Text("access_token"))).Body.ShouldBe("""{"active":false}""");
        (await UserInfoAsync(site, tokens.Text("access_token"))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await site.TokenAsync(OAuthSite.Form(("grant_type", "refresh_token"), ("refresh_token", tokens.Text("refresh_token"))), OAuthSite.Basic("asks", "asks secret"))).ShouldBeError("invalid_grant");
        (await RedeemAsync(site, waiting, redirectUri: "https://third.example/cb", client: "asks", secret: "asks secret")).ShouldBeError("invalid_grant");
        (await site.Host.FeedAsync()).Items.OfType<RevokedTokenItem>().ShouldHaveSingleItem();
        Query(await person.GetAsync(ask + "&prompt=none"))["error"].ShouldBe("consent_required");
        (await UserInfoAsync(site, own.Text("access_token"))).Status.ShouldBe(HttpStatusCode.OK);   // nobody else is touched

        (await person.SubmitAsync("/account/applications", ("client", "asks"))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        var events = await site.Host.UseAsync<IdentityDb, List<string>>(db => db.AuditEvents.Where(e => e.Action.StartsWith("consent.")).OrderBy(e => e.Id).Select(e => e.Action).ToListAsync());
        events.ShouldBe(["consent.given", "consent.revoked"]);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_person_takes_back_nothing_of_another(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask()));
        using var other = await Visitor.SignedUpAsync(site.Host, "bob@example.com");
        var page = await person.GetStringAsync("/account/applications");
        (await other.SubmitHtmlAsync(page)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);   // a form of somebody else's page
        await RedeemAsync(site, await CodeAsync(other, Ask()));
        (await other.SubmitAsync("/account/applications", ("client", "web"))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await UserInfoAsync(site, tokens.Text("access_token"))).Status.ShouldBe(HttpStatusCode.OK);
    }
}
