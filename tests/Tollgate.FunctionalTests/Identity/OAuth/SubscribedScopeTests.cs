using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Tollgate.FunctionalTests.Portal;
using Tollgate.Identity.Organisations;
using Tollgate.ServiceDefaults.Internal;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>What clients of applications may ask for: the scopes of the products that their application is subscribed to, as it is at that moment.</summary>
public sealed class SubscribedScopeTests
{
    private const string Redirect = "https://partner.example/cb";

    [Theory, OnBothDatabases]
    public async Task A_partners_client_may_ask_for_the_scopes_of_its_active_subscriptions_and_no_others(Shape shape)
    {
        await using var host = await PortalHost.StartAsync(shape);
        var admin = await host.SignInAsync("Platform staff", OrganisationRole.Owner, platformAdmin: true);
        await SetScopesAsync(admin, "weather", "weather.read", "weather.write");
        await SetScopesAsync(admin, "maps", "maps.read");
        var maps = await PlanAsync(admin, "maps");
        var developer = await host.SignInAsync("Partner", OrganisationRole.Developer);
        var application = (await developer.PostAsJsonAsync("/api/v1/applications", new { name = "job" }).JsonAsync(HttpStatusCode.Created)).Id();
        var clients = $"/api/v1/applications/{application}/clients";
        var made = await developer.PostAsJsonAsync(clients, new { name = "nightly", kind = "service" }).JsonAsync(HttpStatusCode.Created);
        var (id, secret) = (made.GetProperty("client").GetProperty("clientId").GetString()!, made.GetProperty("secret").GetString()!);

        using var http = new HttpClient { BaseAddress = host.Url };
        Task<Answer> AskAsync(string? scope) => PostAsync(http, id, secret, scope is null ? "grant_type=client_credentials" : "grant_type=client_credentials&scope=" + scope);

        async Task ShouldMayAskAsync(params string[] scopes)
        {
            var given = await AskAsync(null);
            given.Status.ShouldBe(HttpStatusCode.OK, given.Body);
            (given.Json.TryGetProperty("scope", out var all) ? all.GetString()! : "").Split(' ', StringSplitOptions.RemoveEmptyEntries).ShouldBe(scopes);
            foreach (var scope in (string[])["weather.read", "weather.write", "maps.read", "no-such-scope", "openid"])
            {
                if (scopes.Contains(scope)) (await AskAsync(scope)).Text("scope").ShouldBe(scope);
                else (await AskAsync(scope)).ShouldBeError("invalid_scope");
            }

            (await developer.GetAsync(clients).JsonAsync())[0].GetProperty("mayAsk").EnumerateArray().Select(s => s.GetString()).ShouldBe(scopes);
        }

        // Integrators find in the document what is for sale; what is not published yet is nobody's business.
        (await admin.PutAsJsonAsync("/api/v1/admin/products/secret", Product("secret", ["secret.read"], isPublished: false))).EnsureSuccessStatusCode();
        await Deadline.UntilAsync("the document names the products' scopes", async () =>
            (await http.GetFromJsonAsync<JsonElement>("/.well-known/openid-configuration")).GetProperty("scopes_supported").EnumerateArray().Select(s => s.GetString()).ToList() is var named
            && named.Contains("maps.read") && named.Contains("weather.write") && named.Contains("openid") && !named.Contains("secret.read"));

        await ShouldMayAskAsync();
        var weather = (await developer.PostAsJsonAsync("/api/v1/subscriptions", new { application, plan = await developer.PlanAsync("free") }).JsonAsync(HttpStatusCode.Created)).Id();
        await ShouldMayAskAsync("weather.read", "weather.write");
        var second = (await developer.PostAsJsonAsync("/api/v1/subscriptions", new { application, plan = maps }).JsonAsync(HttpStatusCode.Created)).Id();
        await ShouldMayAskAsync("maps.read", "weather.read", "weather.write");
        (await AskAsync("weather.read+maps.read")).Text("scope").ShouldBe("weather.read maps.read");
        (await AskAsync("weather.read+maps.write")).ShouldBeError("invalid_scope");

        // Paused, taken from the product, cancelled: each counts with the next token.
        (await admin.PostAsJsonAsync($"/api/v1/admin/subscriptions/{second}/pause", new { })).EnsureSuccessStatusCode();
        await ShouldMayAskAsync("weather.read", "weather.write");
        (await admin.PostAsJsonAsync($"/api/v1/admin/subscriptions/{second}/resume", new { })).EnsureSuccessStatusCode();
        await SetScopesAsync(admin, "weather", "weather.read");
        await ShouldMayAskAsync("maps.read", "weather.read");
        (await developer.DeleteAsync($"/api/v1/subscriptions/{weather}")).EnsureSuccessStatusCode();
        await ShouldMayAskAsync("maps.read");

        // Its owner may leave it less, and never more.
        (await developer.PutAsJsonAsync($"{clients}/{id}", new { version = 1, client = new { name = "nightly", kind = "service", scopes = new[] { "weather.read" } } })
            .JsonAsync(HttpStatusCode.UnprocessableEntity)).GetProperty("errors").TryGetProperty("scopes", out _).ShouldBeTrue();
        await developer.PostAsJsonAsync("/api/v1/subscriptions", new { application, plan = await developer.PlanAsync("free") }).JsonAsync(HttpStatusCode.Created);
        await developer.PutAsJsonAsync($"{clients}/{id}", new { version = 1, client = new { name = "nightly", kind = "service", scopes = new[] { "weather.read" } } }).JsonAsync();
        await ShouldMayAskAsync("weather.read");

        // Another application of the same organisation has what it is subscribed to itself.
        var other = (await developer.PostAsJsonAsync("/api/v1/applications", new { name = "other" }).JsonAsync(HttpStatusCode.Created)).Id();
        var stranger = await developer.PostAsJsonAsync($"/api/v1/applications/{other}/clients", new { name = "other", kind = "service" }).JsonAsync(HttpStatusCode.Created);
        (await PostAsync(http, stranger.GetProperty("client").GetProperty("clientId").GetString()!, stranger.GetProperty("secret").GetString()!, "grant_type=client_credentials&scope=weather.read"))
            .ShouldBeError("invalid_scope");
    }

