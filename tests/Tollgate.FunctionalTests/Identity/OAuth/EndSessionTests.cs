using System.Net;
using Tollgate.Contracts.Feeds;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

public sealed class EndSessionTests
{
    private const string Bye = "&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye&state=s%201";

    [Theory]
    [OnBothDatabases]
    public async Task Opening_the_address_asks_and_the_button_signs_out_and_leads_back(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid offline_access weather.read")));
        var path = "/connect/endsession?id_token_hint=" + tokens.Text("id_token") + Bye;
        var page = await person.GetAsync(path);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await page.Content.ReadAsStringAsync()).ShouldContain("asks to sign you out");
        page.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("form-action 'self' https://app.example;");
        Query(await person.GetAsync(Ask(more: "&prompt=none")))["code"].ShouldNotBeNull();   // a GET has changed nothing

        var cookie = person.Cookies["tollgate"]!.Value;
        var gone = await person.SubmitAsync(path);
        (gone.StatusCode, gone.Headers.Location!.OriginalString).ShouldBe((HttpStatusCode.SeeOther, "https://app.example/bye?state=s%201"));
        Query(await person.GetAsync(Ask(more: "&prompt=none")))["error"].ShouldBe("login_required");
        using var copy = new HttpRequestMessage(HttpMethod.Get, Ask(more: "&prompt=none"));
        copy.Headers.Add("Cookie", "tollgate=" + cookie);
        Query(await site.Http.SendAsync(copy))["error"].ShouldBe("login_required");

        // What came of the session went with it, at the gateways too.
        (await RefreshAsync(site, tokens.Text("refresh_token"))).ShouldBeError("invalid_grant");
        (await site.IntrospectAsync(tokens.Text("access_token"))).Body.ShouldBe("""{"active":false}""");
        (await UserInfoAsync(site, tokens.Text("access_token"))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await site.Host.FeedAsync()).Items.OfType<RevokedTokenItem>().ShouldHaveSingleItem();
        (await person.GetAsync(path)).Headers.Location!.OriginalString.ShouldBe("https://app.example/bye?state=s%201");   // nobody is there to be asked
    }

    [Theory]
    [OnBothDatabases]
    public async Task Who_asks_in_a_way_that_is_not_certain_gets_the_page_and_no_redirect(Shape shape)
    {
        string[] cases =
        [
            "?client_id=web&post_logout_redirect_uri=https%3A%2F%2Fevil.example",
            "?client_id=web&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye%2F",
            "?client_id=web&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fcb",
            "?client_id=nobody&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye",
            "?post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye",
            "?client_id=web&id_token_hint=eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJhdWQiOiJ3ZWIifQ.&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye",
            "",
        ];
        await using var site = await OAuthSite.StartAsync(shape);
        foreach (var query in cases)
        {
            using var person = await SignedInAsync(site);
            (await person.GetAsync("/connect/endsession" + query)).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await person.SubmitAsync("/connect/endsession" + query)).Headers.Location!.OriginalString.ShouldBe("/account/sign-in?notice=signed-out");
            Query(await person.GetAsync(Ask(more: "&prompt=none")))["error"].ShouldBe("login_required");
            (await site.Http.GetAsync("/connect/endsession" + query)).Headers.Location!.OriginalString.ShouldBe("/account/sign-in?notice=signed-out");
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task Forms_of_others_sign_nobody_out(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask()));
        var fields = new Dictionary<string, string> { ["id_token_hint"] = tokens.Text("id_token"), ["post_logout_redirect_uri"] = "https://app.example/bye" };
        var posted = await person.PostBlindlyAsync("/connect/endsession", new FormUrlEncodedContent(fields));
        posted.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        posted.Headers.Location!.OriginalString.ShouldStartWith("/connect/endsession?");
        (await person.GetAsync(posted.Headers.Location.OriginalString)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await person.PostBlindlyAsync("/connect/endsession/confirm", new FormUrlEncodedContent(fields))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await person.GetAsync("/connect/endsession?client_id=asks&id_token_hint=" + tokens.Text("id_token"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await person.GetAsync("/connect/endsession?client_id=web&client_id=asks")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        Query(await person.GetAsync(Ask(more: "&prompt=none")))["code"].ShouldNotBeNull();
    }
}
