using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Metering;
using Tollgate.Contracts;
using Tollgate.Contracts.Usage;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Billing;

public sealed class IngestTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task A_batch_that_comes_twice_is_counted_once(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("pro");
        var batch = Batches.Of(Batches.Row(subscription.Id, subscription.Application, Noon, 7), Batches.Row(subscription.Id, subscription.Application, Noon, 3, 0, 502));
        (await billing.IngestAsync(batch)).Duplicate.ShouldBeFalse();
        (await billing.IngestAsync(batch)).Duplicate.ShouldBeTrue();
        var sum = (await billing.Usage.TotalsAsync(subscription.Organisation, default)).ShouldHaveSingleItem();
        (sum.Calls, sum.Units, sum.Errors).ShouldBe((10, 7, 3));
        (await TotalAsync(billing, subscription.Id, Noon, Noon.AddHours(1))).ShouldBe(7);
        (await TotalAsync(billing, subscription.Id, Noon.AddMinutes(1), Noon.AddHours(1))).ShouldBe(0);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Overlapping_batches_from_many_connections_add_up_exactly(bool postgres)
    {
        await using var first = await BillingHost.StartAsync(postgres);
        await using var second = await first.StartAnotherAsync();
        var subscriptions = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => first.SubscribeAsync("pro")));
        var random = new Random(7);
        var batches = Enumerable.Range(0, 24).Select(_ => Batches.Of([.. Enumerable.Range(0, 60).Select(_ =>
        {
            var s = subscriptions[random.Next(3)];
            return Batches.Row(s.Id, s.Application, Noon.AddMinutes(random.Next(4)), random.Next(1, 9), credential: "key-" + random.Next(2), status: random.Next(2) == 0 ? 200 : 404);
        }).OrderBy(_ => random.Next())])).ToList();

        // Each batch goes to both nodes, and twice to one of them, all at the same time.
        await Task.WhenAll(batches.SelectMany(b => new[] { first.IngestAsync(b), second.IngestAsync(b), second.IngestAsync(b) }));

        foreach (var s in subscriptions)
        {
            var sum = (await first.Usage.TotalsAsync(s.Organisation, default)).ShouldHaveSingleItem();
            sum.Units.ShouldBe(batches.SelectMany(b => b.Rows).Where(r => r.Subscription == s.Id).Sum(r => r.Units));
        }

        await using var db = first.Open();
        (await db.UsageBatches.CountAsync()).ShouldBe(batches.Count);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task A_batch_of_five_thousand_rows_is_counted_whole(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("business");
        var rows = Enumerable.Range(0, 5_000).Select(i => Batches.Row(subscription.Id, subscription.Application, Noon.AddMinutes(i % 20), 1, route: $"/r{i % 250}")).ToArray();
        await billing.IngestAsync(Batches.Of(rows));
        await billing.IngestAsync(Batches.Of(rows));
        (await billing.Usage.TotalsAsync(subscription.Organisation, default)).ShouldHaveSingleItem().Units.ShouldBe(10_000);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Usage_of_a_subscription_that_nobody_knows_is_kept(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var stranger = SubscriptionId.New();
        await billing.IngestAsync(Batches.Of(Batches.Row(stranger, AppId.New(), Noon, 4, route: new string('r', 5_000) + "\0")));
        (await TotalAsync(billing, stranger, Noon, Noon.AddMinutes(1))).ShouldBe(4);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task A_broken_chain_is_counted_and_noted(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var row = Batches.Row(SubscriptionId.New(), AppId.New(), Noon, 1);
        var first = Batches.Of(row);
        var second = Batches.Next(first, row);
        var third = Batches.Next(second, row);
        var wrong = Batches.Next(third, row) with { PreviousHash = first.Hash };
        var afterGap = Batches.Next(Batches.Next(wrong, row), row);
        foreach (var batch in new[] { first, second, third, wrong, afterGap }) await billing.IngestAsync(batch);
        await using var db = billing.Open();
        (await db.UsageBatches.OrderBy(b => b.Sequence).Select(b => b.Chain).ToListAsync())
            .ShouldBe([BatchChain.Whole, BatchChain.Whole, BatchChain.Whole, BatchChain.Mismatch, BatchChain.Gap]);
        (await TotalAsync(billing, row.Subscription, Noon, Noon.AddHours(1))).ShouldBe(5);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Another_batch_under_a_counted_name_is_refused_and_not_taken_for_the_first(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var row = Batches.Row(SubscriptionId.New(), AppId.New(), Noon, 3);
        var first = Batches.Of(row);
        await billing.IngestAsync(first);
        using var answer = await billing.PostAsync(first with { Hash = Batches.Of(row).Hash });
        await answer.ShouldBeProblemAsync(409, "usage-batch-conflict");
        (await billing.IngestAsync(first)).Duplicate.ShouldBeTrue();
        (await TotalAsync(billing, row.Subscription, Noon, Noon.AddHours(1))).ShouldBe(3);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task A_malformed_batch_is_refused_with_the_member_that_is_wrong(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var row = Batches.Row(SubscriptionId.New(), AppId.New(), Noon, 1);
        await ShouldName("rows[1].units", Batches.Of(row, row with { Units = -1 }));
        await ShouldName("rows[0].route", Batches.Of(row with { Route = null! }));
        await ShouldName("hash", Batches.Of(row) with { Hash = "beef" });
        await ShouldName("sequence", Batches.Of(row) with { Sequence = 0 });
        await ShouldName("nodeId", Batches.Of(row) with { NodeId = "" });
        await ShouldName("rows", Batches.Of(row) with { Rows = null! });
        foreach (var text in new[] { "", "{", "null", "[1]", """{ "sequence": "one" }""", """{ "rows": [ { "minuteUnixMs": 1.5 } ] }""" })
        {
            using var answer = await billing.Client.PostAsync(InternalPaths.Usage, new StringContent(text, Encoding.UTF8, "application/json"));
            await answer.ShouldBeProblemAsync(400, "usage-batch");
        }

        await using var db = billing.Open();
        (await db.UsageMinutes.CountAsync()).ShouldBe(0);
        (await db.UsageBatches.CountAsync()).ShouldBe(0);

        async Task ShouldName(string member, UsageBatch batch)
        {
            using var answer = await billing.PostAsync(batch);
            (await answer.ShouldBeProblemAsync(422, "validation")).GetProperty("errors").GetProperty(member).GetString()!.ShouldStartWith(member);
        }
    }

    [Fact]
    public async Task Usage_waits_for_a_database_that_is_away_and_is_counted_once_when_it_is_back()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var billing = await BillingHost.StartAsync(server);
        var subscription = await billing.SubscribeAsync("pro");
        var batch = Batches.Of(Batches.Row(subscription.Id, subscription.Application, Noon, 7));
        await server.StopAsync();
        using (var refused = await billing.PostAsync(batch))
        {
            await refused.ShouldBeProblemAsync(503, "usage-not-counted");
            refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        }

        await server.StartServerAsync();
        await Deadline.UntilAsync("the batch is counted", async () =>
        {
            using var answer = await billing.PostAsync(batch);
            return answer.IsSuccessStatusCode;
        });
        (await billing.IngestAsync(batch)).Duplicate.ShouldBeTrue();
        (await billing.Usage.TotalsAsync(subscription.Organisation, default)).Single().Units.ShouldBe(7);
    }

    [Fact]
    public async Task A_batch_beyond_sixteen_mebibytes_is_refused()
    {
        await using var billing = await BillingHost.StartAsync(postgres: false);
        using var known = new HttpRequestMessage(HttpMethod.Post, InternalPaths.Usage) { Content = new ByteArrayContent(new byte[16 * 1024 * 1024 + 1]) };
        known.Headers.ExpectContinue = true;
        using var patient = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = Deadline.Default }) { BaseAddress = billing.Client.BaseAddress };
        patient.DefaultRequestHeaders.Authorization = billing.Client.DefaultRequestHeaders.Authorization;
        using var answer = await patient.SendAsync(known);
        await answer.ShouldBeProblemAsync(413, "usage-batch-size");

        var batch = Batches.Of(Batches.Row(SubscriptionId.New(), AppId.New(), Noon, 1));
        var text = JsonSerializer.Serialize(batch, ContractJson.Default.UsageBatch) + new string(' ', 17 * 1024 * 1024);
        using var chunked = new HttpRequestMessage(HttpMethod.Post, InternalPaths.Usage) { Content = new StringContent(text) };
        chunked.Headers.TransferEncodingChunked = true;
        try
        {
            using var late = await billing.Client.SendAsync(chunked);
            await late.ShouldBeProblemAsync(413, "usage-batch-size");
        }
        catch (HttpRequestException)
        {
            // The server hung up on the rest of it before the client had read the answer.
        }

        await using var db = billing.Open();
        (await db.UsageBatches.CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Only_gateways_bring_usage_and_ask_for_sums()
    {
        await using var billing = await BillingHost.StartAsync(postgres: false);
        using var stranger = new HttpClient { BaseAddress = billing.Client.BaseAddress };
        foreach (var token in new[] { null, "tgw_wrong", billing.Token + "x" })
        {
            stranger.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
            using var post = await stranger.PostAsync(InternalPaths.Usage, new StringContent("{}"));
            await post.ShouldBeProblemAsync(401, "gateway-token");
            using var total = await stranger.GetAsync($"{InternalPaths.UsageTotal}?subscription={Guid.NewGuid()}&from=0&to=1");
            total.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }

        foreach (var query in new[] { "", "?subscription=x&from=0&to=1", $"?subscription={Guid.NewGuid()}&from=2&to=1", $"?subscription={Guid.NewGuid()}&from=-2&to=1" })
        {
            using var answer = await billing.Client.GetAsync(InternalPaths.UsageTotal + query);
            await answer.ShouldBeProblemAsync(400, "usage-total");
        }
    }

    private static async Task<long> TotalAsync(BillingHost billing, SubscriptionId subscription, DateTimeOffset from, DateTimeOffset to)
    {
        var text = await billing.Client.GetStringAsync(
            $"{InternalPaths.UsageTotal}?subscription={subscription}&from={from.ToUnixTimeMilliseconds()}&to={to.ToUnixTimeMilliseconds()}");
        return JsonSerializer.Deserialize(text, ContractJson.Default.UsageTotal)!.Units;
    }
}
