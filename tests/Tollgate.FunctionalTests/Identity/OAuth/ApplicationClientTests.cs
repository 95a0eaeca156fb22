using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Tollgate.FunctionalTests.Portal;
using Tollgate.Identity.Organisations;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>The OAuth clients of applications: made and rotated over the management API, taken by the real gateway.</summary>
public sealed class ApplicationClientTests(PortalFixture fixture) : IClassFixture<PortalFixture>
{
    [Fact]
    public async Task A_clients_token_is_good_under_its_applications_subscription_until_the_client_is_disabled()
    {
        await using var host = await HostProcess.StartAsync(["--Identity:AdminEmail", HostProcess.AdminEmail, "--Identity:AdminPassword", HostProcess.AdminPassword]);
        using var person = new PortalPerson(host.PortalUrl, host.Data.Path);
        await person.JoinAsync();
        var customer = await person.SubscribeAsync("free");
        var made = await person.PostAsync($"/applications/{customer.Application}/clients", new { name = "nightly job", kind = "service" });
        var (id, secret) = (made.GetProperty("client").GetProperty("clientId").GetString()!, made.GetProperty("secret").GetString()!);

        using var http = new HttpClient();
        async Task<HttpResponseMessage> CallAsync(string token)
        {
            using var call = new HttpRequestMessage(HttpMethod.Get, host.GatewayUrl + "/weather/v1/current?city=berlin");
            call.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            return await http.SendAsync(call);
        }

        var answer = await TokenAsync(http, host.PortalUrl, id, secret);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Body);
        var token = answer.Text("access_token");
        await Deadline.UntilAsync("the gateway takes the token", async () => (await CallAsync(token)).StatusCode == HttpStatusCode.OK);
        await Stories.FirstPaidCallTests.UntilUsageIsAsync(person, customer, 1);   // metered like a call with a key

        using var admin = new PortalPerson(host.PortalUrl, host.Data.Path);
        await admin.SignInAsync(HostProcess.AdminEmail, HostProcess.AdminPassword);
        (await admin.GetAsync("/admin/clients?q=nightly")).GetProperty("items").EnumerateArray().ShouldHaveSingleItem();
        await admin.PostAsync($"/admin/clients/{id}/disable", new { });
        await Deadline.UntilAsync("the gateway refuses the token", async () => (await CallAsync(token)).StatusCode == HttpStatusCode.Unauthorized);
        (await TokenAsync(http, host.PortalUrl, id, secret)).ShouldBeError("invalid_client", 401);
        await admin.PostAsync($"/admin/clients/{id}/enable", new { });
        await Deadline.UntilAsync("a new token is good", async () => (await CallAsync((await TokenAsync(http, host.PortalUrl, id, secret)).Text("access_token"))).StatusCode == HttpStatusCode.OK);

        // Its application alone is suspended: live tokens and keys are refused, new tokens are not given.
        token = (await TokenAsync(http, host.PortalUrl, id, secret)).Text("access_token");
        await admin.PostAsync($"/admin/applications/{customer.Application}/suspend", new { });
        await Deadline.UntilAsync("the gateway says why it refuses the token", async () => await (await CallAsync(token)).Content.ReadAsStringAsync() is var body && body.Contains("application_suspended"));
        await (await CallAsync(token)).ShouldBeProblemAsync(403, "application-suspended");
        await (await CallAsync(customer.Key)).ShouldBeProblemAsync(403, "application-suspended");
        (await TokenAsync(http, host.PortalUrl, id, secret)).ShouldBeError("invalid_client", 401);
        await admin.PostAsync($"/admin/applications/{customer.Application}/resume", new { });
        await Deadline.UntilAsync("the token is good again", async () => (await CallAsync(token)).StatusCode == HttpStatusCode.OK);

