using System.Net;
using Tollgate.Testing;
using Xunit.Abstractions;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>Quotas, caps and resets where plans come from a control plane and journals are shipped to it. Real processes, PostgreSQL, Redis.</summary>
public sealed class ControlPlaneQuotaTests(ITestOutputHelper output)
{
    private const string Path = "/weather/v1/current";

    [Fact]
    public async Task A_hard_quota_is_used_to_the_last_unit_through_kills_though_journals_are_shipped()
    {
        await using var cluster = await Tollgate.Testing.Cluster.StartAsync(gateways: 3);
        var quota = TestScale.Of(900, 10_000);
        using var admin = await cluster.AdminAsync();
        await AddPlanAsync(admin, "capped", quotas: [new { name = "month", units = quota, period = "month", hard = true }]);
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("capped");
        await cluster.UntilKnownAsync(customer.Key);

        using var stop = new CancellationTokenSource();
        var answered = 0;
        var callers = Enumerable.Range(0, 9).Select(async caller =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    using var answer = await cluster.Gateways[caller % 3].CallAsync(Path, customer.Key);
                    if (answer.IsSuccessStatusCode) Interlocked.Increment(ref answered);
                    else await Task.Delay(20);
                }
                catch (HttpRequestException)
                {
                    await Task.Delay(20);    // it was killed
                }
            }
        }).ToArray();

        foreach (var (node, part) in new[] { (0, 0.2), (1, 0.4), (2, 0.6), (0, 0.8), (1, 0.95) })
        {
            await Deadline.UntilAsync("calls are answered", () => Task.FromResult(Volatile.Read(ref answered) > quota * part));
            await Deadline.UntilAsync("some of them were shipped", async () => await MeteredAsync(person) > 0);
            await cluster.Gateways[node].Process.KillAsync();
            (await MeteredAsync(person)).ShouldBeLessThanOrEqualTo(quota);
            await cluster.Gateways[node].StartProcessAsync();
        }

        long metered = 0;
        try
        {
            await Deadline.UntilAsync("all of it is used and metered", async () => (metered = await MeteredAsync(person)) >= quota);
        }
        finally
        {
            output.WriteLine($"quota {quota}: {metered} metered, {answered} answered");
            await stop.CancelAsync();
            await Task.WhenAll(callers);
        }
        metered.ShouldBe(quota);
        answered.ShouldBeLessThanOrEqualTo(quota + 3);
        using var refused = await cluster.Gateways[0].CallAsync(Path, customer.Key);
        refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task A_cap_on_money_admits_what_it_buys_and_an_admin_begins_counters_anew_on_all_gateways()
    {
        await using var cluster = await Tollgate.Testing.Cluster.StartAsync(gateways: 2);
        using var admin = await cluster.AdminAsync();
        await AddPlanAsync(admin, "saver", limits: [new { name = "hour", units = 8, windowMs = 3_600_000 }], spendCap: 0.125m, concurrency: [new { name = "parallel", calls = 20 }]);
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("saver");
        await cluster.UntilKnownAsync(customer.Key);
        using (var one = await cluster.Gateways[0].CallAsync(Path, customer.Key))
            one.Headers.GetValues("RateLimit-Policy").Single().ShouldBe("\"hour\";q=8;w=3600, \"spend-cap\";q=12;w=2592000, \"parallel\";q=20;qu=\"concurrent-requests\"");
        await UntilAdmittedAsync(8);
        cluster.Upstream.Seen.Count.ShouldBe(8);

        await admin.PostAsync($"/admin/subscriptions/{customer.Subscription}/reset-counters", new { limit = "hour" });
        await UntilAdmittedAsync(12);    // four more fit the cap
        await UntilRefusedAsync();
        cluster.Upstream.Seen.Count.ShouldBe(12);
        using var refused = await cluster.Gateways[1].CallAsync(Path, customer.Key);
        (await refused.Content.ReadAsStringAsync()).ShouldContain("quota-exceeded");

        using var wrong = await admin.Http.PostAsync($"/api/v1/admin/subscriptions/{customer.Subscription}/reset-counters",
            new StringContent("{\"limit\":\"nobody\"}", System.Text.Encoding.UTF8, "application/json"));
        wrong.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await admin.GetAsync("/admin/audit")).ToString().ShouldContain("subscription.counters-reset");

        // A refusal may also be of a call that waited too long on a busy machine.
        Task UntilAdmittedAsync(int calls) => Deadline.UntilAsync($"{calls} calls are admitted", async () =>
        {
            await UntilRefusedAsync();
            return cluster.Upstream.Seen.Count >= calls;
        });

        async Task UntilRefusedAsync()
        {
            for (var refusals = 0; refusals < 4;)
            {
                using var answer = await cluster.Gateways[refusals % 2].CallAsync(Path, customer.Key);
                if (answer.StatusCode == HttpStatusCode.TooManyRequests) refusals++;
            }
        }
    }

    private static async Task AddPlanAsync(PortalPerson admin, string name, object[]? limits = null, object[]? quotas = null, decimal? spendCap = null, object[]? concurrency = null)
    {
        await admin.PostAsync("/admin/products/weather/plans", new { name, title = name });
        await admin.PostAsync($"/admin/products/weather/plans/{name}/versions", new
        {
            currency = "EUR",
            prices = new object[] { new { kind = "graduated", tiers = new[] { new { upTo = (decimal?)null, unitPrice = 0.01m } }, meter = "requests" } },
            limits = limits ?? [],
            quotas = quotas ?? [],
            onLedgerLoss = "closed",
            spendCap,
            concurrency,
        });
    }

    private static async Task<long> MeteredAsync(PortalPerson person)
    {
        var usage = await person.GetAsync("/usage/period");
        return usage.EnumerateArray().Sum(period => period.GetProperty("units").GetInt64());
    }
}