    [Theory, OnBothDatabases]
    public async Task A_client_that_acts_for_people_loses_the_scopes_of_a_cancelled_subscription_when_it_refreshes(Shape shape)
    {
        await using var host = await PortalHost.StartAsync(shape);
        var admin = await host.SignInAsync("Platform staff", OrganisationRole.Owner, platformAdmin: true);
        await SetScopesAsync(admin, "weather", "weather.read");
        var developer = await host.SignInAsync("Partner", OrganisationRole.Developer);
        var (application, _, subscription) = await developer.StoryAsync();
        var made = await developer.PostAsJsonAsync($"/api/v1/applications/{application}/clients",
            new { name = "app", kind = "web", redirectUris = new[] { Redirect }, scopes = new[] { "openid", "offline_access" } }).JsonAsync(HttpStatusCode.Created);
        var (id, secret) = (made.GetProperty("client").GetProperty("clientId").GetString()!, made.GetProperty("secret").GetString()!);

        using var person = new Visitor(host.Url);
        await person.PostBlindlyAsync("/test/sign-in?organisation=Somebody&role=Owner&admin=false", new StringContent(""));
        var ask = Ask(id, Redirect, "openid offline_access weather.read");
        Query(await person.GetAsync(Ask(id, Redirect, "openid maps.read")))["error"].ShouldBe("invalid_scope");
        Query(await person.GetAsync(Ask(id, Redirect, "profile")))["error"].ShouldBe("invalid_scope");   // of OpenID Connect, those that were chosen
        var code = Query(await person.SubmitAsync(ask, ("decision", "allow")))["code"]!;
        using var http = new HttpClient { BaseAddress = host.Url };
        var tokens = await PostAsync(http, id, secret, OAuthSite.Form(("grant_type", "authorization_code"), ("code", code), ("redirect_uri", Redirect), ("code_verifier", Verifier)));
        tokens.Text("scope").ShouldBe("openid offline_access weather.read");

        (await developer.DeleteAsync($"/api/v1/subscriptions/{subscription}")).EnsureSuccessStatusCode();
        Query(await person.GetAsync(ask))["error"].ShouldBe("invalid_scope");
        (await PostAsync(http, id, secret, OAuthSite.Form(("grant_type", "refresh_token"), ("refresh_token", tokens.Text("refresh_token")), ("scope", "weather.read")))).ShouldBeError("invalid_scope");
        tokens = await PostAsync(http, id, secret, OAuthSite.Form(("grant_type", "refresh_token"), ("refresh_token", tokens.Text("refresh_token"))));
        tokens.Text("scope").ShouldBe("openid offline_access");

        await developer.PostAsJsonAsync("/api/v1/subscriptions", new { application, plan = await developer.PlanAsync("free") }).JsonAsync(HttpStatusCode.Created);
        (await PostAsync(http, id, secret, OAuthSite.Form(("grant_type", "refresh_token"), ("refresh_token", tokens.Text("refresh_token"))))).Text("scope").ShouldBe("openid offline_access weather.read");
    }

