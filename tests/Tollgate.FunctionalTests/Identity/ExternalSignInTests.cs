using System.Net;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Storage;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity;

/// <summary>Signing in through another issuer, which is here a second instance of our own.</summary>
public sealed class ExternalSignInTests
{
    private const string Mail = "ada@example.com";

    [Theory]
    [OnBothDatabases]
    public async Task Who_is_new_gets_an_account_and_comes_back_to_it(Shape shape)
    {
        await using var pair = await Pair.StartAsync(shape);
        using var person = new Visitor(pair.Ours.Url);
        (await pair.ThroughAsync(person, "/account/external/work?returnUrl=%2Fapps")).Headers.Location!.OriginalString.ShouldBe("/apps");
        (await person.GetStringAsync("/account")).ShouldContain(Mail);
        using var later = new Visitor(pair.Ours.Url);
        (await pair.ThroughAsync(later, "/account/external/work")).Headers.Location!.OriginalString.ShouldBe("/account");
        await pair.Ours.UseAsync<IdentityDb, bool>(async db =>
        {
            (await db.Accounts.CountAsync(a => a.Email == Mail)).ShouldBe(1);
            (await db.Sessions.Select(s => s.Methods).Distinct().SingleAsync()).ShouldBe("fed");
            return true;
        });

        // It is the only way in, so it stays.
        var html = await later.GetStringAsync("/account/connections");
        html.ShouldContain("Disconnect");
        (await later.SubmitToAsync("/account/connections", "/account/connections/remove")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Who_comes_on_several_pages_at_once_gets_one_account_and_is_in_on_all(Shape shape)
    {
        await using var pair = await Pair.StartAsync(shape);
        var pages = Enumerable.Range(0, 5).Select(_ => new Visitor(pair.Ours.Url)).ToArray();
        var ways = new List<string>();
        foreach (var page in pages) ways.Add(await pair.WayBackAsync(page, "/account/external/work?returnUrl=%2Fapps"));

        var answers = await Task.WhenAll(pages.Zip(ways, (page, way) => page.GetAsync(way)));
        answers.ShouldAllBe(answer => answer.StatusCode == HttpStatusCode.SeeOther && answer.Headers.Location!.OriginalString == "/apps");
        await pair.Ours.UseAsync<IdentityDb, bool>(async db =>
        {
            (await db.Accounts.CountAsync(a => a.Email == Mail)).ShouldBe(1);
            (await db.Sessions.CountAsync()).ShouldBe(5);
            return true;
        });
        foreach (var page in pages) page.Dispose();
    }

    [Theory]
    [OnBothDatabases]
    public async Task An_account_that_is_there_is_joined_by_who_is_signed_in_to_it_and_by_nobody_else(Shape shape)
    {
        await using var pair = await Pair.StartAsync(shape);
        using var owner = await Visitor.SignedUpAsync(pair.Ours, Mail);
        using var stranger = new Visitor(pair.Ours.Url);
        var refused = await pair.ThroughAsync(stranger, "/account/external/work");
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await refused.Content.ReadAsStringAsync()).ShouldContain("Sign in to it as always");
        stranger.Cookies["tollgate"].ShouldBeNull();

        var page = await owner.SubmitToAsync("/account/connections", "/account/connections", ("provider", "work"));
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        var link = WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(await page.Content.ReadAsStringAsync(), "class=\"button\" href=\"([^\"]+)\"").Groups[1].Value);
        (await pair.ThroughAsync(owner, link)).Headers.Location!.OriginalString.ShouldBe("/account/connections?notice=added");
        await pair.Ours.MailAsync(Mail, "Another way to sign in was added");
        (await pair.ThroughAsync(stranger, "/account/external/work")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        // Who takes it away again stays signed in, and what it opened is over.
        (await owner.SubmitToAsync("/account/connections", "/account/connections/remove")).Headers.Location!.OriginalString.ShouldBe("/account/connections?notice=removed");
        (await owner.GetAsync("/account/connections?notice=removed")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await stranger.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.Redirect);
    }

    [Theory]
    [OnBothDatabases]
    public async Task An_answer_that_was_not_asked_for_opens_nothing(Shape shape)
    {
        await using var pair = await Pair.StartAsync(shape);
        using var person = new Visitor(pair.Ours.Url);
        (await person.GetAsync("/account/external/callback?code=x&state=y")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await person.GetAsync("/account/external/nobody")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await person.GetAsync("/account/external/work");
        (await person.GetAsync("/account/external/callback?code=x&state=y")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var wrongCode = await person.GetAsync("/account/external/work");
        var state = System.Web.HttpUtility.ParseQueryString(wrongCode.Headers.Location!.Query)["state"];
        (await person.GetAsync($"/account/external/callback?code=x&state={state}")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await person.GetAsync($"/account/external/callback?code=x&state={state}")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);   // once
        person.Cookies["tollgate"].ShouldBeNull();
    }

    [Theory]
    [OnBothDatabases]
    public async Task An_issuer_that_always_says_who_it_is_must_have_said_so(Shape shape)
    {
        await using var pair = await Pair.StartAsync(shape);
        foreach (var (from, to) in new[] { ("&iss=", "&was="), ("&iss=http", "&iss=https") })
        {
            using var person = new Visitor(pair.Ours.Url);
            (await pair.ThroughAsync(person, "/account/external/work", back => back.Replace(from, to))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            person.Cookies["tollgate"].ShouldBeNull();
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task Where_a_person_goes_on_to_may_be_far_longer_than_a_cookie(Shape shape)
    {
        await using var pair = await Pair.StartAsync(shape);
        foreach (var state in new[] { new string('s', 2048), string.Concat(Enumerable.Repeat("%2B", 2048)) })
        {
            using var person = new Visitor(pair.Ours.Url);
            var back = "/connect/authorize?client_id=x&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=" + state;
            var begin = "/account/external/work?returnUrl=" + Uri.EscapeDataString(back);
            using (var fresh = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = pair.Ours.Url })
            using (var answer = await fresh.GetAsync(begin))
                answer.Headers.GetValues("Set-Cookie").ShouldAllBe(cookie => cookie.Length <= 4096);   // RFC 6265 §6.1: more, and browsers drop it
            (await pair.ThroughAsync(person, begin)).Headers.Location!.OriginalString.ShouldBe(back);
            person.Cookies.Select(c => c.Name).ShouldNotContain(name => name.StartsWith("tollgate-external", StringComparison.Ordinal));
        }

        // Farther than requests may carry: the person is signed in all the same.
        using var traveller = new Visitor(pair.Ours.Url);
        (await pair.ThroughAsync(traveller, "/account/external/work?returnUrl=%2F" + new string('a', 20_000))).Headers.Location!.OriginalString.ShouldBe("/account");
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_a_client_asks_for_is_asked_of_the_other_issuer_too(Shape shape)
    {
        await using var pair = await Pair.StartAsync(shape);
        using var person = new Visitor(pair.Ours.Url);
        foreach (var (asked, prompt, maxAge, hint) in new (string, string?, string?, string?)[]
        {
            ("", null, "2592000", null),   // it says when a person signed in where a limit is set, be it a wide one
            ("&login_hint=ada%2Bwork%40example.com", null, "2592000", "ada+work@example.com"),
            ("&prompt=login&login_hint=ada@example.com", "login", "0", "ada@example.com"),
            ("&prompt=select_account", "login", "0", null),
            ("&max_age=600", null, "600", null),
            ("&max_age=0", "login", "0", null),
        })
        {
            var page = (await person.GetAsync(OAuth.CodeFlow.Ask(more: asked))).Headers.Location!.OriginalString;
            page.ShouldStartWith("/account/sign-in?");
            // A wrong password between forgets nothing of it.
            foreach (var html in new[] { await person.GetStringAsync(page), await (await person.SubmitAsync(page, ("email", hint ?? ""), ("password", "wrong"))).Content.ReadAsStringAsync() })
            {
                var link = WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(html, "href=\"(/account/external/work[^\"]*)\"").Groups[1].Value);
                var there = System.Web.HttpUtility.ParseQueryString((await person.GetAsync(link)).Headers.Location!.Query);
                (there["prompt"], there["max_age"], there["login_hint"]).ShouldBe((prompt, maxAge, hint), asked);
            }
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task Who_must_prove_anew_who_they_are_proves_it_anew_at_the_other_issuer_and_goes_on(Shape shape)
    {
        await using var pair = await Pair.StartAsync(shape);
        using var person = new Visitor(pair.Ours.Url);
        foreach (var asked in new[] { "&prompt=login", "&max_age=0", "&max_age=600", "&prompt=login&max_age=600" })
        {
            var page = (await person.GetAsync(OAuth.CodeFlow.Ask(more: asked))).Headers.Location!.OriginalString;
            if (asked == "&max_age=600")   // fresh enough since the round before
            {
                page.ShouldStartWith("https://app.example/cb?code=");
                continue;
            }

            var link = WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(await person.GetStringAsync(page), "href=\"(/account/external/work[^\"]*)\"").Groups[1].Value);
            var back = (await pair.ThroughAsync(person, link)).Headers.Location!.OriginalString;
            OAuth.CodeFlow.Query(await person.GetAsync(back))["code"].ShouldNotBeNull();
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task An_issuer_that_let_somebody_through_who_signed_in_there_long_ago_opens_a_session_no_fresher_than_that(Shape shape)
    {
        await using var pair = await Pair.StartAsync(shape);
        using var there = new Visitor(pair.Theirs.Url);
        await there.SignInAsync(Mail);
        await pair.Theirs.UseAsync<IdentityDb, int>(db => db.Database.ExecuteSqlRawAsync(shape == Shape.Postgres
            ? """UPDATE identity.sessions SET "Opened" = now() - interval '2 hours'"""
            : $"UPDATE sessions SET \"Opened\" = {DateTimeOffset.UtcNow.AddHours(-2).UtcTicks}"));

        // Signed in as anywhere else; what wants a recent sign-in is not opened by it.
        using var person = new Visitor(pair.Ours.Url);
        var begun = (await person.GetAsync("/account/external/work?returnUrl=%2Faccount%2Fexport")).Headers.Location!;
        (await person.GetAsync((await there.GetAsync(begun.PathAndQuery)).Headers.Location!.PathAndQuery)).Headers.Location!.OriginalString.ShouldBe("/account/export");
        (await person.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var again = (await person.GetAsync("/account/export")).Headers.Location!.OriginalString;
        again.ShouldStartWith("/account/sign-in?again=true&fresh=0");
        var link = WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(await person.GetStringAsync(again), "href=\"(/account/external/work[^\"]*)\"").Groups[1].Value);

        // Who goes there with what is left out that asks for more, as a stranger at an open screen might, is let through there and not here.
        var asked = (await person.GetAsync(link)).Headers.Location!;
        var quietly = asked.PathAndQuery.Replace("&prompt=login", "").Replace("&max_age=0", "&max_age=2592000");
        var refused = await person.GetAsync((await there.GetAsync(quietly)).Headers.Location!.PathAndQuery);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await refused.Content.ReadAsStringAsync()).ShouldContain("too long ago");
        (await person.GetAsync("/account/export")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        asked = (await person.GetAsync(link)).Headers.Location!;
        var signIn = (await there.GetAsync(asked.PathAndQuery)).Headers.Location!.OriginalString;
        signIn.ShouldStartWith("/account/sign-in?");
        var onward = await there.SubmitAsync(signIn, ("email", Mail), ("password", Visitor.Password));
        var back = (await there.GetAsync(onward.Headers.Location!.OriginalString)).Headers.Location!.PathAndQuery;
        (await person.GetAsync(back)).Headers.Location!.OriginalString.ShouldBe("/account/export");
        (await person.GetAsync("/account/export")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private sealed class Pair(IdentityHost theirs, IdentityHost ours, TempFolder files) : IAsyncDisposable
    {
        public IdentityHost Ours => ours;
        public IdentityHost Theirs => theirs;

        public static async Task<Pair> StartAsync(Shape shape)
        {
            var files = new TempFolder();
            var url = $"http://127.0.0.1:{FreePort.Next()}";
            var bootstrap = files.Write("bootstrap.json", $$"""
                {"users":[{"email":"{{Mail}}","password":"{{Visitor.Password}}","confirmed":true}],
                 "clients":[{"clientId":"tollgate","secret":"a secret between the two","grants":["authorization_code"],"scopes":["openid","email","profile"],
                             "redirectUris":["http://localhost:8090/account/external/callback"]}]}
                """);
            var theirs = await IdentityHost.StartAsync(shape, settings: [("Urls", url), ("Identity:Issuer", url), ("Identity:PublicUrl", url), ("Identity:Bootstrap", bootstrap)]);
            var oursFile = files.Write("ours.json", OAuth.OAuthSite.File.Replace(Mail, "somebody@example.com"));
            var ours = await IdentityHost.StartAsync(shape, settings: [("Identity:Bootstrap", oursFile), ("Identity:External:work:Authority", url), ("Identity:External:work:ClientId", "tollgate"),
                ("Identity:External:work:ClientSecret", "a secret between the two"), ("Identity:External:work:Title", "Work")]);
            return new Pair(theirs, ours, files);
        }

        /// <summary>From our page or link to theirs, signed in there, and back with the answer.</summary>
        public async Task<HttpResponseMessage> ThroughAsync(Visitor person, string begin, Func<string, string>? onTheWay = null)
        {
            var back = await WayBackAsync(person, begin);
            return await person.GetAsync(onTheWay?.Invoke(back) ?? back);
        }

        /// <summary>The address at ours that theirs leads back to, not yet gone to.</summary>
        public async Task<string> WayBackAsync(Visitor person, string begin)
        {
            var address = begin.StartsWith('/') ? (await person.GetAsync(begin)).Headers.Location! : new Uri(begin);
            using var there = new Visitor(theirs.Url);
            await there.SignInAsync(Mail);
            var back = (await there.GetAsync(address.PathAndQuery)).Headers.Location!;
            if (back.OriginalString.StartsWith("/account/sign-in", StringComparison.Ordinal))   // asked anew
                back = (await there.GetAsync((await there.SubmitAsync(back.OriginalString, ("email", Mail), ("password", Visitor.Password))).Headers.Location!.OriginalString)).Headers.Location!;
            back.OriginalString.ShouldStartWith("http://localhost:8090/account/external/callback?");
            return back.PathAndQuery;
        }

        public async ValueTask DisposeAsync()
        {
            await theirs.DisposeAsync();
            await ours.DisposeAsync();
            files.Dispose();
        }
    }
}
