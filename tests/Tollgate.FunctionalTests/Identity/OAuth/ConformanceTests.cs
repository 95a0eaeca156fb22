using System.Net;
using System.Text.Json;
using Tollgate.FunctionalTests.Portal;
using Tollgate.Identity.OAuth.Conformance;
using Tollgate.Identity.Organisations;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>The report that reviewers ask for: every rule by its id, over the server and each client.</summary>
public sealed class ConformanceTests
{
    [Theory]
    [OnBothDatabases]
    public async Task The_report_tells_clients_that_hold_the_profiles_from_those_that_do_not(Shape shape)
    {
        using var key = new ClientKey();
        var file = OAuthSite.File.Replace("\"clients\": [", $$"""
            "clients": [
              { "clientId": "bank", "name": "Bank", "jwks": {{key.Jwks}}, "grants": ["authorization_code", "refresh_token", "client_credentials"], "scopes": ["openid", "offline_access"],
                "redirectUris": ["https://bank.example/cb"], "requireDpop": true, "requirePushedRequests": true, "signingAlgorithm": "ES256" },
            """);
        await using var site = await OAuthSite.StartAsync(shape, file: file);
        var report = await site.Host.UseAsync<ConformanceService, ConformanceReport>(service => service.ReportAsync(default));
        (report.Issuer, report.LeftOut).ShouldBe((OAuthSite.Issuer, 0));
        var (oauth, fapi) = (report.Profiles[0], report.Profiles[1]);
        oauth.Server.Select(r => r.Id).ShouldBe(Enumerable.Range(1, 8).Select(n => $"S{n:D2}"));
        fapi.Server.Select(r => r.Id).ShouldBe(Enumerable.Range(1, 8).Select(n => $"FS{n:D2}"));
        oauth.Clients.ShouldAllBe(c => c.Rules.Select(r => r.Id).SequenceEqual(Enumerable.Range(1, 12).Select(n => $"C{n:D2}")));
        fapi.Clients.ShouldAllBe(c => c.Rules.Select(r => r.Id).SequenceEqual(Enumerable.Range(1, 12).Select(n => $"FC{n:D2}")));
        report.Profiles.SelectMany(p => p.Server.Concat(p.Clients.SelectMany(c => c.Rules))).ShouldAllBe(r => r.Title.Length > 0 && r.Finding.Length > 0);

        oauth.Server.ShouldAllBe(r => r.Verdict != RuleVerdict.Fail);
        Verdicts(fapi.Server).ShouldContain(("FS01", RuleVerdict.Fail));
        var bank = fapi.Clients.Single(c => c.ClientId == "bank");
        bank.Rules.ShouldAllBe(r => r.Verdict != RuleVerdict.Fail);
        var spa = fapi.Clients.Single(c => c.ClientId == "spa");
        foreach (var rule in new[] { "FC02", "FC04", "FC05", "FC06", "FC12" }) Verdicts(spa.Rules).ShouldContain((rule, RuleVerdict.Fail));
        Verdicts(oauth.Clients.Single(c => c.ClientId == "spa").Rules).ShouldContain(("C05", RuleVerdict.Advice));
        Verdicts(oauth.Clients.Single(c => c.ClientId == "tollgate-cli").Rules).ShouldContain(("C01", RuleVerdict.Advice));
        oauth.Clients.ShouldNotContain(c => c.ClientId == "weather-api");   // it only asks
        report.Apis.ShouldBe(4);
    }

    [Theory]
    [OnBothDatabases]
    public async Task An_operator_may_require_pushed_requests_of_all(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: [("Identity:PushedRequestsRequired", "true"), ("Identity:DpopNonceRequired", "true"), ("Identity:CodeLifetimeSeconds", "300")]);
        (await Answer.OfAsync(await site.Http.GetAsync("/.well-known/openid-configuration"))).Json.GetProperty("require_pushed_authorization_requests").GetBoolean().ShouldBeTrue();
        Query(await site.Http.GetAsync(Ask()))["error"].ShouldBe("invalid_request");
        var pushed = await site.PostAsync("/connect/par", new Uri("http://x" + Ask()).Query[1..], OAuthSite.Basic("web", "web secret"));
        pushed.Status.ShouldBe(HttpStatusCode.Created, pushed.Body);
        using var person = await SignedInAsync(site);
        Query(await person.GetAsync("/connect/authorize?client_id=web&request_uri=" + Uri.EscapeDataString(pushed.Text("request_uri"))))["code"].ShouldNotBeNull();

        var report = await site.Host.UseAsync<ConformanceService, ConformanceReport>(service => service.ReportAsync(default));
        Verdicts(report.Profiles[1].Server).ShouldContain(("FS01", RuleVerdict.Pass));
        Verdicts(report.Profiles[0].Server).ShouldContain(("S07", RuleVerdict.Pass));
        Verdicts(report.Profiles[0].Clients.Single(c => c.ClientId == "web").Rules).ShouldContain(("C08", RuleVerdict.Fail));
    }

    [Fact]
    public async Task Staff_read_the_report_on_a_page_and_over_the_api()
    {
        await using var host = await PortalHost.StartAsync();
        var admin = await host.SignInAsync("Platform staff", OrganisationRole.Owner, platformAdmin: true);
        var report = await admin.GetAsync("/api/v1/admin/conformance").JsonAsync();
        report.GetProperty("profiles")[0].GetProperty("server")[0].GetProperty("id").GetString().ShouldBe("S01");
        report.GetProperty("profiles")[0].GetProperty("server")[0].GetProperty("verdict").ValueKind.ShouldBe(JsonValueKind.String);
        var page = await admin.GetStringAsync("/admin/conformance");
        foreach (var shown in new[] { "FAPI 2.0 Security Profile", "FC12", "tollgate-cli" }) page.ShouldContain(shown);
    }

    private static IEnumerable<(string, RuleVerdict)> Verdicts(IEnumerable<RuleFinding> rules) => rules.Select(r => (r.Id, r.Verdict));
}
