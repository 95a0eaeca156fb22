using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Stories;

/// <summary>What Tollgate is for, by HTTP alone: from sign-up to the line on the invoice, on the cluster shape and on the small one.</summary>
public sealed class FirstPaidCallTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_signs_up_can_call_is_limited_by_the_plan_and_finds_the_calls_on_the_draft_invoice(bool shared)
    {
        await using var cluster = await Cluster.StartAsync(gateways: shared ? 2 : 1, shared);
        await cluster.AddPlanAsync("metered", units: 10, windowMs: 60_000, unitPrice: 0.25m);
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("metered");

        var admitted = 0;
        HttpResponseMessage refused;
        var knowing = new HashSet<GatewayProcess>();
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; ; i++)
        {
            var gateway = cluster.Gateways[i % cluster.Gateways.Count];
            var answer = await gateway.CallInTimeAsync("/weather/v1/current?city=berlin", customer.Key);
            if (answer.StatusCode == HttpStatusCode.TooManyRequests)
            {
                refused = answer;
                break;
            }

            // The key reaches each gateway within a moment of its making.
            if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden && !knowing.Contains(gateway) && Stopwatch.GetElapsedTime(started) < Deadline.Default) continue;
            knowing.Add(gateway);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
            (await answer.Content.ReadAsStringAsync()).ShouldBe("ok");
            answer.Headers.GetValues("RateLimit-Policy").ShouldHaveSingleItem().ShouldBe("\"window\";q=10;w=60");
            answer.Headers.GetValues("RateLimit").ShouldHaveSingleItem().ShouldContain("\"window\";r=");
            admitted++;
        }

        admitted.ShouldBe(10);
        await refused.ShouldBeProblemAsync(429, "rate-limited");
        // The window, the part of it in which the first call fell, and what a gateway adds that has just been held up by its machine.
        int.Parse(refused.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture).ShouldBeInRange(1, 62);
        cluster.Upstream.Seen.Count.ShouldBe(10);
        cluster.Upstream.Seen.ShouldAllBe(call => !call.Headers.ContainsKey("X-Api-Key") && call.Target == "/v1/current?city=berlin");

        await UntilUsageIsAsync(person, customer, 10);
        var lines = await UsageLinesAsync(person, customer);
        lines.Sum(line => line.Quantity).ShouldBe(10);
        lines.Sum(line => line.Amount).ShouldBe(2.50m);
        foreach (var output in cluster.Gateways.Select(gateway => gateway.Process.Output).Append(cluster.ControlPlane.Output))
        {
            output.ShouldNotContain(customer.Key);
            output.ShouldNotContain(PortalPerson.Password);
            output.ShouldNotContain(person.Email);
        }

        await Deadline.UntilAsync("the minutes sum up to the same", async () =>
            (await person.GetAsync("/usage?bucket=minute")).EnumerateArray().Sum(point => point.GetProperty("calls").GetInt64()) == 10);
    }

    [Fact]
    public async Task Who_waits_as_long_as_retry_after_says_gets_in()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.AddPlanAsync("brief", units: 3, windowMs: 2_000);
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("brief");
        await cluster.UntilKnownAsync(customer.Key);
        for (var round = 0; round < 3; round++)
        {
            HttpResponseMessage answer;
            var calls = 0;
            var began = Stopwatch.GetTimestamp();
            while ((answer = await cluster.Gateways[calls % 2].CallInTimeAsync("/weather/v1/x", customer.Key)).StatusCode == HttpStatusCode.OK) calls++;
            calls.ShouldBeLessThanOrEqualTo(3 * (1 + (int)(Stopwatch.GetElapsedTime(began) / TimeSpan.FromSeconds(2))));    // a slow machine needs more than one window
            await answer.ShouldBeProblemAsync(429, "rate-limited");
            await Sleep.ExactlyAsync(answer.Headers.RetryAfter!.Delta!.Value);   // the promise under test is about this very time
            (await cluster.Gateways[calls % 2].CallInTimeAsync("/weather/v1/x", customer.Key)).StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task A_revoked_key_and_a_changed_plan_reach_every_gateway_without_a_restart()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.AddPlanAsync("small", units: 2, windowMs: 3_600_000);
        await cluster.AddPlanAsync("large", units: 100_000, windowMs: 60_000);
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("small");
        await cluster.UntilKnownAsync(customer.Key);
        foreach (var gateway in cluster.Gateways)
            await UntilAnswerAsync(gateway, customer.Key, 429, "rate-limited");

        await person.PutAsync($"/subscriptions/{customer.Subscription}/plan", new { plan = await person.PlanAsync("large") });
        foreach (var gateway in cluster.Gateways)
            await Deadline.UntilAsync("the larger plan is in force", async () => (await gateway.CallAsync("/weather/v1/x", customer.Key)).StatusCode == HttpStatusCode.OK);

        await person.DeleteAsync($"/applications/{customer.Application}/keys/{customer.KeyId}");
        foreach (var gateway in cluster.Gateways) await UntilAnswerAsync(gateway, customer.Key, 401, "key-revoked");
    }

    [Fact]
    public async Task A_suspended_organisation_is_refused_everywhere_until_it_is_resumed()
    {
        await using var cluster = await Cluster.StartAsync();
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("business");
        await cluster.UntilKnownAsync(customer.Key);
        using var admin = await cluster.AdminAsync();
        var organisation = (await person.GetAsync($"/applications/{customer.Application}")).GetProperty("organisation").GetString();

        await admin.PostAsync($"/admin/organisations/{organisation}/suspend", new { });
        foreach (var gateway in cluster.Gateways) await UntilAnswerAsync(gateway, customer.Key, 403, "organisation-suspended");
        await admin.PostAsync($"/admin/organisations/{organisation}/resume", new { });
        await cluster.UntilKnownAsync(customer.Key);
    }

    internal static Task UntilUsageIsAsync(PortalPerson person, Customer customer, long calls, TimeSpan? within = null) =>
        Deadline.UntilAsync($"{calls} calls are counted", async () => await CountedAsync(person, customer) == calls, within);

    internal static async Task<long> CountedAsync(PortalPerson person, Customer customer) => (await person.GetAsync("/usage/period")).EnumerateArray()
        .Where(sum => sum.GetProperty("subscription").GetString() == customer.Subscription).Sum(sum => sum.GetProperty("calls").GetInt64());

    internal static async Task<List<(decimal Quantity, decimal Amount)>> UsageLinesAsync(PortalPerson person, Customer customer) =>
        (await person.GetAsync("/invoices/draft")).EnumerateArray().SelectMany(draft => draft.GetProperty("groups").EnumerateArray())
            .Where(group => group.GetProperty("subscription").GetString() == customer.Subscription)
            .SelectMany(group => group.GetProperty("lines").EnumerateArray())
            .Where(line => line.GetProperty("kind").GetString() == "usage")
            .Select(line => (line.GetProperty("quantity").GetDecimal(), line.GetProperty("amount").GetDecimal())).ToList();

    private static Task UntilAnswerAsync(GatewayProcess gateway, string key, int status, string slug) =>
        Deadline.UntilAsync($"{gateway.Url} answers {status} {slug}", async () =>
        {
            using var answer = await gateway.CallAsync("/weather/v1/x", key);
            return (int)answer.StatusCode == status
                && JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("type").GetString() == Contracts.Problem.Type(slug);
        });
}