    [Fact]
    public async Task A_node_that_gives_tokens_alone_looks_into_the_books_of_the_others()
    {
        var postgres = await (await PostgresServer.SharedAsync()).NewDatabaseAsync();
        await using var books = await HostProcess.StartControlPlaneAsync(postgres, GatewayToken.New());
        await using var giver = await HostProcess.StartAsync(["--roles", "identity", "--ConnectionStrings:Postgres", postgres, "--Identity:Issuer", books.PortalUrl]);
        using var admin = new PortalPerson(books.PortalUrl, books.Data.Path);
        await admin.SignInAsync(HostProcess.AdminEmail, HostProcess.AdminPassword);
        await admin.PutAsync("/admin/products/weather", Product("weather", ["weather.read"]));
        using var person = new PortalPerson(books.PortalUrl, books.Data.Path);
        await person.JoinAsync();
        var customer = await person.SubscribeAsync("free");
        var made = await person.PostAsync($"/applications/{customer.Application}/clients", new { name = "job", kind = "service" });
        var (id, secret) = (made.GetProperty("client").GetProperty("clientId").GetString()!, made.GetProperty("secret").GetString()!);

        using var http = new HttpClient { BaseAddress = new Uri(giver.PortalUrl) };
        (await PostAsync(http, id, secret, "grant_type=client_credentials&scope=weather.read")).Text("scope").ShouldBe("weather.read");
        await person.DeleteAsync($"/subscriptions/{customer.Subscription}");
        (await PostAsync(http, id, secret, "grant_type=client_credentials&scope=weather.read")).ShouldBeError("invalid_scope");
    }

    [Fact]
    public async Task The_scopes_of_a_product_are_judged_and_kept_by_who_does_not_name_them()
    {
        await using var host = await PortalHost.StartAsync();
        var admin = await host.SignInAsync("Platform staff", OrganisationRole.Owner, platformAdmin: true);
        foreach (var bad in (string[][])[["openid"], ["offline_access"], ["tollgate:platform"], ["two words"], ["quo\"te"], [""], ["a", "a"], [new string('x', 101)], ["weather.réad"],
            [.. Enumerable.Range(0, 21).Select(i => "s" + i)]])
            (await admin.PutAsJsonAsync("/api/v1/admin/products/weather", Product("weather", bad)).JsonAsync(HttpStatusCode.UnprocessableEntity)).GetProperty("errors").TryGetProperty("scopes", out _).ShouldBeTrue(string.Join(' ', bad));

        await SetScopesAsync(admin, "weather", "weather.read");
        var (title, description, basePath, openApi, isPublished) = ("Weather", "", "/weather/v1", "", true);
        await admin.PutAsJsonAsync("/api/v1/admin/products/weather", new { title, description, basePath, openApi, isPublished }).JsonAsync();
        Scopes((await admin.GetAsync("/api/v1/admin/products/weather").JsonAsync()).GetProperty("product")).ShouldBe(["weather.read"]);
        Scopes((await admin.GetAsync("/api/v1/products").JsonAsync())[0]).ShouldBe(["weather.read"]);
        await SetScopesAsync(admin, "weather");
        Scopes((await admin.GetAsync("/api/v1/admin/products/weather").JsonAsync()).GetProperty("product")).ShouldBeEmpty();
        var developer = await host.SignInAsync("Partner", OrganisationRole.Developer);
        (await developer.PutAsJsonAsync("/api/v1/admin/products/weather", Product("weather", ["mine"]))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    private static IEnumerable<string?> Scopes(JsonElement product) => product.GetProperty("scopes").EnumerateArray().Select(s => s.GetString());

    private static object Product(string name, string[] scopes, bool isPublished = true) =>
        new { title = char.ToUpperInvariant(name[0]) + name[1..], description = "", basePath = $"/{name}/v1", openApi = "", isPublished, scopes };

    private static async Task SetScopesAsync(HttpClient admin, string product, params string[] scopes) =>
        (await admin.PutAsJsonAsync($"/api/v1/admin/products/{product}", Product(product, scopes))).EnsureSuccessStatusCode();

    private static async Task<string> PlanAsync(HttpClient admin, string product)
    {
        var plans = $"/api/v1/admin/products/{product}/plans";
        var plan = await admin.PostAsJsonAsync(plans, new { name = "basic", title = "Basic" }).JsonAsync(HttpStatusCode.Created);
        (await admin.PostAsJsonAsync($"{plans}/basic/versions", new { currency = "EUR", prices = Array.Empty<object>(), limits = Array.Empty<object>(), quotas = Array.Empty<object>() })).EnsureSuccessStatusCode();
        return plan.Id();
    }

    private static async Task<Answer> PostAsync(HttpClient http, string client, string secret, string form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/connect/token") { Content = new StringContent(form, null, "application/x-www-form-urlencoded") };
        request.Headers.TryAddWithoutValidation("Authorization", OAuthSite.Basic(client, secret));
        return await Answer.OfAsync(await http.SendAsync(request));
    }
}
