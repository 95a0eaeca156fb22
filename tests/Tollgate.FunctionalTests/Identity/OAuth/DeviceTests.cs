using System.Net;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

public sealed class DeviceTests
{
    private const string File = $$"""
        {
          "users": [{ "email": "{{OAuthSite.Person}}", "password": "{{Visitor.Password}}", "confirmed": true }],
          "scopes": [{ "name": "weather.read", "audience": "https://weather.example" }],
          "clients": [
            { "clientId": "tollgate-cli", "name": "Tollgate CLI", "public": true, "grants": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"], "scopes": ["openid", "offline_access", "weather.read"] },
            { "clientId": "web", "secret": "web secret", "grants": ["authorization_code"], "scopes": ["openid"], "redirectUris": ["https://app.example/cb"] }
          ]
        }
        """;

    [Theory]
    [OnBothDatabases]
    public async Task A_device_waits_until_its_person_has_agreed_on_another_screen(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, file: File, settings: ("Identity:DevicePollSeconds", "60"));
        using var person = new Visitor(site.Host.Url);
        var begun = await BeginAsync(site);
        begun.Text("user_code").ShouldMatch("^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$");
        begun.Text("verification_uri").ShouldBe(OAuthSite.Issuer + "/device");
        (begun.Json.GetProperty("interval").GetInt32(), begun.Json.GetProperty("expires_in").GetInt32()).ShouldBe((60, 600));
        (await PollAsync(site, begun.Text("device_code"))).ShouldBeError("authorization_pending");
        (await PollAsync(site, begun.Text("device_code"))).ShouldBeError("slow_down");

        // The complete address leads through the sign-in to the form, and by itself decides nothing.
        var complete = new Uri(begun.Text("verification_uri_complete")).PathAndQuery;
        var signInPage = (await person.GetAsync(complete)).Headers.Location!.OriginalString;
        var back = (await person.SubmitAsync(signInPage, ("email", OAuthSite.Person), ("password", Visitor.Password))).Headers.Location!.OriginalString;
        back.ShouldBe(complete);
        var asked = await person.SubmitAsync(back, ("user_code", begun.Text("user_code").ToLowerInvariant().Replace("-", " ")));
        var html = await asked.Content.ReadAsStringAsync();
        asked.StatusCode.ShouldBe(HttpStatusCode.OK, html);
        foreach (var shown in new[] { "Tollgate CLI", "my-laptop", "127.0.0.1", begun.Text("user_code") }) html.ShouldContain(shown);
        (await PollAsync(site, begun.Text("device_code"))).Json.GetProperty("error").GetString().ShouldBeOneOf("authorization_pending", "slow_down");
        (await person.PostBlindlyAsync("/device/decide", new FormUrlEncodedContent(new Dictionary<string, string> { ["user_code"] = begun.Text("user_code"), ["decision"] = "allow" })))
            .StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        (await person.SubmitHtmlAsync(html, ("decision", "allow"))).Headers.Location!.OriginalString.ShouldBe("/device/done");
        var tokens = await PollAsync(site, begun.Text("device_code"));
        tokens.Status.ShouldBe(HttpStatusCode.OK, tokens.Body);
        tokens.Text("id_token").ShouldNotBeEmpty();
        (await PollAsync(site, begun.Text("device_code"))).ShouldBeError("invalid_grant");

        // The device's session is its own: it outlives the browser's.
        await person.SubmitAsync("/account/sign-out");
        (await UserInfoAsync(site, tokens.Text("access_token"))).Status.ShouldBe(HttpStatusCode.OK);
        (await site.TokenAsync(OAuthSite.Form(("grant_type", "refresh_token"), ("refresh_token", tokens.Text("refresh_token")), ("client_id", "tollgate-cli")))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Who_refuses_guesses_or_comes_late_lets_no_device_in(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, file: File);
        using var person = await SignedInAsync(site);
        var begun = await BeginAsync(site);
        var page = await (await person.SubmitAsync("/device", ("user_code", begun.Text("user_code")))).Content.ReadAsStringAsync();
        await person.SubmitHtmlAsync(page, ("decision", "deny"));
        (await PollAsync(site, begun.Text("device_code"))).ShouldBeError("access_denied");

        await using var brief = await OAuthSite.StartAsync(shape, file: File, settings: ("Identity:DeviceCodeLifetimeSeconds", "1"));
        var late = await BeginAsync(brief);
        await Deadline.UntilAsync("the code's time is over", async () => (await PollAsync(brief, late.Text("device_code"))).Json.GetProperty("error").GetString() == "expired_token");
        (await PollAsync(site, "nonsense")).ShouldBeError("invalid_grant");
        (await site.PostAsync("/connect/deviceauthorization", OAuthSite.Form(("scope", "openid")), OAuthSite.Basic("web", "web secret"))).ShouldBeError("unauthorized_client");
        (await site.PostAsync("/connect/deviceauthorization", OAuthSite.Form(("client_id", "tollgate-cli"), ("scope", "nothing")))).ShouldBeError("invalid_scope");

        // Right codes are not counted; five wrong ones are all that a session has.
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 6; i++) statuses.Add((await person.SubmitAsync("/device", ("user_code", "BBBB-BBBB"))).StatusCode);
        statuses[..5].ShouldAllBe(status => status == HttpStatusCode.UnprocessableEntity);
        statuses[^1].ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Who_proves_nothing_fills_no_table(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:TokenLimits:UnprovenPerAddressPerMinute", "5"));
        var answers = new List<Answer>();
        for (var i = 0; i < 12; i++) answers.Add(await site.PostAsync("/connect/deviceauthorization", "client_id=tollgate-cli&scope=openid"));
        answers[0].Status.ShouldBe(HttpStatusCode.OK);
        answers[^1].ShouldBeError("temporarily_unavailable", 429);
        answers[^1].Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
        var pushed = await site.PostAsync("/connect/par", OAuthSite.Form(("client_id", "spa"), ("response_type", "code"), ("redirect_uri", "http://127.0.0.1:5000/cb"), ("scope", "openid"),
            ("code_challenge", CodeFlow.Challenge), ("code_challenge_method", "S256")));
        ((int)pushed.Status).ShouldBe(429);
        await site.WorkerTokenAsync();   // who proves something is not kept waiting by those
    }

    private static async Task<Answer> BeginAsync(OAuthSite site) =>
        await site.PostAsync("/connect/deviceauthorization", OAuthSite.Form(("client_id", "tollgate-cli"), ("scope", "openid offline_access weather.read"), ("device_name", "my-laptop")));

    private static Task<Answer> PollAsync(OAuthSite site, string code) => site.TokenAsync(
        OAuthSite.Form(("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", code), ("client_id", "tollgate-cli")));
}
