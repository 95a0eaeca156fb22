using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway;
using Tollgate.Gateway.Consumers;
using Tollgate.Gateway.Policy;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Feeds;

public sealed class FeedTests
{
    private readonly ApplicationItem _app = new(AppId.New(), OrganisationId.New(), "app", "acme", false);
    private readonly string _key = ApiKeyFormat.Generate(false);

    private KeyItem KeyItem(string key) => new(new ApiKeyId(Guid.Parse("00000000-0000-0000-0000-0000000000" + (key.GetHashCode() & 0xff).ToString("x2"))), ApiKeyFormat.Sha256Hex(key), _app.Id, ApiKeyFormat.Prefix(key));

    private EntitlementItem Plan(params RateLimit[] limits) =>
        new(new SubscriptionId(_app.Id.Value), _app.Id, "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.FairShare, limits, []);

    [Fact]
    public async Task What_the_control_plane_publishes_is_in_force_within_a_second()
    {
        await using var plane = await FakeControlPlane.StartAsync();
        plane.Publish(_app, KeyItem(_key), Plan(new RateLimit("minute", 2, 60_000)));
        await using var gateway = await StartAsync(plane);
        gateway.IsReady.ShouldBeTrue();

        gateway.Credentials.TryFindKey(_key, out var credential).ShouldBeTrue();
        gateway.Entitlements.TryGet(credential!.Application.Id, "weather", out var plan).ShouldBeTrue();
        gateway.Limits.Decide(plan!, 2, false, out _).IsGranted.ShouldBeTrue();
        gateway.Limits.Decide(plan!, 1, false, out _).Refusal.ShouldBe(Refusal.RateLimited);

        plane.Publish(KeyItem(_key) with { Revoked = true });
        await Deadline.UntilAsync("the key is revoked", () => Task.FromResult(gateway.Credentials.TryFindKey(_key, out var found) && found.Revoked));

        plane.Publish(Plan(new RateLimit("minute", 5, 60_000)));
        await Deadline.UntilAsync("the plan has changed", () => Task.FromResult(gateway.Entitlements.TryGet(_app.Id, "weather", out var next) && next.Item.Limits[0].Units == 5));
        gateway.Entitlements.TryGet(_app.Id, "weather", out plan);
        for (var i = 0; i < 3; i++)
            gateway.Limits.Decide(plan!, 1, false, out _).IsGranted.ShouldBeTrue();
        gateway.Limits.Decide(plan!, 1, false, out _).IsGranted.ShouldBeFalse();

        plane.Publish(new RemovedItem("entitlement", _app.Id.ToString()), _app with { Suspended = true });
        await Deadline.UntilAsync("the subscription is gone", () => Task.FromResult(!gateway.Entitlements.TryGet(_app.Id, "weather", out _)));
        await Deadline.UntilAsync("the application is suspended", () => Task.FromResult(credential.Application.Refusal == Refusal.OrganisationSuspended));
    }

    [Fact]
    public async Task An_order_to_begin_counters_anew_is_carried_out_once()
    {
        await using var plane = await FakeControlPlane.StartAsync();
        plane.Publish(_app, KeyItem(_key), Plan(new RateLimit("hour", 2, 3_600_000)));
        await using var gateway = await StartAsync(plane);
        gateway.Entitlements.TryGet(_app.Id, "weather", out var plan).ShouldBeTrue();
        gateway.Limits.Decide(plan!, 2, false, out _).IsGranted.ShouldBeTrue();
        gateway.Limits.Decide(plan!, 1, false, out _).IsGranted.ShouldBeFalse();

        var order = new CounterResetItem(plan!.Subscription, "hour", Guid.NewGuid(), DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeMilliseconds());
        plane.Publish(order);
        await Deadline.UntilAsync("the counter is begun anew", () => Task.FromResult(gateway.Limits.Decide(plan!, 2, false, out _).IsGranted));
        plane.Publish(order, order with { Order = Guid.NewGuid(), ExpiresUnixMs = 1 }, _app with { Name = "renamed" });
        await Deadline.UntilAsync("what followed is in force", () => Task.FromResult(gateway.Credentials.TryFindKey(_key, out var found) && found.Application.Name == "renamed"));
        gateway.Limits.Decide(plan!, 1, false, out _).IsGranted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_gateway_starts_from_its_last_good_state_and_catches_up()
    {
        using var data = new TempFolder();
        await using var plane = await FakeControlPlane.StartAsync();
        plane.Publish(_app, KeyItem(_key), Plan());
        await using (var first = await StartAsync(plane, data.Path))
        {
            plane.Publish(_app with { Name = "renamed" });
            await Deadline.UntilAsync("the change is live", () => Task.FromResult(first.Credentials.TryFindKey(_key, out var x) && x.Application.Name == "renamed"));
        }

        await plane.DownAsync();
        await using var second = await StartAsync(plane, data.Path);
        second.IsReady.ShouldBeTrue();
        second.Credentials.TryFindKey(_key, out var credential).ShouldBeTrue();
        credential!.Application.Name.ShouldBe("renamed");
        second.Entitlements.TryGet(_app.Id, "weather", out _).ShouldBeTrue();

        plane.Publish(KeyItem(_key) with { Revoked = true });
        var snapshots = plane.Snapshots;
        await plane.UpAsync();
        await Deadline.UntilAsync("what was missed is caught up", () => Task.FromResult(second.Credentials.TryFindKey(_key, out var x) && x.Revoked));
        plane.Snapshots.ShouldBe(snapshots);
    }

    [Theory]
    [InlineData("tail")]
    [InlineData("middle")]
    [InlineData("all")]
    public async Task A_damaged_state_on_disk_is_used_as_far_as_it_is_whole(string damage)
    {
        using var data = new TempFolder();
        await using var plane = await FakeControlPlane.StartAsync();
        plane.Publish(_app, KeyItem(_key), Plan());
        var other = ApiKeyFormat.Generate(false);
        await using (var first = await StartAsync(plane, data.Path))
        {
            plane.Publish(KeyItem(other) with { Id = ApiKeyId.New() });
            await Deadline.UntilAsync("the second key is live", () => Task.FromResult(first.Credentials.TryFindKey(other, out _)));
        }
        await plane.DownAsync();

        var path = Path.Combine(data.Path, "feeds", "credentials.ndjson");
        var bytes = await File.ReadAllBytesAsync(path);
        if (damage == "tail")
            await File.WriteAllBytesAsync(path, bytes[..^30]);
        else
        {
            bytes[damage == "middle" ? bytes.Length - 100 : 100] ^= 1;
            await File.WriteAllBytesAsync(path, bytes);
        }

        await using var second = await StartAsync(plane, data.Path);
        second.IsReady.ShouldBe(damage != "all");
        second.Credentials.TryFindKey(_key, out _).ShouldBe(damage != "all");
        second.Credentials.TryFindKey(other, out _).ShouldBeFalse();

        await plane.UpAsync();
        await Deadline.UntilAsync("the rest is fetched again", () => Task.FromResult(second.IsReady && second.Credentials.TryFindKey(_key, out _) && second.Credentials.TryFindKey(other, out _)));
        await second.DisposeAsync();

        await plane.DownAsync();
        await using var third = await StartAsync(plane, data.Path);
        third.Credentials.TryFindKey(other, out _).ShouldBeTrue();
    }

    [Fact]
    public async Task An_answer_without_its_end_is_not_applied()
    {
        await using var plane = await FakeControlPlane.StartAsync();
        plane.Publish(_app, Plan());
        await using var gateway = await StartAsync(plane);
        plane.CutOff = true;
        plane.Publish(KeyItem(_key));
        await Deadline.UntilAsync("the failure is noticed", () => Task.FromResult(gateway.Facts().Feeds.Any(feed => feed.Failures > 0)));
        gateway.Credentials.TryFindKey(_key, out _).ShouldBeFalse();

        plane.CutOff = false;
        await Deadline.UntilAsync("the whole answer is applied", () => Task.FromResult(gateway.Credentials.TryFindKey(_key, out _)));
    }

    [Fact]
    public async Task Lines_and_members_from_the_future_are_skipped()
    {
        await using var plane = await FakeControlPlane.StartAsync();
        plane.Garbage = """{"type":"hologram","id":1,"nested":{"type":"key"}}""";
        plane.Publish(_app, KeyItem(_key), Plan());
        await using var gateway = await StartAsync(plane);
        gateway.Credentials.TryFindKey(_key, out _).ShouldBeTrue();
    }

    [Fact]
    public async Task A_new_history_replaces_everything()
    {
        await using var plane = await FakeControlPlane.StartAsync();
        plane.Publish(_app, KeyItem(_key), Plan());
        await using var gateway = await StartAsync(plane);
        plane.Epoch = "epoch-2";
        plane.Publish(new RemovedItem("key", KeyItem(_key).Id.ToString()), Plan());
        await Deadline.UntilAsync("the new history is read", () => Task.FromResult(gateway.Facts().Feeds.All(feed => feed.Epoch == "epoch-2")));
        gateway.Credentials.TryFindKey(_key, out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_history_that_goes_back_is_read_anew()
    {
        await using var plane = await FakeControlPlane.StartAsync();
        plane.Publish(_app, KeyItem(_key), Plan(), new RevokedTokenItem("one", long.MaxValue), new RevokedTokenItem("two", long.MaxValue));
        await using var gateway = await StartAsync(plane);
        gateway.Credentials.TryFindKey(_key, out _).ShouldBeTrue();

        // As when its database is put back to what it was yesterday.
        var other = ApiKeyFormat.Generate(test: false);
        plane.Rewrite(_app, KeyItem(other), Plan());
        await Deadline.UntilAsync("what the control plane has now is read", () => Task.FromResult(gateway.Credentials.TryFindKey(other, out _)));
        gateway.Credentials.TryFindKey(_key, out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_wrong_token_leaves_what_is_in_force_in_force_and_says_so()
    {
        using var data = new TempFolder();
        await using var plane = await FakeControlPlane.StartAsync();
        plane.Publish(_app, KeyItem(_key), Plan());
        await using (await StartAsync(plane, data.Path))
        {
        }
        await using var gateway = await StartAsync(plane, data.Path, "tgw_wrong");
        gateway.Credentials.TryFindKey(_key, out _).ShouldBeTrue();
        await Deadline.UntilAsync("it says so", () => Task.FromResult(gateway.Facts().Feeds.All(feed => feed.LastFailure?.Contains("401") == true)));
    }

    [Fact]
    public async Task A_quota_counter_that_was_lost_is_rebuilt_from_the_control_planes_total()
    {
        await using var plane = await FakeControlPlane.StartAsync();
        plane.Used = 7;
        plane.Publish(_app, KeyItem(_key), Plan() with { Quotas = [new Quota("month", 10, QuotaPeriod.Month, true, 0)] });
        await using var gateway = await StartAsync(plane);
        gateway.Entitlements.TryGet(_app.Id, "weather", out var plan).ShouldBeTrue();

        var admitted = 0;
        for (var i = 0; i < 20; i++)
        {
            var verdict = gateway.Limits.Decide(plan!, 1, false, out _);
            if (verdict.Kind == VerdictKind.Pending)
            {
                await verdict.Arrival!;
                verdict = gateway.Limits.Decide(plan!, 1, false, out _);
            }
            if (verdict.IsGranted)
                admitted++;
            else
                verdict.Refusal.ShouldBe(Refusal.QuotaExceeded);
        }
        admitted.ShouldBe(3);
    }

    private static async Task<ConsumerDirectory> StartAsync(FakeControlPlane plane, string? data = null, string token = FakeControlPlane.Token)
    {
        var options = new GatewayOptions { Config = "ocelot.json", Urls = "http://127.0.0.1:0", ControlPlane = plane.Address, Token = token, Data = data };
        var directory = ConsumerDirectory.Create(options, null, NullLoggerFactory.Instance, TimeProvider.System);
        await directory.StartAsync(CancellationToken.None);
        if (plane.IsUp && token == FakeControlPlane.Token) await Deadline.UntilAsync("the feeds are in force", () => Task.FromResult(directory.IsReady));    // it starts without them where they take long
        return directory;
    }
}
