using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Tollgate.Contracts;
using Tollgate.Identity.Organisations;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Portal;

/// <summary>Who sees which page, and what every page carries.</summary>
public sealed partial class PageAccessTests(PortalFixture fixture) : IClassFixture<PortalFixture>
{
    private static readonly string[] MemberPages = ["/start", "/apps", "/usage", "/usage?range=24h", "/billing"];
    private static readonly string[] AdminPages = ["/admin", "/admin/products", "/admin/products/new", "/admin/products/weather", "/admin/products/weather/subscribers", "/admin/organisations", "/admin/explain", "/admin/conformance"];

    [Theory]
    [InlineData("/", "Your first call in sixty seconds")]
    [InlineData("/", "€199.00 / month, 500,000 calls included, then €0.0004 a call")]
    [InlineData("/apis/weather", "Current weather")]
    [InlineData("/apis/weather", "weather/v1/current?city=Berlin")]
    public async Task Everybody_sees_what_is_on_offer(string path, string text)
    {
        using var client = Browser(fixture.Host.Anonymous());
        WebUtility.HtmlDecode(await client.GetStringAsync(path)).ShouldContain(text);
    }

    [Fact]
    public async Task A_plan_chosen_on_the_landing_page_goes_along_into_the_sign_up()
    {
        using var client = Browser(fixture.Host.Anonymous());
        var link = SignUpLink().Match(WebUtility.HtmlDecode(await client.GetStringAsync("/"))).Groups[1].Value;
        Uri.UnescapeDataString(link).ShouldMatch("^/start\\?plan=[0-9a-f-]{36}$");
    }

    [Fact]
    public async Task Who_is_not_signed_in_is_led_to_sign_in_and_back()
    {
        using var client = Browser(fixture.Host.Anonymous());
        foreach (var page in MemberPages.Concat(AdminPages))
        {
            using var answer = await client.GetAsync(page);
            answer.StatusCode.ShouldBe(HttpStatusCode.Redirect, page);
            answer.Headers.Location!.ToString().ShouldEndWith("/account/sign-in?returnUrl=" + Uri.EscapeDataString(page));
        }
    }

    [Fact]
    public async Task A_member_sees_the_organisation_and_not_the_platform()
    {
        using var client = Browser(await fixture.Host.SignInAsync("Members", OrganisationRole.Viewer));
        foreach (var page in MemberPages)
        {
            using var answer = await client.GetAsync(page);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, page);
            answer.Headers.CacheControl!.NoStore.ShouldBeTrue(page);
        }

        foreach (var page in AdminPages)
        {
            using var answer = await client.GetAsync(page);
            answer.StatusCode.ShouldBe(HttpStatusCode.Redirect, page);
            answer.Headers.Location!.ToString().ShouldContain("/account/denied");
        }
    }

    [Fact]
    public async Task A_platform_admin_sees_the_administration()
    {
        using var client = Browser(await fixture.Host.SignInAsync("Operators", OrganisationRole.Owner, platformAdmin: true));
        foreach (var page in AdminPages)
            (await client.GetAsync(page)).StatusCode.ShouldBe(HttpStatusCode.OK, page);
    }

    [Fact]
    public async Task Another_organisations_application_is_a_page_that_is_not_there()
    {
        using var owner = await fixture.Host.SignInAsync("Owner of it", OrganisationRole.Owner);
        using var other = Browser(await fixture.Host.SignInAsync("Other", OrganisationRole.Owner));
        var application = (await owner.PostAsJsonAsync("/api/v1/applications", new { name = "Hidden treasure" }).JsonAsync(HttpStatusCode.Created)).Id();

        (await Browser(owner).GetStringAsync($"/apps/{application}")).ShouldContain("Hidden treasure");
        using var answer = await other.GetAsync($"/apps/{application}");
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        var html = await answer.Content.ReadAsStringAsync();
        html.ShouldContain("There is nothing here");
        html.ShouldNotContain("Hidden treasure");
        (await other.GetStringAsync($"/usage?app={application}")).ShouldNotContain("Hidden treasure");
    }

    [Theory]
    [InlineData("/no/such/page")]
    [InlineData("/apis/no-such-product")]
    public async Task What_is_not_there_has_a_page_and_the_right_status(string path)
    {
        using var client = Browser(fixture.Host.Anonymous());
        using var answer = await client.GetAsync(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("There is nothing here");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/apis/weather")]
    [InlineData("/no/such/page")]
    [InlineData("/start")]
    [InlineData("/usage")]
    public async Task A_page_runs_no_script_but_ours_and_loads_nothing_from_elsewhere(string path)
    {
        using var client = Browser(await fixture.Host.SignInAsync("Headers", OrganisationRole.Owner));
        using var answer = await client.GetAsync(path);
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        policy.ShouldContain("script-src 'self';");
        policy.ShouldContain("frame-ancestors 'none'");
        answer.Headers.GetValues("X-Content-Type-Options").Single().ShouldBe("nosniff");
        answer.Headers.GetValues("Referrer-Policy").Single().ShouldBe("strict-origin-when-cross-origin");

        var html = await answer.Content.ReadAsStringAsync();
        foreach (Match script in Script().Matches(html)) script.Value.ShouldContain("src=\"");
        InlineHandler().IsMatch(html).ShouldBeFalse();
        foreach (Match source in Source().Matches(html)) source.Groups[1].Value.ShouldNotContain("//");
    }

    [Fact]
    public async Task Blazors_script_is_served_once_and_kept()
    {
        using var client = Browser(fixture.Host.Anonymous());
        var path = BlazorSource().Match(await client.GetStringAsync("/")).Groups[1].Value;
        using var answer = await client.GetAsync(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/javascript");
        answer.Headers.CacheControl!.MaxAge.ShouldBe(TimeSpan.FromDays(365));
        (await answer.Content.ReadAsByteArrayAsync()).Length.ShouldBeGreaterThan(100_000);

        using var again = new HttpRequestMessage(HttpMethod.Get, path);
        again.Headers.IfNoneMatch.Add(answer.Headers.ETag!);
        (await client.SendAsync(again)).StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    private static HttpClient Browser(HttpClient client)
    {
        client.DefaultRequestHeaders.Accept.Clear();
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        return client;
    }

    [GeneratedRegex("<script[^>]*>")]
    private static partial Regex Script();

    [GeneratedRegex("<[^>]+\\son[a-z]+=")]
    private static partial Regex InlineHandler();

    [GeneratedRegex("(?:<script[^>]+src|<link[^>]+href|<img[^>]+src)=\"([^\"]+)\"")]
    private static partial Regex Source();

    [GeneratedRegex("src=\"(/_framework/blazor.web.js[^\"]*)\"")]
    private static partial Regex BlazorSource();

    [GeneratedRegex("/account/sign-up\\?returnUrl=(%2Fstart%3Fplan%3D[^\"]+)\"")]
    private static partial Regex SignUpLink();
}
