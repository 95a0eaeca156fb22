using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Tollgate.FunctionalTests.Credentials;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Stories;

/// <summary>Who tries an API out with a test key meets the plan's limits, takes nothing from who works with a live one, and pays nothing.</summary>
public sealed class TestKeyTests
{
    private const string Path = "/weather/v1/current";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Calls_with_test_keys_have_counters_of_their_own_are_shown_apart_and_are_on_no_invoice(bool shared)
    {
        await using var cluster = await Cluster.StartAsync(gateways: shared ? 2 : 1, shared);
        await AddPlanAsync(cluster);
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("tried");
        var issued = await person.PostAsync($"/applications/{customer.Application}/keys", new { name = "trying", test = true });
        var testKey = issued.GetProperty("key").GetString()!;
        testKey.ShouldStartWith("tg_test_");

        var (firstTest, admittedTest) = await UseUpAsync(cluster, testKey);
        var (firstLive, admittedLive) = await UseUpAsync(cluster, customer.Key);
        admittedTest.ShouldBe(6);
        admittedLive.ShouldBe(4, "the spend cap is about money, which calls with live keys cost");
        cluster.Upstream.Seen.Count(call => call.Headers.TryGetValue("X-Consumer-Mode", out var mode) && mode == "test").ShouldBe(6);

        await FirstPaidCallTests.UntilUsageIsAsync(person, customer, 4);
        await Deadline.UntilAsync("calls with the test key are shown", async () => (await PeriodAsync(person, customer)).GetProperty("testCalls").GetInt64() == 6);
        var period = await PeriodAsync(person, customer);
        period.GetProperty("calls").GetInt64().ShouldBe(4);
        period.GetProperty("units").GetInt64().ShouldBe(4);
        await Deadline.UntilAsync("the minutes are summed up too", async () => await SumAsync(person, "") == 4 && await SumAsync(person, "&mode=test") == 6);
        (await SumAsync(person, "")).ShouldBe(4);
        (await SumAsync(person, "&mode=live")).ShouldBe(4);
        (await SumAsync(person, "&mode=test")).ShouldBe(6);

        var lines = await FirstPaidCallTests.UsageLinesAsync(person, customer);
        lines.Sum(line => line.Quantity).ShouldBe(4);
        lines.Sum(line => line.Amount).ShouldBe(1.00m);

        var tried = await ChangeReachTests.ExplainedAsync(person, $"/explain/{firstTest}");
        tried.GetProperty("caller").GetProperty("test").GetBoolean().ShouldBeTrue();
        tried.TryGetProperty("invoiceLine", out _).ShouldBeFalse();
        var paid = await ChangeReachTests.ExplainedAsync(person, $"/explain/{firstLive}");
        paid.GetProperty("caller").TryGetProperty("test", out _).ShouldBeFalse();
        paid.GetProperty("invoiceLine").GetProperty("quantity").GetDecimal().ShouldBe(4);
    }

    private static async Task<(string First, int Admitted)> UseUpAsync(Cluster cluster, string key)
    {
        var (first, admitted) = ("", 0);
        var knowing = new HashSet<GatewayProcess>();
        var started = Stopwatch.GetTimestamp();
        for (int refusals = 0, calls = 0; refusals < 2 * cluster.Gateways.Count;)
        {
            var gateway = cluster.Gateways[calls++ % cluster.Gateways.Count];
            using var answer = await gateway.CallInTimeAsync(Path, key);
            if (answer.StatusCode == HttpStatusCode.TooManyRequests)
            {
                answer.Headers.RetryAfter.ShouldNotBeNull();
                refusals++;
                continue;
            }

            // A Redis that was silent for a second counts as away, and a busy machine's may be: the plan is closed meanwhile.
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable && Stopwatch.GetElapsedTime(started) < Deadline.Default) continue;

            // The key reaches each gateway within a moment of its making.
            if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden && !knowing.Contains(gateway) && Stopwatch.GetElapsedTime(started) < Deadline.Default) continue;
            knowing.Add(gateway);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            if (admitted++ == 0) first = answer.Headers.GetValues("X-Request-Id").Single();
        }
        return (first, admitted);
    }

    private static async Task AddPlanAsync(Cluster cluster)
    {
        using var admin = await cluster.AdminAsync();
        await admin.PostAsync("/admin/products/weather/plans", new { name = "tried", title = "Tried" });
        await admin.PostAsync("/admin/products/weather/plans/tried/versions", new
        {
            currency = "EUR",
            prices = new object[] { new { kind = "graduated", tiers = new[] { new { upTo = (decimal?)null, unitPrice = 0.25m } }, meter = "requests" } },
            limits = new[] { new { name = "hour", units = 10, windowMs = 3_600_000 } },
            quotas = new[] { new { name = "month", units = 6, period = "month", hard = true } },
            onLedgerLoss = "closed",
            spendCap = 1.00m,
        });
    }

    private static async Task<JsonElement> PeriodAsync(PortalPerson person, Customer customer) =>
        (await person.GetAsync("/usage/period")).EnumerateArray().Single(sum => sum.GetProperty("subscription").GetString() == customer.Subscription);

    private static async Task<long> SumAsync(PortalPerson person, string mode) =>
        (await person.GetAsync($"/usage?bucket=minute{mode}")).EnumerateArray().Sum(point => point.GetProperty("calls").GetInt64());
}
