using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Tollgate.Contracts;
using Tollgate.Testing;
using Xunit.Abstractions;

namespace Tollgate.FunctionalTests.Credentials;

/// <summary>A change at the control plane, and the moment at which every gateway acts on it. Real processes, PostgreSQL, Redis.</summary>
public sealed class ChangeReachTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Aim = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_change_is_effective_on_every_gateway_within_a_second()
    {
        await using var cluster = await Cluster.StartAsync(gateways: 2);
        await cluster.AddPlanAsync("wide", 1_000_000, 1_000);
        await cluster.AddPlanAsync("other", 2_000_000, 1_000);
        using var admin = await cluster.AdminAsync();
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("wide");
        await cluster.UntilKnownAsync(customer.Key);
        var organisation = (await person.GetAsync($"/applications/{customer.Application}")).GetProperty("organisation").GetString();
        var plans = new[] { await person.PlanAsync("other"), await person.PlanAsync("wide") };
        var keys = $"/applications/{customer.Application}/keys";

        var tookMs = new SortedDictionary<string, List<double>>();
        var tripsMs = new List<double>();
        var rounds = TestScale.Of(usual: 3, full: 200);
        for (var round = 0; round < rounds; round++)
        {
            var trip = Stopwatch.GetTimestamp();
            await person.GetAsync(keys);
            await UntilAsync(customer.Key, answer => answer.StatusCode == HttpStatusCode.OK);
            tripsMs.Add(Stopwatch.GetElapsedTime(trip).TotalMilliseconds);

            var (key, id) = await NewKeyAsync();
            await MeasureAsync("revoke", () => person.DeleteAsync($"{keys}/{id}"), key, answer => IsProblem(answer, 401, "key-revoked"));

            (key, id) = await NewKeyAsync();
            JsonElement next = default;
            await MeasureAsync("rotate", async () => next = await person.PostAsync($"{keys}/{id}/rotate", new { overlapMinutes = 0 }), key, answer => IsProblem(answer, 401, "key-expired"));
            await UntilAsync(next.GetProperty("key").GetString()!, answer => answer.StatusCode == HttpStatusCode.OK);
            await person.DeleteAsync($"{keys}/{next.GetProperty("view").GetProperty("id").GetString()}");

            DateTimeOffset expires;
            (key, expires) = await NewKeyForAMomentAsync();
            await MeasureAsync("expire", () => Task.Delay(expires - DateTimeOffset.UtcNow is { Ticks: > 0 } left ? left : TimeSpan.Zero), key, answer => IsProblem(answer, 401, "key-expired"));

            var more = round % 2 == 0;
            await MeasureAsync("plan", () => person.PutAsync($"/subscriptions/{customer.Subscription}/plan", new { plan = plans[round % 2] }), customer.Key,
                answer => answer.Headers.TryGetValues("RateLimit-Policy", out var policy) && policy.Single().Contains("q=2000000") == more);

            await MeasureAsync("suspend", () => admin.PostAsync($"/admin/organisations/{organisation}/suspend", new { }), customer.Key, answer => IsProblem(answer, 403, "organisation-suspended"));
            await MeasureAsync("resume", () => admin.PostAsync($"/admin/organisations/{organisation}/resume", new { }), customer.Key, answer => answer.StatusCode == HttpStatusCode.OK);
        }

        foreach (var (what, times) in tookMs)
        {
            times.Sort();
            output.WriteLine($"{what,-8} {times.Count} times: median {times[times.Count / 2]:0} ms, 99 % {times[(int)Math.Ceiling(times.Count * 0.99) - 1]:0} ms, worst {times[^1]:0} ms");
        }

        var all = tookMs.Values.SelectMany(times => times).Order().ToArray();
        output.WriteLine($"all      {all.Length} times: median {all[all.Length / 2]:0} ms, 99 % {all[(int)Math.Ceiling(all.Length * 0.99) - 1]:0} ms, worst {all[^1]:0} ms");
        // The aim is for the whole show; a handful of trials beside other tests on a small machine is held to the same in the middle, and where even asking
        // and calling once takes long, to as many times that.
        tripsMs.Sort();
        var aim = Math.Max(Aim.TotalMilliseconds, 20 * tripsMs[tripsMs.Count / 2]);
        (TestScale.IsFull ? all[(int)Math.Ceiling(all.Length * 0.99) - 1] : all[all.Length / 2]).ShouldBeLessThan(TestScale.IsFull ? Aim.TotalMilliseconds : aim);

        async Task<(string Key, string Id)> NewKeyAsync()
        {
            var made = await person.PostAsync(keys, new { name = "trial" });
            var (text, id) = (made.GetProperty("key").GetString()!, made.GetProperty("view").GetProperty("id").GetString()!);
            await UntilAsync(text, answer => answer.StatusCode == HttpStatusCode.OK);
            return (text, id);
        }

        // A moment that is still to come when it is asked for, however busy the machine is.
        async Task<(string Key, DateTimeOffset Expires)> NewKeyForAMomentAsync()
        {
            for (var moment = TimeSpan.FromMilliseconds(700); ; moment *= 2)
            {
                var expires = DateTimeOffset.UtcNow + moment;
                using var answer = await person.Http.PostAsJsonAsync("/api/v1" + keys, new { name = "trial", expires });
                if (answer.StatusCode == HttpStatusCode.Created) return ((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!, expires);
                answer.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity, await answer.Content.ReadAsStringAsync());
                moment.ShouldBeLessThan(TimeSpan.FromMinutes(1));
            }
        }

        async Task MeasureAsync(string what, Func<Task> change, string key, Func<HttpResponseMessage, bool> isThere)
        {
            await change();
            var started = Stopwatch.GetTimestamp();
            await UntilAsync(key, isThere);
            if (!tookMs.TryGetValue(what, out var times)) tookMs[what] = times = [];
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        Task UntilAsync(string key, Func<HttpResponseMessage, bool> isThere) => Task.WhenAll(cluster.Gateways.Select(async gateway =>
        {
            for (var since = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(since) < Deadline.Default; await Task.Delay(2))
            {
                using var answer = await gateway.CallAsync("/weather/v1/current", key);
                if (isThere(answer)) return;
            }

            throw new TimeoutException("The change did not reach a gateway.");
        }));
    }

    [Fact]
    public async Task A_gateway_that_is_cut_off_or_restarted_without_the_control_plane_refuses_keys_of_high_risk_and_serves_all_others()
    {
        await using var cluster = await Cluster.StartAsync(gateways: 1, shared: false, gatewayOptions: "--Gateway:FeedMaxAgeSeconds=8");
        var gateway = cluster.Gateways[0];
        await cluster.AddPlanAsync("wide", 1_000_000, 1_000);
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("wide");
        var risky = (await person.PostAsync($"/applications/{customer.Application}/keys", new { name = "risky", highRisk = true })).GetProperty("key").GetString()!;
        var import = $"sk_{Guid.NewGuid():N}";
        var imported = await person.PostAsync($"/applications/{customer.Application}/keys/import", new { name = "old", sha256 = ApiKeyFormat.Sha256Hex(import), lastFour = import[^4..] });
        (imported.GetProperty("imported").GetBoolean(), imported.GetProperty("lastFour").GetString()).ShouldBe((true, import[^4..]));
        foreach (var key in new[] { customer.Key, risky, import }) await cluster.UntilKnownAsync(key);

        // The control plane knows by now, or soon, which keys were used.
        await Deadline.UntilAsync("the use of both keys is known", async () => (await person.GetAsync($"/applications/{customer.Application}/keys")).EnumerateArray()
            .All(key => key.TryGetProperty("lastUsed", out var used) && used.ValueKind == JsonValueKind.String && used.GetDateTimeOffset() is { Second: 0 } at && DateTimeOffset.UtcNow - at < TimeSpan.FromMinutes(3)));

        // In touch, it is taken for as long as one likes.
        for (var since = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(10); await Task.Delay(100))
        {
            using var answer = await gateway.CallAsync("/weather/v1/current", risky);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        await cluster.ControlPlane.KillAsync();
        await Deadline.UntilAsync("the key of high risk is refused", async () => IsProblem(await gateway.CallAsync("/weather/v1/current", risky), 503, "not-ready"));
        foreach (var key in new[] { customer.Key, import }) (await gateway.CallAsync("/weather/v1/current", key)).StatusCode.ShouldBe(HttpStatusCode.OK);

        await gateway.Process.KillAsync();
        await gateway.StartProcessAsync();
        IsProblem(await gateway.CallAsync("/weather/v1/current", risky), 503, "not-ready").ShouldBeTrue("what is on disk has not been confirmed");
        (await gateway.CallAsync("/weather/v1/current", customer.Key)).StatusCode.ShouldBe(HttpStatusCode.OK);

        await cluster.ControlPlane.StartProcessAsync();
        await Deadline.UntilAsync("the key of high risk is taken again", async () => (await gateway.CallAsync("/weather/v1/current", risky)).StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public async Task All_gateways_are_asked_why_a_call_was_refused_and_answer_only_those_whom_it_concerns()
    {
        await using var cluster = await Cluster.StartAsync(gateways: 2, shared: false);
        using var person = await cluster.JoinAsync();
        using var stranger = await cluster.JoinAsync();
        using var admin = await cluster.AdminAsync();
        var customer = await person.SubscribeAsync("pro");
        await cluster.UntilKnownAsync(customer.Key);

        // What was served is on an invoice, as soon as its usage is in the books.
        using var served = await cluster.Gateways[0].CallInTimeAsync("/weather/v1/current", customer.Key);
        served.StatusCode.ShouldBe(HttpStatusCode.OK);
        JsonElement line = default;
        await Deadline.UntilAsync("the call is on an invoice", async () =>
            (await person.GetAsync($"/explain/{served.Headers.GetValues("X-Request-Id").Single()}")).TryGetProperty("invoiceLine", out line));
        (line.GetProperty("state").GetString(), line.GetProperty("quantity").GetDecimal() >= 1, line.GetProperty("currency").GetString()!.Length).ShouldBe(("draft", true, 3));
        line.GetProperty("plan").GetString()!.ShouldContain(" v1");

        await person.DeleteAsync($"/applications/{customer.Application}/keys/{customer.KeyId}");
        string id = "";
        await Deadline.UntilAsync("the second gateway refuses", async () =>
        {
            using var answer = await cluster.Gateways[1].CallAsync("/weather/v1/current", customer.Key);
            id = answer.Headers.GetValues("X-Request-Id").Single();
            return answer.StatusCode == HttpStatusCode.Unauthorized;
        });

        var mine = await ExplainedAsync(person, $"/explain/{id}");
        (mine.GetProperty("outcome").GetString(), mine.GetProperty("caller").GetProperty("prefix").GetString()).ShouldBe(("key-revoked", customer.Key[..12]));
        (await ExplainedAsync(admin, $"/admin/explain/{id}")).GetProperty("status").GetInt32().ShouldBe(401);
        (await stranger.Http.GetAsync($"/api/v1/explain/{id}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await person.Http.GetAsync($"/api/v1/explain/{Guid.NewGuid()}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.Http.GetAsync($"/api/v1/applications/{customer.Application}/keys/{customer.KeyId}/explain")).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        foreach (var ask in new Func<Task<JsonElement>>[]
                 {
                     () => person.GetAsync($"/applications/{customer.Application}/keys/{customer.KeyId}/explain"),
                     () => admin.PostAsync("/admin/explain", new { key = customer.Key }),
                 })
        {
            // Who answers late is not waited for.
            var all = await Deadline.UntilAsync("each gateway answers", async () => (await ask()).EnumerateArray().ToArray() is { Length: 2 } both ? both : null);
            all.ShouldAllBe(answer => answer.GetProperty("state").GetString() == "revoked");
        }
    }

    [Fact]
    public async Task Any_call_is_explained_fast_whichever_gateway_took_it()
    {
        await using var cluster = await Cluster.StartAsync(gateways: 2, shared: false);
        await cluster.AddPlanAsync("wide", 1_000_000, 1_000);
        using var person = await cluster.JoinAsync();
        using var admin = await cluster.AdminAsync();
        var customer = await person.SubscribeAsync("wide");
        await cluster.UntilKnownAsync(customer.Key);

        // Every kind of call, refused ones too, and among many others.
        var calls = new List<(string Id, int Status)>();
        var rounds = TestScale.Of(usual: 10, full: 1_000);
        for (var round = 0; round < rounds; round++)
        {
            using var answer = await cluster.Gateways[round % 2].CallAsync(round % 7 == 0 ? "/nowhere" : "/weather/v1/current", round % 3 == 0 ? "nonsense" : customer.Key);
            calls.Add((answer.Headers.GetValues("X-Request-Id").Single(), (int)answer.StatusCode));
        }

        var tookMs = new List<double>();
        foreach (var (id, status) in calls.OrderBy(_ => Random.Shared.Next()))
        {
            var started = Stopwatch.GetTimestamp();
            var told = await ExplainedAsync(admin, $"/admin/explain/{id}");
            tookMs.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            (told.GetProperty("requestId").GetString(), told.GetProperty("status").GetInt32()).ShouldBe((id, status));
            told.GetProperty("configurationVersion").GetInt32().ShouldBeGreaterThan(0);
            if (status == 200) told.GetProperty("plan").GetProperty("name").GetString().ShouldStartWith("wide");
        }

        tookMs.Sort();
        output.WriteLine($"{tookMs.Count} calls explained: median {tookMs[tookMs.Count / 2]:0} ms, 99 % {tookMs[(int)Math.Ceiling(tookMs.Count * 0.99) - 1]:0} ms, worst {tookMs[^1]:0} ms");
    }

    // A call is kept once its answer is out, and a gateway that tells of it too late is not waited for.
    internal static async Task<JsonElement> ExplainedAsync(PortalPerson person, string path) => (await Deadline.UntilAsync($"{path} is known", async () =>
    {
        using var answer = await person.Http.GetAsync("/api/v1" + path);
        return answer.StatusCode == HttpStatusCode.OK ? await answer.Content.ReadFromJsonAsync<JsonDocument>() : null;
    })).RootElement;

    private static bool IsProblem(HttpResponseMessage answer, int status, string slug)
    {
        if ((int)answer.StatusCode != status) return false;
        using var reader = new StreamReader(answer.Content.ReadAsStream());
        return reader.ReadToEnd().Contains($"/{slug}\"", StringComparison.Ordinal);
    }
}
