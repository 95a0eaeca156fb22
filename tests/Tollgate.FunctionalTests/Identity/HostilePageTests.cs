using System.Net;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity;

public sealed class HostilePageTests
{
    [Theory]
    [OnBothDatabases]
    public async Task A_form_that_another_site_made_does_nothing(Shape shape)
    {
        string[] cases =
        [
            "/account/sign-in",
            "/account/sign-up",
            "/account/forgot",
            "/account/resend",
            "/account/confirm",
            "/account/reset",
            "/account/sign-out",
        ];
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        foreach (var path in cases)
        {
            var answer = await person.PostBlindlyAsync(path, new FormUrlEncodedContent(
                new Dictionary<string, string> { ["email"] = "ada@example.com", ["password"] = Visitor.Password, ["__RequestVerificationToken"] = "made-up" }));

            answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            (await person.GetAsync("/account/sign-in")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);   // still signed in
        }
    }

    /// <summary>Two pages for signing in were open, and the other one was first.</summary>
    [Fact]
    public async Task A_page_that_has_gone_stale_knows_the_way_back()
    {
        await using var host = await IdentityHost.StartAsync();
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        using var browser = new Visitor(host.Url);
        var page = await browser.GetStringAsync("/account/sign-in?returnUrl=%2Fapps%3Fpage%3D2");
        (await browser.SignInAsync("ada@example.com")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        var stale = await browser.SubmitHtmlAsync(page, ("email", "ada@example.com"), ("password", Visitor.Password));
        stale.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var html = await stale.Content.ReadAsStringAsync();
        html.ShouldContain("gone stale");
        html.ShouldContain("href=\"/account/sign-in?returnUrl=%2Fapps%3Fpage%3D2\"");
    }

    [Theory]
    [OnBothDatabases]
    public async Task Signing_out_takes_a_post(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        (await person.GetAsync("/account/sign-out")).StatusCode.ShouldBe(HttpStatusCode.OK);
        person.Cookies["tollgate"].ShouldNotBeNull();
    }

    [Theory]
    [OnBothDatabases]
    public async Task Signing_in_never_leads_off_this_host(Shape shape)
    {
        string[] cases =
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "\\\\evil.example/",
            "/\t/evil.example/",
            "javascript:alert(1)",
            "evil.example",
            "https:evil.example",
            " https://evil.example",
            "/ok\r\nSet-Cookie: a=b",
        ];
        await using var host = await IdentityHost.StartAsync(shape, settings: ("Identity:AdminPassword", Visitor.Password));
        foreach (var returnUrl in cases)
        {
            using var admin = new Visitor(host.Url);

            var answer = await admin.SignInAsync("admin@tollgate.local", query: "?returnUrl=" + Uri.EscapeDataString(returnUrl));
            answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
            answer.Headers.Location!.OriginalString.ShouldBe("/account");

            answer = await admin.GetAsync("/account/sign-in?returnUrl=" + Uri.EscapeDataString(returnUrl));
            answer.Headers.Location!.OriginalString.ShouldBe("/account");
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task Every_page_forbids_inline_and_foreign_script_frames_referrers_and_caches(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = new Visitor(host.Url);
        foreach (var page in new[] { "sign-in", "sign-up", "check-your-mail", "confirm?id=x&code=y", "forgot", "reset?id=x&code=y", "sign-out", "denied" })
        {
            var answer = await person.GetAsync("/account/" + page);
            var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            policy.ShouldContain("default-src 'none'");
            policy.ShouldContain("frame-ancestors 'none'");
            policy.ShouldNotContain("unsafe");
            // The offer of passkeys alone is script, from a file of ours; the form beside it works without.
            var isSignIn = page == "sign-in";
            policy.Split(';', StringSplitOptions.TrimEntries).Where(p => p.StartsWith("script-src", StringComparison.Ordinal)).ShouldBe(isSignIn ? ["script-src 'self'"] : []);
            answer.Headers.GetValues("Referrer-Policy").Single().ShouldBe("no-referrer");
            answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
            answer.Headers.Contains("blazor-enhanced-nav").ShouldBeFalse();
            var html = await answer.Content.ReadAsStringAsync();
            System.Text.RegularExpressions.Regex.Matches(html, "<script[^>]*>").Select(m => m.Value).ShouldBe(isSignIn ? ["<script src=\"/_content/Tollgate.Identity/passkeys.js\" defer>"] : []);
            html.ShouldNotContain("style=");
            html.ShouldContain("<html lang=\"en\">");
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_is_no_form_or_too_much_of_one_is_refused_with_a_sentence(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = new Visitor(host.Url);

        (await person.PostBlindlyAsync("/account/sign-in", new StringContent("{}", null, "application/json"))).StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        (await person.PostBlindlyAsync("/account/sign-in", new FormUrlEncodedContent([new("email", new string('a', 100_000))]))).StatusCode
            .ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await person.PostBlindlyAsync("/account/sign-in", new FormUrlEncodedContent(Enumerable.Range(0, 100).Select(i => new KeyValuePair<string, string>("f" + i, "x")))))
            .StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await person.SubmitAsync("/account/sign-in", ("email", "a\0b"), ("password", "p"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await person.SubmitAsync("/account/sign-in", ("email", "a b"), ("password", new string('p', 5000)))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await person.SubmitAsync("/account/sign-up", ("email", "ünï@exämple.com\u202e"), ("password", "\ud83d"), ("organisation", "<script>"))).StatusCode
            .ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await person.GetAsync("/account/reset?id=../../x&code=%00%ff")).StatusCode.ShouldBe(HttpStatusCode.Gone);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_body_that_breaks_off_is_answered_in_words(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var http = new HttpClient { BaseAddress = host.Url };
        foreach (var (method, path) in new[] { (HttpMethod.Post, "/account/sign-in"), (HttpMethod.Get, "/account/sign-in"), (HttpMethod.Get, "/account/confirm") })
        {
            using var request = new HttpRequestMessage(method, path) { Content = new StringContent("email=a") };
            request.Content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
            (await http.SendAsync(request)).StatusCode.ShouldBe(method == HttpMethod.Post ? HttpStatusCode.BadRequest : HttpStatusCode.OK, path);
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task Who_tries_too_often_is_told_when_to_come_back(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape, settings: ("Identity:Limits:SignInsPerEmailPerMinute", "2"));
        using var person = new Visitor(host.Url);
        for (var i = 0; i < 2; i++) await person.SignInAsync("nobody@example.com");

        var answer = await person.SignInAsync("NOBODY@example.com");
        answer.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(1, 30);
        (await person.SignInAsync("somebody@example.com")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Theory]
    [OnBothDatabases]
    public async Task The_page_of_mails_is_a_development_hosts_alone(Shape shape)
    {
        await using var production = await IdentityHost.StartAsync(shape);
        using (var person = new Visitor(production.Url)) (await person.GetAsync("/dev/mail")).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        await using var host = await IdentityHost.StartAsync(shape, settings: ("Environment", "Development"));
        using var developer = await Visitor.SignedUpAsync(host, "ada@example.com");
        var list = await developer.GetStringAsync("/dev/mail");
        list.ShouldContain("Confirm your address");
        var name = System.Text.RegularExpressions.Regex.Match(list, "/dev/mail/([0-9a-f]{32})").Groups[1].Value;
        (await developer.GetStringAsync("/dev/mail/" + name)).ShouldContain("<a href=\"http://localhost:8090/account/confirm?id=");
        (await developer.GetAsync("/dev/mail/..%2Fidentity")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [OnBothDatabases]
    public async Task On_https_the_cookies_belong_to_this_host_alone(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape, settings: [("Identity:PublicUrl", "https://developers.example.com"), ("Identity:AdminPassword", Visitor.Password)]);
        using var http = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = host.Url };

        var page = await http.GetAsync("/account/sign-in");   // plain http, as behind a proxy that ends TLS
        page.Headers.GetValues("Set-Cookie").ShouldAllBe(c => c.StartsWith("__Host-tollgate-") && c.Contains("secure") && c.Contains("httponly") && c.Contains("samesite=strict"));
        var forgery = page.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("__Host-tollgate-form="));
        var token = System.Text.RegularExpressions.Regex.Match(await page.Content.ReadAsStringAsync(), "VerificationToken\" value=\"([^\"]+)").Groups[1].Value;

        using var form = new HttpRequestMessage(HttpMethod.Post, "/account/sign-in")
        {
            Headers = { { "Cookie", forgery.Split(';')[0] } },
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["__RequestVerificationToken"] = token, ["email"] = "admin@tollgate.local", ["password"] = Visitor.Password,
            }),
        };
        var answer = await http.SendAsync(form);
        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther, await answer.Content.ReadAsStringAsync() + host.Logs.All[^6000..]);
        var session = answer.Headers.GetValues("Set-Cookie").First(c => c.StartsWith("__Host-tollgate=", StringComparison.Ordinal));
        session.ShouldContain("secure");
        session.ShouldContain("httponly");
        session.ShouldContain("samesite=lax");
        session.ShouldContain("path=/");
    }

    [Theory]
    [InlineData("https://münchen.example/cb")]
    [InlineData("https://\u0430pple.example:8443/cb")]
    [InlineData("https://evil.example;script-src%20*/cb")]
    [InlineData("https://ok.example'unsafe-inline'/cb")]
    [InlineData("//evil.example")]
    public async Task An_address_to_go_on_to_writes_nothing_into_the_policy_of_the_page(string redirectUri)
    {
        await using var host = await IdentityHost.StartAsync();
        using var person = new Visitor(host.Url);
        var page = await person.GetAsync("/account/sign-in?returnUrl=" + Uri.EscapeDataString("/connect/authorize?redirect_uri=" + Uri.EscapeDataString(redirectUri)));
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        page.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("form-action 'self'; base-uri");
    }

    [Theory]
    [InlineData("Acme\u2028Bcc: everybody@example.com")]
    [InlineData("Acme\u2029x")]
    [InlineData("Acme\u0085x")]
    [InlineData("Acme\r\nBcc: everybody@example.com")]
    public async Task A_name_is_one_line_by_whichever_character_it_could_end(string name)
    {
        await using var host = await IdentityHost.StartAsync();
        using var person = new Visitor(host.Url);
        (await person.SignUpAsync("ada@example.com", Visitor.Password, name)).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }
}