        await person.DeleteAsync($"/applications/{customer.Application}");
        (await TokenAsync(http, host.PortalUrl, id, secret)).ShouldBeError("invalid_client", 401);
    }

    [Theory, OnBothDatabases]
    public async Task Two_secrets_live_side_by_side_and_a_third_ends_the_oldest(Shape shape)
    {
        var host = await fixture.OnAsync(shape);
        var developer = await host.SignInAsync("Clients " + Guid.NewGuid(), OrganisationRole.Developer);
        var (application, _, _) = await developer.StoryAsync();
        var clients = $"/api/v1/applications/{application}/clients";
        var made = await developer.PostAsJsonAsync(clients, new { name = "job", kind = "service" }).JsonAsync(HttpStatusCode.Created);
        var id = made.GetProperty("client").GetProperty("clientId").GetString()!;
        var secrets = new List<string> { made.GetProperty("secret").GetString()! };
        for (var i = 0; i < 2; i++)
        {
            secrets.Add((await developer.PostAsJsonAsync($"{clients}/{id}/rotate", new { overlapMinutes = 60 }).JsonAsync(HttpStatusCode.Created)).GetProperty("secret").GetString()!);
            await ShouldBeGoodAsync(host, id, [.. secrets.TakeLast(2)], [.. secrets.SkipLast(2)]);
        }

        var last = await developer.PostAsJsonAsync($"{clients}/{id}/rotate", new { overlapMinutes = 0 }).JsonAsync(HttpStatusCode.Created);
        await ShouldBeGoodAsync(host, id, [last.GetProperty("secret").GetString()!], [.. secrets]);
        (await developer.GetAsync(clients).JsonAsync())[0].GetProperty("secrets").EnumerateArray().ShouldHaveSingleItem();
        var text = (await developer.GetAsync(clients).JsonAsync()).GetRawText();
        secrets.ShouldAllBe(s => !text.Contains(s));

        (await developer.DeleteAsync($"{clients}/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await ShouldBeGoodAsync(host, id, [], [last.GetProperty("secret").GetString()!]);
    }

    [Theory, OnBothDatabases]
    public async Task A_change_is_judged_and_never_undoes_anothers(Shape shape)
    {
        var host = await fixture.OnAsync(shape);
        var developer = await host.SignInAsync("Clients " + Guid.NewGuid(), OrganisationRole.Developer);
        var (application, _, _) = await developer.StoryAsync();
        var clients = $"/api/v1/applications/{application}/clients";
        foreach (var (form, field) in new (object, string)[]
        {
            (new { name = "", kind = "service" }, "name"),
            (new { name = "a", kind = "web" }, "redirectUris"),
            (new { name = "a", kind = "web", redirectUris = new[] { "javascript:alert(1)" } }, "redirectUris"),
            (new { name = "a", kind = "web", redirectUris = new[] { "https://a.example/#x" } }, "redirectUris"),
            (new { name = "a", kind = "web", redirectUris = new[] { "https://*.example/cb" } }, "redirectUris"),
            (new { name = "a", kind = "web", redirectUris = new[] { "/cb" } }, "redirectUris"),
            (new { name = "a", kind = "service", scopes = new[] { "openid" } }, "scopes"),
            (new { name = "a", kind = "public", redirectUris = new[] { "https://a.example/cb" }, origins = new[] { "*" } }, "origins"),
        })
            (await developer.PostAsJsonAsync(clients, form).JsonAsync(HttpStatusCode.UnprocessableEntity)).GetProperty("errors").TryGetProperty(field, out _).ShouldBeTrue(form.ToString());

        var made = (await developer.PostAsJsonAsync(clients, new { name = "app", kind = "public", redirectUris = new[] { "https://a.example/cb" }, scopes = new[] { "openid" } })
            .JsonAsync(HttpStatusCode.Created));
        made.GetProperty("secret").ValueKind.ShouldBe(JsonValueKind.Null);
        var id = made.GetProperty("client").GetProperty("clientId").GetString();
        var change = new { version = 1, client = new { name = "app two", kind = "public", redirectUris = new[] { "https://b.example/cb" } } };
        (await developer.PutAsJsonAsync($"{clients}/{id}", change).JsonAsync()).GetProperty("version").GetInt32().ShouldBe(2);
        (await developer.PutAsJsonAsync($"{clients}/{id}", change)).StatusCode.ShouldBe(HttpStatusCode.Conflict);

        // Others neither see it nor touch it; a viewer only looks.
        var stranger = await host.SignInAsync("Strangers " + Guid.NewGuid(), OrganisationRole.Owner);
        (await stranger.GetAsync(clients)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.PostAsJsonAsync(clients, new { name = "x", kind = "service" })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.DeleteAsync($"{clients}/{id}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.PostAsJsonAsync($"{clients}/{id}/rotate", new { overlapMinutes = 0 })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.PostAsJsonAsync($"/api/v1/admin/clients/{id}/disable", new { })).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        for (var i = 0; i < 4; i++) await developer.PostAsJsonAsync(clients, new { name = "more " + i, kind = "service" }).JsonAsync(HttpStatusCode.Created);
        (await developer.PostAsJsonAsync(clients, new { name = "one too many", kind = "service" })).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Theory, OnBothDatabases]
    public async Task Its_owner_chooses_how_a_clients_tokens_are_protected(Shape shape)
    {
        using var key = new ClientKey();
        await using var host = await PortalHost.StartAsync(shape, settings: [("Identity:Issuer", OAuthSite.Issuer), ("Identity:ReferenceTokensForApplications", "true")]);
        var developer = await host.SignInAsync("Clients", OrganisationRole.Developer);
        var (application, _, _) = await developer.StoryAsync();
        var clients = $"/api/v1/applications/{application}/clients";
        var made = await developer.PostAsJsonAsync(clients, new { name = "job", kind = "service", signingAlgorithm = "ES256", requireDpop = true }).JsonAsync(HttpStatusCode.Created);
        var (client, secret) = (made.GetProperty("client"), made.GetProperty("secret").GetString()!);
        var id = client.GetProperty("clientId").GetString()!;
        (client.GetProperty("signingAlgorithm").GetString(), client.GetProperty("accessTokenType").GetString(), client.GetProperty("requireDpop").GetBoolean(), client.GetProperty("requirePushedRequests").GetBoolean())
            .ShouldBe(("ES256", "jwt", true, false));

        using var http = new HttpClient();
        (await TokenAsync(http, host.Url.ToString(), id, secret)).ShouldBeError("invalid_dpop_proof");
        var bound = await TokenAsync(http, host.Url.ToString(), id, secret, key.Proof("/connect/token"));
        (bound.Text("token_type"), new Microsoft.IdentityModel.JsonWebTokens.JsonWebToken(bound.Text("access_token")).Alg).ShouldBe(("DPoP", "ES256"));

        // What a change leaves out stays as it was; what it says counts.
        var changed = await developer.PutAsJsonAsync($"{clients}/{id}", new { version = 1, client = new { name = "job", kind = "service", accessTokenType = "reference" } }).JsonAsync();
        (changed.GetProperty("signingAlgorithm").GetString(), changed.GetProperty("accessTokenType").GetString(), changed.GetProperty("requireDpop").GetBoolean()).ShouldBe(("ES256", "reference", true));
        (await TokenAsync(http, host.Url.ToString(), id, secret, key.Proof("/connect/token"))).Text("access_token").ShouldNotContain(".");
        await developer.PutAsJsonAsync($"{clients}/{id}", new { version = 2, client = new { name = "job", kind = "service", accessTokenType = "jwt", requireDpop = false, signingAlgorithm = "RS256" } }).JsonAsync();
        new Microsoft.IdentityModel.JsonWebTokens.JsonWebToken((await TokenAsync(http, host.Url.ToString(), id, secret)).Text("access_token")).Alg.ShouldBe("RS256");

        var web = new { name = "shop", kind = "public", redirectUris = new[] { "https://shop.example/cb" }, scopes = new[] { "openid" }, requirePushedRequests = true };
        var shop = (await developer.PostAsJsonAsync(clients, web).JsonAsync(HttpStatusCode.Created)).GetProperty("client").GetProperty("clientId").GetString()!;
        using var browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = host.Url };
        (await browser.GetAsync(CodeFlow.Ask(shop, "https://shop.example/cb"))).Headers.Location!.Query.ShouldContain("error=invalid_request");
        var admin = await host.SignInAsync("Platform staff", OrganisationRole.Owner, platformAdmin: true);
        (await admin.GetAsync("/api/v1/admin/clients?q=shop").JsonAsync()).GetProperty("items")[0].GetProperty("requirePushedRequests").GetBoolean().ShouldBeTrue();
    }

    [Theory, OnBothDatabases]
    public async Task A_protection_that_cannot_be_is_refused_in_words(Shape shape)
    {
        var host = await fixture.OnAsync(shape);
        var developer = await host.SignInAsync("Clients " + Guid.NewGuid(), OrganisationRole.Developer);
        var (application, _, _) = await developer.StoryAsync();
        foreach (var (form, field) in new (object, string)[]
        {
            (new { name = "a", kind = "service", signingAlgorithm = "none" }, "signingAlgorithm"),
            (new { name = "a", kind = "service", signingAlgorithm = "HS256" }, "signingAlgorithm"),
            (new { name = "a", kind = "service", accessTokenType = "opaque" }, "accessTokenType"),
            (new { name = "a", kind = "service", accessTokenType = "reference" }, "accessTokenType"),   // the operator does not offer them
            (new { name = "a", kind = "service", requirePushedRequests = true }, "requirePushedRequests"),
        })
            (await developer.PostAsJsonAsync($"/api/v1/applications/{application}/clients", form).JsonAsync(HttpStatusCode.UnprocessableEntity)).GetProperty("errors").TryGetProperty(field, out _).ShouldBeTrue(form.ToString());
    }

    private static async Task ShouldBeGoodAsync(PortalHost host, string client, string[] good, string[] bad)
    {
        using var http = new HttpClient();
        foreach (var secret in good) (await TokenAsync(http, host.Url.ToString(), client, secret)).Status.ShouldBe(HttpStatusCode.OK);
        foreach (var secret in bad) (await TokenAsync(http, host.Url.ToString(), client, secret)).ShouldBeError("invalid_client", 401);
    }

    private static async Task<Answer> TokenAsync(HttpClient http, string site, string client, string secret, string? proof = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, site.TrimEnd('/') + "/connect/token")
        {
            Content = new FormUrlEncodedContent([KeyValuePair.Create("grant_type", "client_credentials")]),
        };
        request.Headers.TryAddWithoutValidation("Authorization", OAuthSite.Basic(client, secret));
        if (proof is not null) request.Headers.TryAddWithoutValidation("DPoP", proof);
        return await Answer.OfAsync(await http.SendAsync(request));
    }
}
