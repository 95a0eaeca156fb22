using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

public sealed partial class FormPostTests
{
    [Theory]
    [OnBothDatabases]
    public async Task An_answer_by_form_carries_what_the_address_would_and_its_policy_lets_it_through(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var answer = await person.GetAsync(Ask(more: "&response_mode=form_post&state=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var html = await answer.Content.ReadAsStringAsync();
        html.ShouldContain("<form method=\"post\" action=\"https://app.example/cb\">");
        html.ShouldNotContain("<script>alert(1)");
        var fields = Fields().Matches(html).ToDictionary(m => m.Groups[1].Value, m => WebUtility.HtmlDecode(m.Groups[2].Value));
        (fields["state"], fields["iss"]).ShouldBe(("\"><script>alert(1)</script>", OAuthSite.Issuer));
        (await RedeemAsync(site, fields["code"])).Status.ShouldBe(HttpStatusCode.OK);

        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        var script = Script().Match(html).Groups[1].Value;
        policy.ShouldContain($"script-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)))}'");
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldNotContain("form-action");
        (answer.Headers.CacheControl!.NoStore, answer.Headers.GetValues("Referrer-Policy").Single()).ShouldBe((true, "no-referrer"));
    }

    [Theory]
    [OnBothDatabases]
    public async Task Refusals_and_the_consent_pages_answer_go_by_form_too(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        (await (await person.GetAsync(Ask(scope: "nothing", more: "&response_mode=form_post&state=s"))).Content.ReadAsStringAsync()).ShouldContain("name=\"error\" value=\"invalid_scope\"");
        var ask = Ask("asks", "https://third.example/cb", "openid weather.read", "&response_mode=form_post&state=s");
        (await (await person.SubmitAsync(ask, ("decision", "deny"))).Content.ReadAsStringAsync()).ShouldContain("name=\"error\" value=\"access_denied\"");
        (await (await person.SubmitAsync(ask, ("decision", "allow"))).Content.ReadAsStringAsync()).ShouldContain("name=\"code\"");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_request_that_is_posted_is_judged_like_any_other_and_its_pages_may_lead_to_the_client(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var ask = Ask("asks", "https://third.example/cb", "openid weather.read").Split('?')[1];
        using var content = new StringContent(ask, Encoding.UTF8, "application/x-www-form-urlencoded");
        var page = await person.PostBlindlyAsync("/connect/authorize", content);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        page.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("form-action 'self' https://third.example;");

        // Without our cookie, from another site: once more by GET, so that the browser sends it.
        using var cross = new HttpRequestMessage(HttpMethod.Post, "/connect/authorize") { Content = new StringContent(ask, Encoding.UTF8, "application/x-www-form-urlencoded") };
        cross.Headers.Add("Sec-Fetch-Site", "cross-site");
        var again = await site.Http.SendAsync(cross);
        (again.StatusCode, again.Headers.Location!.OriginalString).ShouldBe((HttpStatusCode.SeeOther, "/connect/authorize?" + ask.Replace("+", "%20")));
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Fields();

    [GeneratedRegex("<script>(.*?)</script>")]
    private static partial Regex Script();
}
