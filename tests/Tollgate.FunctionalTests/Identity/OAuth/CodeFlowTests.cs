using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Web;
using Microsoft.IdentityModel.JsonWebTokens;
using Tollgate.Contracts.Feeds;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

public sealed class CodeFlowTests
{
    [Theory]
    [OnBothDatabases]
    public async Task A_person_signs_in_and_the_client_learns_who_they_are(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = new Visitor(site.Host.Url);
        var asked = await person.GetAsync(Ask(scope: "openid profile email offline_access weather.read", more: "&nonce=n-1&state=s%20%26%2F1"));
        asked.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var signInPage = asked.Headers.Location!.OriginalString;
        signInPage.ShouldStartWith("/account/sign-in?");
        (await person.GetAsync(signInPage)).Headers.GetValues("Content-Security-Policy").Single().ShouldContain("form-action 'self' https://app.example");
        var signedIn = await person.SubmitAsync(signInPage, ("email", OAuthSite.Person), ("password", Visitor.Password));
        signedIn.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var answer = await person.GetAsync(signedIn.Headers.Location!.OriginalString);
        answer.Headers.Location!.OriginalString.ShouldStartWith("https://app.example/cb?");
        answer.Headers.Location.Fragment.ShouldBe("");
        var query = Query(answer);
        (query["iss"], query["state"], query["error"]).ShouldBe((OAuthSite.Issuer, "s &/1", null));

        var tokens = await RedeemAsync(site, query["code"]!);
        tokens.Status.ShouldBe(HttpStatusCode.OK, tokens.Body);
        var id = new JsonWebToken(tokens.Text("id_token"));
        (id.Issuer, id.Audiences.Single(), id.GetClaim("nonce").Value).ShouldBe((OAuthSite.Issuer, "web", "n-1"));
        id.GetClaim("at_hash").Value.ShouldBe(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(tokens.Text("access_token"))).AsSpan(0, 16)));
        var access = new JsonWebToken(tokens.Text("access_token"));
        (access.Subject, access.GetClaim("client_id").Value, access.Audiences.Single()).ShouldBe((id.Subject, "web", "https://weather.example"));
        Guid.TryParse(access.Subject, out _).ShouldBeTrue();

        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Post })
        {
            var info = await UserInfoAsync(site, tokens.Text("access_token"), method);
            (info.Text("sub"), info.Text("email"), info.Json.GetProperty("email_verified").GetBoolean()).ShouldBe((id.Subject, OAuthSite.Person, true));
        }

        // An ID token is no access token, and an access token without openid says nothing of the person.
        (await UserInfoAsync(site, tokens.Text("id_token"))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await site.IntrospectAsync(tokens.Text("id_token"))).Body.ShouldBe("""{"active":false}""");
        (await UserInfoAsync(site, await site.WorkerTokenAsync())).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await site.Http.GetAsync("/connect/userinfo?access_token=" + tokens.Text("access_token"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        site.Host.Logs.All.ShouldNotContain(query["code"]!);
        site.Host.Logs.All.ShouldNotContain(tokens.Text("refresh_token"));
    }

    [Theory]
    [OnBothDatabases]
    public async Task Of_many_redemptions_of_one_code_at_most_one_wins_and_its_tokens_die(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var code = await CodeAsync(person, Ask(scope: "openid offline_access weather.read"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => RedeemAsync(site, code)));
        var winners = answers.Where(a => a.Status == HttpStatusCode.OK).ToList();
        winners.Count.ShouldBe(1);
        foreach (var loser in answers.Except(winners)) loser.ShouldBeError("invalid_grant");
        (await site.IntrospectAsync(winners[0].Text("access_token"))).Body.ShouldBe("""{"active":false}""");
        (await UserInfoAsync(site, winners[0].Text("access_token"))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await RefreshAsync(site, winners[0].Text("refresh_token"))).ShouldBeError("invalid_grant");
        (await site.Host.FeedAsync()).Items.OfType<RevokedTokenItem>().ShouldHaveSingleItem();
    }

    [Theory]
    [OnBothDatabases]
    public async Task Refresh_tokens_rotate_and_a_second_use_ends_the_family(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var first = await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid offline_access weather.read weather.write")));
        var second = await RefreshAsync(site, first.Text("refresh_token"), "&scope=openid+weather.read");
        second.Status.ShouldBe(HttpStatusCode.OK, second.Body);
        second.Text("scope").ShouldBe("openid weather.read");
        second.Text("refresh_token").ShouldNotBe(first.Text("refresh_token"));
        var (one, other) = (new JsonWebToken(first.Text("id_token")), new JsonWebToken(second.Text("id_token")));
        (other.Subject, other.Issuer, other.GetClaim("auth_time").Value).ShouldBe((one.Subject, one.Issuer, one.GetClaim("auth_time").Value));
        (await RefreshAsync(site, second.Text("refresh_token"), "&scope=email")).ShouldBeError("invalid_scope");
        (await site.TokenAsync(OAuthSite.Form(("grant_type", "refresh_token"), ("refresh_token", second.Text("refresh_token"))), OAuthSite.Basic("asks", "asks secret"))).ShouldBeError("invalid_grant");

        var races = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RefreshAsync(site, second.Text("refresh_token"))));
        races.Count(a => a.Status == HttpStatusCode.OK).ShouldBe(1);
        var winner = races.Single(a => a.Status == HttpStatusCode.OK);
        (await RefreshAsync(site, winner.Text("refresh_token"))).ShouldBeError("invalid_grant");
        foreach (var dead in new[] { first, second, winner }) (await site.IntrospectAsync(dead.Text("access_token"))).Body.ShouldBe("""{"active":false}""");
    }

    [Theory]
    [OnBothDatabases]
    public async Task Revoking_a_refresh_token_or_signing_out_ends_what_came_of_it(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid offline_access weather.read")));
        await site.PostAsync("/connect/revocation", OAuthSite.Form(("token", tokens.Text("refresh_token"))), OAuthSite.Basic("asks", "asks secret"));
        (await site.IntrospectAsync(tokens.Text("refresh_token"), "platform", "platform secret")).Text("client_id").ShouldBe("web");   // the platform's own sees all
        (await site.IntrospectAsync(tokens.Text("refresh_token"))).Body.ShouldBe("""{"active":false}""");                              // an API, what is meant for it
        (await site.IntrospectAsync(tokens.Text("refresh_token"), "web", "web secret")).Json.GetProperty("active").GetBoolean().ShouldBeTrue();
        await site.PostAsync("/connect/revocation", OAuthSite.Form(("token", tokens.Text("refresh_token"))), OAuthSite.Basic("web", "web secret"));
        (await RefreshAsync(site, tokens.Text("refresh_token"))).ShouldBeError("invalid_grant");
        (await site.IntrospectAsync(tokens.Text("access_token"))).Body.ShouldBe("""{"active":false}""");

        var others = await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid offline_access weather.read")));
        var cookie = person.Cookies["tollgate"]!.Value;
        await person.SubmitAsync("/account/sign-out");
        (await RefreshAsync(site, others.Text("refresh_token"))).ShouldBeError("invalid_grant");

        // A copy of the cookie that was made before is worth nothing.
        using var thief = new HttpRequestMessage(HttpMethod.Get, Ask(more: "&prompt=none"));
        thief.Headers.Add("Cookie", "tollgate=" + cookie);
        Query(await site.Http.SendAsync(thief))["error"].ShouldBe("login_required");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_code_is_for_its_client_its_address_its_verifier_and_its_minute(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:CodeLifetimeSeconds", "1"));
        using var person = await SignedInAsync(site);
        async Task<string> CodeAsync() => await CodeFlow.CodeAsync(person, Ask());
        (await RedeemAsync(site, await CodeAsync(), verifier: new string('a', 43))).ShouldBeError("invalid_grant");
        (await RedeemAsync(site, await CodeAsync(), verifier: "")).ShouldBeError("invalid_grant");
        (await RedeemAsync(site, await CodeAsync(), verifier: Challenge)).ShouldBeError("invalid_grant");
        (await RedeemAsync(site, await CodeAsync(), redirectUri: "https://app.example/cb?x=1")).ShouldBeError("invalid_grant");
        (await RedeemAsync(site, await CodeAsync(), client: "asks", secret: "asks secret")).ShouldBeError("invalid_grant");
        (await RedeemAsync(site, "nonsense")).ShouldBeError("invalid_grant");
        (await RedeemAsync(site, "")).ShouldBeError("invalid_request");
        var late = await CodeAsync();
        var codes = DateTimeOffset.UtcNow;
        await Testing.Deadline.UntilAsync("the code's second is over", () => Task.FromResult(DateTimeOffset.UtcNow - codes > TimeSpan.FromSeconds(1.1)));
        (await RedeemAsync(site, late)).ShouldBeError("invalid_grant");
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_cannot_be_trusted_is_shown_and_never_redirected(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        foreach (var path in new[]
        {
            Ask(client: "nobody"), Ask(redirectUri: "https://evil.example/cb"), Ask(redirectUri: "https://app.example/cb/"), Ask(redirectUri: "https://app.example/CB"),
            Ask(redirectUri: "https://app.example/cb#x"), Ask(redirectUri: "https://app.example.evil.example/cb"), Ask(redirectUri: "https://app.example@evil.example/cb"),
            Ask(redirectUri: ""), Ask(more: "&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"), Ask(more: "&client_id=web"), "/connect/authorize", Ask(client: "<script>alert(1)</script>"),
        })
        {
            var answer = await site.Http.GetAsync(path);
            answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest, path);
            answer.Headers.Location.ShouldBeNull();
            (await answer.Content.ReadAsStringAsync()).ShouldNotContain("alert(1)");
            answer.Headers.GetValues("X-Frame-Options").ShouldBe(["DENY"]);
            answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task Other_mistakes_go_back_to_the_client(Shape shape)
    {
        (string what, string instead, string error)[] cases =
        [
            ("response_type=code", "", "invalid_request"),
            ("response_type=code", "response_type=token", "unsupported_response_type"),
            ("response_type=code", "response_type=code+id_token", "unsupported_response_type"),
            ("&code_challenge_method=S256", "", "invalid_request"),
            ("&code_challenge_method=S256", "&code_challenge_method=plain", "invalid_request"),
            ("&code_challenge=", "&no_challenge=", "invalid_request"),
            ("scope=openid", "scope=nothing", "invalid_scope"),
            ("scope=openid", "scope=maps", "invalid_scope"),
            ("scope=openid", "scope=a%22", "invalid_scope"),
            ("scope=openid", "scope=openid&scope=openid", "invalid_request"),
            ("&state=s", "&state=s&request=eyJ", "request_not_supported"),
            ("&state=s", "&state=s&request_uri=https%3A%2F%2Fevil.example", "request_uri_not_supported"),
            ("&state=s", "&state=s&registration=%7B%7D", "registration_not_supported"),
            ("&state=s", "&state=s&prompt=none+login", "invalid_request"),
            ("&state=s", "&state=s&max_age=-1", "invalid_request"),
            ("&state=s", "&state=s&response_mode=bogus", "invalid_request"),
            ("&state=s", "&state=s&prompt=none", "login_required"),
            ("&state=s", "&state=s&nonce=%00", "invalid_request"),
        ];
        await using var site = await OAuthSite.StartAsync(shape);
        foreach (var (what, instead, error) in cases)
        {
            var answer = await site.Http.GetAsync(Ask(more: "&state=s").Replace(what, instead));
            answer.StatusCode.ShouldBe(HttpStatusCode.Found);
            answer.Headers.Location!.OriginalString.ShouldStartWith("https://app.example/cb?");
            var query = Query(answer);
            (query["error"], query["state"], query["iss"], query["code"]).ShouldBe((error, "s", OAuthSite.Issuer, null));
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task People_are_asked_once_for_a_third_party_and_may_say_no(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var ask = Ask("asks", "https://third.example/cb", "openid weather.read");
        Query(await person.GetAsync(ask + "&prompt=none"))["error"].ShouldBe("consent_required");
        Query(await person.SubmitAsync(ask, ("decision", "deny")))["error"].ShouldBe("access_denied");
        var allowed = await person.SubmitAsync(ask, ("decision", "allow"));
        allowed.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await RedeemAsync(site, Query(allowed)["code"]!, redirectUri: "https://third.example/cb", client: "asks", secret: "asks secret")).Status.ShouldBe(HttpStatusCode.OK);
        Query(await person.GetAsync(ask))["code"].ShouldNotBeNull();   // remembered
        (await person.GetAsync(ask.Replace("weather.read", "weather.read+offline_access"))).StatusCode.ShouldBe(HttpStatusCode.OK);   // more: asked again
        (await person.PostBlindlyAsync("/connect/consent", new FormUrlEncodedContent(new Dictionary<string, string> { ["request"] = ask.Split('?')[1], ["decision"] = "allow" })))
            .StatusCode.ShouldBe(HttpStatusCode.BadRequest);   // no form of ours
    }

    [Theory]
    [OnBothDatabases]
    public async Task Login_and_max_age_ask_for_the_password_again_once(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        foreach (var more in new[] { "&prompt=login", "&max_age=0" })
        {
            var page = (await person.GetAsync(Ask(more: more))).Headers.Location!.OriginalString;
            page.ShouldStartWith("/account/sign-in?");
            var signedIn = await person.SubmitAsync(page, ("email", OAuthSite.Person), ("password", Visitor.Password));
            Query(await person.GetAsync(signedIn.Headers.Location!.OriginalString))["code"].ShouldNotBeNull();
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_a_deleted_account_gave_is_worth_nothing_at_once(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid offline_access weather.read")));
        (await site.IntrospectAsync(tokens.Text("access_token"))).Json.GetProperty("active").GetBoolean().ShouldBeTrue();

        (await person.SubmitAsync("/account/delete", ("email", OAuthSite.Person))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await site.IntrospectAsync(tokens.Text("access_token"))).Body.ShouldBe("""{"active":false}""");
        (await UserInfoAsync(site, tokens.Text("access_token"))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await RefreshAsync(site, tokens.Text("refresh_token"))).ShouldBeError("invalid_grant");
    }

    [Theory]
    [OnBothDatabases]
    public async Task The_longest_state_comes_back_however_much_of_it_must_be_escaped(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        var state = string.Concat(Enumerable.Repeat("{\"é\": 1} ", 300))[..2048];
        foreach (var (client, redirect) in new[] { ("web", "https://app.example/cb"), ("asks", "https://third.example/cb") })
        {
            using var person = new Visitor(site.Host.Url);
            var ask = Ask(client, redirect).Split('?')[1] + "&state=" + WebUtility.UrlEncode(state);
            var asked = await person.PostBlindlyAsync("/connect/authorize", new StringContent(ask, System.Text.Encoding.ASCII, "application/x-www-form-urlencoded"));
            var signedIn = await person.SubmitAsync(asked.Headers.Location!.OriginalString, ("email", OAuthSite.Person), ("password", Visitor.Password));
            var answer = await person.GetAsync(signedIn.Headers.Location!.OriginalString);
            if (client == "asks") answer = await person.SubmitHtmlAsync(await answer.Content.ReadAsStringAsync(), ("decision", "allow"));
            (Query(answer)["state"], Query(answer)["code"] is not null).ShouldBe((state, true), client);
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_native_client_may_choose_its_loopback_port(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var code = await CodeAsync(person, Ask("spa", "http://127.0.0.1:53211/cb", "openid"));
        var tokens = await site.TokenAsync(OAuthSite.Form(("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "http://127.0.0.1:53211/cb"),
            ("code_verifier", Verifier), ("client_id", "spa")));
        tokens.Status.ShouldBe(HttpStatusCode.OK, tokens.Body);
        (await site.Http.GetAsync(Ask("spa", "http://localhost:53211/cb"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await site.Http.GetAsync(Ask("spa", "http://127.0.0.1:53211@evil.example/cb"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_client_that_asks_for_a_new_account_gets_the_code_of_the_new_person(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var old = await SignedInAsync(site);
        var ask = Ask(more: "&prompt=create&state=s");
        var page = (await old.GetAsync(ask)).Headers.Location!.OriginalString;   // signed in or not
        page.ShouldStartWith("/account/sign-up?again=true&returnUrl=");
        var html = await old.GetStringAsync(page);
        html.ShouldContain("Create your account");
        html.ShouldContain("/account/sign-in?again=true&amp;returnUrl=");
        foreach (var beside in new[] { "create login", "none create" })
            Query(await old.GetAsync(Ask(more: "&prompt=" + Uri.EscapeDataString(beside))))["error"].ShouldBe("invalid_request");

        using var person = new Visitor(site.Host.Url);
        page = (await person.GetAsync(ask)).Headers.Location!.OriginalString;
        await person.SubmitAsync(page, ("email", "new@example.com"), ("password", Visitor.Password), ("organisation", "New"));
        var link = System.Text.RegularExpressions.Regex.Match(await site.Host.MailAsync("new@example.com", "Confirm your address"), @"https?://\S+/account/confirm\S+").Value;
        var back = (await person.ConfirmAsync(link, Visitor.Password)).Headers.Location!.OriginalString;
        var answer = Query(await person.GetAsync(back));
        (answer["error"], answer["state"]).ShouldBe((null, "s"));
        var tokens = await RedeemAsync(site, answer["code"]!);
        (await UserInfoAsync(site, tokens.Text("access_token"))).Text("sub").ShouldNotBe((await UserInfoAsync(site, (await RedeemAsync(site, await CodeAsync(old, Ask()))).Text("access_token"))).Text("sub"));
    }

    [Theory]
    [OnBothDatabases]
    public async Task The_page_for_signing_in_leads_on_to_addresses_of_the_client_alone(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        (string Client, string RedirectUri, string Policy)[] cases =
        [
            ("web", "https://app.example/cb", "form-action 'self' https://app.example;"),
            ("spa", "http://127.0.0.1:4711/cb", "form-action 'self' http://127.0.0.1:4711;"),
            ("web", "https://evil.example/cb", "form-action 'self';"),
            ("web", "https://app.example/other", "form-action 'self';"),
            ("nobody", "https://app.example/cb", "form-action 'self';"),
            ("spa", "http://127.0.0.1:4711@evil.example/cb", "form-action 'self';"),
        ];
        foreach (var (client, redirectUri, policy) in cases)
        {
            using var person = new Visitor(site.Host.Url);
            var page = await person.GetAsync("/account/sign-in?returnUrl=" + WebUtility.UrlEncode(Ask(client, redirectUri)));
            page.Headers.GetValues("Content-Security-Policy").Single().ShouldContain(policy, customMessage: redirectUri);
            var refused = await person.SubmitHtmlAsync(await page.Content.ReadAsStringAsync(), ("email", "nobody@example.com"), ("password", "wrong wrong wrong"));
            refused.Headers.GetValues("Content-Security-Policy").Single().ShouldContain(policy, customMessage: redirectUri);
        }

        // Of a request that was pushed, what stands beside its name counts for nothing.
        var pushed = await site.PostAsync("/connect/par", Ask()["/connect/authorize?".Length..], OAuthSite.Basic("web", "web secret"));
        using var sent = new Visitor(site.Host.Url);
        var way = (await sent.GetAsync($"/connect/authorize?client_id=web&request_uri={WebUtility.UrlEncode(pushed.Text("request_uri"))}&redirect_uri=https%3A%2F%2Fevil.example%2Fcb")).Headers.Location!.OriginalString;
        way.ShouldNotContain("evil");
        (await sent.GetAsync(way)).Headers.GetValues("Content-Security-Policy").Single().ShouldContain("form-action 'self' https://app.example;");
        var back = await sent.SubmitAsync(way, ("email", OAuthSite.Person), ("password", Visitor.Password));
        Query(await sent.GetAsync(back.Headers.Location!.OriginalString))["code"].ShouldNotBeNull();
    }
}
