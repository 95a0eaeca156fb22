using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Identity.Organisations;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Portal;

/// <summary>What the management API makes of strange bodies and strange senders.</summary>
public sealed class ApiInputTests(PortalFixture fixture) : IClassFixture<PortalFixture>
{
    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    public async Task Another_sites_page_changes_nothing(string header, string value)
    {
        using var client = await fixture.Host.SignInAsync("Forged", OrganisationRole.Owner);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/applications") { Content = JsonContent.Create(new { name = "forged" }) };
        request.Headers.Add(header, value);
        using var answer = await client.SendAsync(request);
        await answer.ShouldBeProblemAsync(403, "cross-origin");
        (await client.GetAsync("/api/v1/applications").JsonAsync()).GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    public async Task What_a_form_can_send_is_no_json(string contentType)
    {
        using var client = await fixture.Host.SignInAsync("Forms", OrganisationRole.Owner);
        using var content = new StringContent("""{"name":"forged"}""");
        content.Headers.Remove("Content-Type");
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using var answer = await client.PostAsync("/api/v1/applications", content);
        await answer.ShouldBeProblemAsync(415, "content-type");
    }

    [Theory]
    [InlineData("/api/v1/admin/organisations?q=a%00b")]
    [InlineData("/api/v1/admin/clients?q=%00")]
    [InlineData("/api/v1/admin/audit?target=%00&action=%00.&actor=%00&address=%00")]
    [InlineData("/api/v1/admin/audit?actor=%00%40example.com")]
    [InlineData("/api/v1/admin/audit?page=2147483647")]
    [InlineData("/api/v1/admin/organisations?q=%25_%5C&page=2147483647")]
    [InlineData("/api/v1/admin/products/%00")]
    public async Task What_no_database_keeps_is_looked_for_in_vain(string path)
    {
        foreach (var shape in Enum.GetValues<Identity.Shape>())
        {
            using var client = await (await fixture.OnAsync(shape)).SignInAsync("Seekers", OrganisationRole.Owner, platformAdmin: true);
            using var answer = await client.GetAsync(path);
            ((int)answer.StatusCode).ShouldBeLessThan(500, $"{shape}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    [Theory]
    [InlineData("/api/v1/applications", """{"name":"weather","description":"a\u0000b"}""")]
    [InlineData("/api/v1/applications", """{"name":"wea\u0000ther"}""")]
    [InlineData("/api/v1/organisation/invitations", """{"email":"a\u0000b@example.com","role":"viewer"}""")]
    [InlineData("/api/v1/organisation/tokens", """{"name":"a","scopes":["re\u0000ad"]}""")]
    public async Task A_text_that_no_database_keeps_is_refused(string path, string body)
    {
        foreach (var shape in Enum.GetValues<Identity.Shape>())
        {
            using var client = await (await fixture.OnAsync(shape)).SignInAsync("Nought", OrganisationRole.Owner);
            using var answer = await client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
            await answer.ShouldBeProblemAsync(400, "json");
        }
    }

    [Theory]
    [InlineData("POST", "/api/v1/account/tokens", """{"name":"program"}""")]
    [InlineData("POST", "/api/v1/organisation/tokens", """{"name":"program","role":"viewer"}""")]
    [InlineData("POST", "/api/v1/organisation/transfer", """{"member":"0196c0f0-0000-7000-8000-000000000000"}""")]
    [InlineData("PUT", "/api/v1/admin/staff", """{"email":"somebody@example.com","role":"support"}""")]
    [InlineData("DELETE", "/api/v1/admin/staff/0196c0f0-0000-7000-8000-000000000000", null)]
    public async Task What_could_harm_asks_who_it_is_again_as_the_pages_do(string method, string path, string? body)
    {
        using var client = await fixture.Host.SignInAsync("Open screen " + path[^5..], OrganisationRole.Owner, platformAdmin: true);
        var email = (await client.GetAsync("/api/v1/me").JsonAsync()).GetProperty("email").GetString();
        (await SendAsync()).ShouldBeOneOf(HttpStatusCode.Created, HttpStatusCode.NotFound);
        await using (var scope = fixture.Host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<Tollgate.Identity.Storage.IdentityDb>();
            var hourAgo = DateTimeOffset.UtcNow.AddHours(-1);
            await db.Sessions.Where(s => db.Accounts.Any(a => a.Id == s.Account && a.Email == email)).ExecuteUpdateAsync(s => s.SetProperty(x => x.Opened, hourAgo));
        }

        (await SendAsync()).ShouldBe(HttpStatusCode.Forbidden);
        (await client.GetAsync("/api/v1/organisation")).StatusCode.ShouldBe(HttpStatusCode.OK);   // the rest goes on

        async Task<HttpStatusCode> SendAsync()
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
            using var answer = await client.SendAsync(request);
            if (answer.StatusCode == HttpStatusCode.Forbidden) await answer.ShouldBeProblemAsync(403, "sign-in-again");
            return answer.StatusCode;
        }
    }

    [Theory]
    [InlineData("POST", "/api/v1/nothing", 404)]
    [InlineData("PUT", "/api/v1/nothing/at/all", 404)]
    [InlineData("DELETE", "/api/v1/applications/1/2/3/4", 404)]
    [InlineData("PATCH", "/api/v1", 404)]
    [InlineData("POST", "/api/v2/applications", 404)]
    [InlineData("GET", "/api/v1/nothing", 404)]
    [InlineData("DELETE", "/api/v1/applications", 405)]
    [InlineData("PATCH", "/api/v1/organisations", 405)]
    public async Task What_is_not_there_is_not_found_by_whichever_method(string method, string path, int status)
    {
        using var client = await fixture.Host.SignInAsync("Lost", OrganisationRole.Owner);
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "GET" ? null : JsonContent.Create(new { }) };
        using var answer = await client.SendAsync(request);
        await answer.ShouldBeProblemAsync(status, status == 404 ? "not-found" : "method");
        (answer.Content.Headers.Allow.Count > 0).ShouldBe(status == 405);
    }

    [Fact]
    public async Task Our_own_pages_and_programs_are_heard()
    {
        using var client = await fixture.Host.SignInAsync("Heard", OrganisationRole.Owner);
        (await client.PostAsJsonAsync("/api/v1/applications", new { name = "program" }).JsonAsync(HttpStatusCode.Created)).GetProperty("name").GetString().ShouldBe("program");

        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/applications") { Content = JsonContent.Create(new { name = "page" }) };
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        request.Headers.Add("Origin", fixture.Host.Url.GetLeftPart(UriPartial.Authority));
        (await client.SendAsync(request).JsonAsync(HttpStatusCode.Created)).GetProperty("name").GetString().ShouldBe("page");
    }

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"name":null}""")]
    [InlineData("""{"name":7}""")]
    [InlineData("""{"name":"a","colour":"red"}""")]
    [InlineData("""{"name":"a","name":"b"}""")]
    public async Task A_body_that_cannot_be_read_is_refused_with_a_sentence(string body)
    {
        using var client = await fixture.Host.SignInAsync("Bodies", OrganisationRole.Owner);
        using var answer = await client.PostAsync("/api/v1/applications", new StringContent(body, Encoding.UTF8, "application/json"));
        var problem = await answer.ShouldBeProblemAsync(400, "json");
        problem.GetProperty("detail").GetString()!.ShouldNotContain("Tollgate.");    // no type of ours
    }

    [Theory]
    [InlineData("/applications/01a202c0-376b-7eea-bf4e-6494e1473c69/clients", """{"name":"w","kind":"web","redirectUris":["https://a.example/cb",null]}""", "redirectUris")]
    [InlineData("/admin/products/weather/plans/free/versions", """{"currency":"EUR","prices":[null]}""", "prices")]
    [InlineData("/admin/products/weather/plans/free/versions", """{"currency":"EUR","prices":[{"kind":"graduated","meter":"requests","tiers":[null,{"upTo":null,"unitPrice":1}]}]}""", "prices[0].tiers")]
    public async Task A_list_with_nothing_as_an_item_is_named(string path, string body, string list)
    {
        using var client = await fixture.Host.SignInAsync("Lists", OrganisationRole.Owner, platformAdmin: true);
        using var answer = await client.PostAsync("/api/v1" + path, new StringContent(body, Encoding.UTF8, "application/json"));
        var problem = await answer.ShouldBeProblemAsync(400, "json");
        problem.GetProperty("detail").GetString().ShouldBe($"The list at $.{list} has null as an item: leave it out.");
    }

    [Fact]
    public async Task A_body_is_bounded()
    {
        using var client = await fixture.Host.SignInAsync("Large", OrganisationRole.Owner);
        using var answer = await client.PostAsync("/api/v1/applications", new StringContent($$"""{"name":"{{new string('a', 200_000)}}"}""", Encoding.UTF8, "application/json"));
        await answer.ShouldBeProblemAsync(413, "too-large");
    }

    [Fact]
    public async Task Values_that_are_wrong_are_named()
    {
        using var client = await fixture.Host.SignInAsync("Values", OrganisationRole.Owner);
        using var answer = await client.PostAsJsonAsync("/api/v1/applications", new { name = " " });
        (await answer.ShouldBeProblemAsync(422, "validation")).GetProperty("errors").GetProperty("name").GetString().ShouldNotBeNullOrEmpty();
    }

    [Theory]
    [InlineData("/api/v1/usage?from=yesterday", 400, "parameter")]
    [InlineData("/api/v1/usage?bucket=second", 400, "parameter")]
    [InlineData("/api/v1/usage?from=1970-01-01T00:00:00Z&bucket=minute", 400, "parameter")]
    [InlineData("/api/v1/usage?application=7", 400, "parameter")]
    [InlineData("/api/v1/usage?from=2026-02-02T00:00:00Z&to=2026-01-01T00:00:00Z", 400, "parameter")]
    [InlineData("/api/v1/applications/7", 404, "not-found")]
    [InlineData("/api/v1/nothing", 404, "not-found")]
    public async Task A_question_that_makes_no_sense_is_told_so(string path, int status, string slug)
    {
        using var client = await fixture.Host.SignInAsync("Questions", OrganisationRole.Owner);
        using var answer = await client.GetAsync(path);
        await answer.ShouldBeProblemAsync(status, slug);
    }

    [Theory]
    [InlineData("/api/v1/admin/products/weather/subscribers?page=abc", "page is a whole number.")]
    [InlineData("/api/v1/admin/products/weather/subscribers?all=perhaps", "all is true or false.")]
    [InlineData("/api/v1/admin/organisations?page=99999999999", "page is a whole number.")]
    [InlineData("/api/v1/routes/orders/diff?from=first", "from is a whole number.")]
    public async Task A_parameter_that_cannot_be_read_is_named(string path, string sentence)
    {
        using var client = await fixture.Host.SignInAsync("Parameters", OrganisationRole.Owner, platformAdmin: true);
        using var answer = await client.GetAsync(path);
        (await answer.ShouldBeProblemAsync(400, "parameter")).GetProperty("detail").GetString().ShouldBe(sentence);
    }

    [Fact]
    public async Task The_story_of_a_key_by_http_alone()
    {
        using var client = await fixture.Host.SignInAsync("Story", OrganisationRole.Developer);
        var (application, key, subscription) = await client.StoryAsync();

        var rotated = await client.PostAsJsonAsync($"/api/v1/applications/{application}/keys/{key}/rotate", new { overlapMinutes = 60 }).JsonAsync(HttpStatusCode.Created);
        rotated.GetProperty("key").GetString()!.ShouldStartWith("tg_live_");
        var keys = await client.GetAsync($"/api/v1/applications/{application}/keys");
        (await keys.Content.ReadAsStringAsync()).ShouldNotContain(rotated.GetProperty("key").GetString()!);
        (await client.DeleteAsync($"/api/v1/applications/{application}/keys/{key}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        var changed = await client.PutAsJsonAsync($"/api/v1/subscriptions/{subscription}/plan", new { plan = await client.PlanAsync("pro") }).JsonAsync();
        changed.GetProperty("planName").GetString().ShouldBe("pro");
        changed.GetProperty("state").GetString().ShouldBe("active");
        using var twice = await client.PostAsJsonAsync("/api/v1/subscriptions", new { application, plan = await client.PlanAsync("free") });
        await twice.ShouldBeProblemAsync(409, "subscription");

        (await client.GetAsync("/api/v1/usage").JsonAsync()).GetArrayLength().ShouldBeGreaterThan(23);
        (await client.GetAsync("/api/v1/invoices/draft").JsonAsync())[0].GetProperty("total").GetDecimal().ShouldBe(29m);

        (await client.DeleteAsync($"/api/v1/applications/{application}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await client.GetAsync("/api/v1/subscriptions").JsonAsync()).GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task An_admin_makes_a_product_and_suspends_a_customer()
    {
        using var admin = await fixture.Host.SignInAsync("Operators", OrganisationRole.Owner, platformAdmin: true);
        using var customer = await fixture.Host.SignInAsync("Customer", OrganisationRole.Owner);
        var product = new { title = "Tides", description = "", basePath = "/tides/v1", openApi = PortalHost.OpenApi, isPublished = true };
        await admin.PutAsJsonAsync("/api/v1/admin/products/tides", product).JsonAsync(HttpStatusCode.Created);
        await admin.PutAsJsonAsync("/api/v1/admin/products/tides", product).JsonAsync();
        using var unreadable = await admin.PutAsJsonAsync("/api/v1/admin/products/tides", product with { openApi = "just words" });
        (await unreadable.ShouldBeProblemAsync(422, "validation")).GetProperty("errors").GetProperty("openApi").GetString()!.ShouldContain("cannot be read");

        await admin.PostAsJsonAsync("/api/v1/admin/products/tides/plans", new { name = "basic", title = "Basic" }).JsonAsync(HttpStatusCode.Created);
        var terms = new
        {
            currency = "EUR",
            prices = new object[] { new { kind = "flat", fee = 5 } },
            limits = new[] { new { name = "minute", units = 10, windowMs = 60000 } },
            quotas = new[] { new { name = "month", units = 100, period = "month", hard = true } },
            onLedgerLoss = "fair-share",
        };
        await admin.PostAsJsonAsync("/api/v1/admin/products/tides/plans/basic/versions", terms).JsonAsync(HttpStatusCode.Created);
        await admin.PostAsJsonAsync("/api/v1/admin/products/tides/plans/basic/versions", terms).JsonAsync();

        var application = (await customer.PostAsJsonAsync("/api/v1/applications", new { name = "Boat" }).JsonAsync(HttpStatusCode.Created));
        var organisation = application.GetProperty("organisation").GetString();
        (await admin.PostAsJsonAsync($"/api/v1/admin/organisations/{organisation}/suspend", new { })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await admin.GetAsync($"/api/v1/admin/organisations/{organisation}").JsonAsync()).GetProperty("suspended").GetBoolean().ShouldBeTrue();
        (await admin.PostAsJsonAsync($"/api/v1/admin/applications/{application.Id()}/suspend", new { })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await admin.GetAsync($"/api/v1/admin/organisations/{organisation}/applications").JsonAsync()).EnumerateArray().Single()
            .GetProperty("suspended").GetBoolean().ShouldBeTrue();
        await (await admin.GetAsync($"/api/v1/admin/organisations/{Guid.NewGuid()}/applications")).ShouldBeProblemAsync(404, "not-found");
        await (await admin.GetAsync($"/api/v1/admin/organisations/{Guid.NewGuid()}")).ShouldBeProblemAsync(404, "not-found");
        (await admin.PostAsJsonAsync($"/api/v1/admin/organisations/{organisation}/resume", new { })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await admin.GetAsync("/api/v1/admin/products/tides/subscribers").JsonAsync()).GetProperty("total").GetInt32().ShouldBe(0);
        (await admin.DeleteAsync("/api/v1/admin/products/tides")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await admin.GetAsync("/api/v1/admin/organisations?q=custom").JsonAsync()).GetProperty("items").EnumerateArray()
            .Select(row => row.GetProperty("id").GetString()).ShouldContain(organisation);
    }

    [Fact]
    public async Task An_admin_does_with_plans_and_subscribers_what_the_pages_can()
    {
        using var admin = await fixture.Host.SignInAsync("Deciders", OrganisationRole.Owner, platformAdmin: true);
        using var customer = await fixture.Host.SignInAsync("Asking", OrganisationRole.Owner);
        const string plans = "/api/v1/admin/products/moons/plans";
        var terms = new { currency = "EUR", prices = Array.Empty<object>(), limits = new[] { new { name = "minute", units = 10, windowMs = 60000 } }, quotas = Array.Empty<object>(), onLedgerLoss = "closed" };
        await admin.PutAsJsonAsync("/api/v1/admin/products/moons", new { title = "Moons", description = "", basePath = "/moons", openApi = "", isPublished = true }).JsonAsync(HttpStatusCode.Created);
        await admin.PostAsJsonAsync(plans, new { name = "club", title = "Club", requiresApproval = true }).JsonAsync(HttpStatusCode.Created);
        await admin.PostAsJsonAsync($"{plans}/club/versions", terms).JsonAsync(HttpStatusCode.Created);
        var club = Plan(await admin.GetAsync("/api/v1/admin/products").JsonAsync());

        var application = await customer.PostAsJsonAsync("/api/v1/applications", new { name = "Telescope" }).JsonAsync(HttpStatusCode.Created);
        var wish = new { application = application.GetProperty("id").GetString(), plan = club };
        var asked = await customer.PostAsJsonAsync("/api/v1/subscriptions", wish).JsonAsync(HttpStatusCode.Created);
        asked.GetProperty("state").GetString().ShouldBe("pending");
        var subscription = $"/api/v1/admin/subscriptions/{asked.GetProperty("id").GetString()}";
        (await StateAfterAsync("approve")).ShouldBe("active");
        (await admin.PostAsJsonAsync($"{subscription}/approve", new { })).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await StateAfterAsync("pause")).ShouldBe("paused");
        (await StateAfterAsync("resume")).ShouldBe("active");

        await admin.PostAsJsonAsync($"{plans}/club/versions", terms with { limits = [new { name = "minute", units = 20, windowMs = 60000 }] }).JsonAsync(HttpStatusCode.Created);
        (await admin.PostAsJsonAsync($"{plans}/club/move-subscribers", new { }).JsonAsync()).GetProperty("moved").GetInt32().ShouldBe(1);
        (await StateAfterAsync("move-to-latest")).ShouldBe("active");
        var versions = await admin.GetAsync($"{plans}/club/versions").JsonAsync();
        versions.EnumerateArray().Select(row => row.GetProperty("subscribers").GetInt32()).ShouldBe([1, 0]);

        // A plan that nobody is offered, given by hand.
        await admin.PostAsJsonAsync(plans, new { name = "friends", title = "Friends", isPublic = false }).JsonAsync(HttpStatusCode.Created);
        await admin.PostAsJsonAsync($"{plans}/friends/versions", terms).JsonAsync(HttpStatusCode.Created);
        var friends = Plan(await admin.GetAsync("/api/v1/admin/products").JsonAsync(), "friends");
        (await admin.PutAsJsonAsync($"{subscription}/plan", new { plan = friends }).JsonAsync()).GetProperty("planName").GetString().ShouldBe("friends");
        await customer.DeleteAsync($"/api/v1/subscriptions/{asked.GetProperty("id").GetString()}").JsonAsync();
        var assigned = new { organisation = application.GetProperty("organisation").GetString(), wish.application, plan = friends };
        (await admin.PostAsJsonAsync("/api/v1/admin/subscriptions", assigned).JsonAsync(HttpStatusCode.Created)).GetProperty("state").GetString().ShouldBe("active");
        using var stranger = await admin.PostAsJsonAsync("/api/v1/admin/subscriptions", assigned with { organisation = Guid.NewGuid().ToString() });
        await stranger.ShouldBeProblemAsync(404, "not-found");

        await admin.PutAsJsonAsync($"{plans}/club", new { title = "The club", description = "", order = 2 }).JsonAsync();
        (await admin.PostAsJsonAsync($"{plans}/club/archive", new { }).JsonAsync()).GetProperty("isArchived").GetBoolean().ShouldBeTrue();
        (await admin.PostAsJsonAsync($"{plans}/club/restore", new { }).JsonAsync()).GetProperty("title").GetString().ShouldBe("The club");
        using var used = await admin.DeleteAsync("/api/v1/admin/products/moons");
        await used.ShouldBeProblemAsync(409, "in-use");

        // Who did all this stands in the log: the platform reads of everything, the customer of its own subscription.
        (await ActionsAsync(admin, "/api/v1/admin/audit?action=product.&target=moons")).ShouldBe(["product.created"]);
        (await ActionsAsync(admin, "/api/v1/admin/audit?action=plan.", "moons/")).ShouldBe(
            ["plan.created", "plan.version-published", "plan.version-published", "plan.subscribers-moved", "plan.created", "plan.version-published", "plan.changed", "plan.archived", "plan.restored"],
            ignoreOrder: true);
        (await ActionsAsync(customer, "/api/v1/organisation/audit?action=subscription.")).ShouldBe(
            ["subscription.made", "subscription.approved", "subscription.paused", "subscription.resumed", "subscription.version-moved", "subscription.plan-changed", "subscription.cancelled", "subscription.assigned"],
            ignoreOrder: true);

        static async Task<IEnumerable<string?>> ActionsAsync(HttpClient reader, string url, string of = "") =>
            (await reader.GetAsync(url).JsonAsync()).GetProperty("items").EnumerateArray()
                .Where(row => row.GetProperty("target").GetString()!.StartsWith(of, StringComparison.Ordinal)).Select(row => row.GetProperty("action").GetString());

        async Task<string?> StateAfterAsync(string verb) => (await admin.PostAsJsonAsync($"{subscription}/{verb}", new { }).JsonAsync()).GetProperty("state").GetString();

        static string? Plan(JsonElement products, string name = "club") => products.EnumerateArray().Single(p => p.GetProperty("name").GetString() == "moons")
            .GetProperty("plans").EnumerateArray().Single(p => p.GetProperty("name").GetString() == name).GetProperty("id").GetString();
    }
}
