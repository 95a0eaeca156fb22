using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.ServiceDefaults.Redis;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Limits.RawRedis;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>What Redis servers do: ask for passwords, forget scripts, come back empty, hand over to their replicas.</summary>
public sealed class RedisServersTests : IAsyncLifetime
{
    private readonly RawRedis _redis = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _redis.DisposeAsync();

    [Fact]
    public async Task A_server_with_a_password_is_used_with_it_and_away_without()
    {
        var (port, _) = await _redis.StartAsync("--requirepass", "not-a-secret");
        await using var known = Ledger($"127.0.0.1:{port},password=not-a-secret");
        await known.FirstAnswer.WaitAsync(Deadline.Default);
        (await AskAsync(known, Key())).Outcome.ShouldBe(LedgerOutcome.Granted);

        await using var stranger = Ledger($"127.0.0.1:{port},password=guessed");
        (await AskAsync(stranger, Key())).Outcome.ShouldBe(LedgerOutcome.Unsent);
        stranger.IsAway.ShouldBeTrue();
    }

    [Fact]
    public async Task A_server_behind_TLS_is_used_when_its_authority_is_trusted_and_its_name_is_right()
    {
        using var folder = new TempFolder();
        var (authority, certificate, key) = Certificates(folder);
        var port = await _redis.StartTlsAsync(authority, certificate, key, "--tls-auth-clients", "no", "--requirepass", "not-a-secret");

        await using var known = Ledger($"127.0.0.1:{port},ssl=true,sslHost=redis.test,password=not-a-secret,tlsCa={authority}");
        await known.FirstAnswer.WaitAsync(Deadline.Default);
        (await AskAsync(known, Key())).Outcome.ShouldBe(LedgerOutcome.Granted);

        await using var another = Ledger($"127.0.0.1:{port},ssl=true,sslHost=other.test,password=not-a-secret,tlsCa={authority}");
        await using var untrusting = Ledger($"127.0.0.1:{port},ssl=true,sslHost=redis.test,password=not-a-secret");
        await Task.Delay(TimeSpan.FromSeconds(1));    // time in which the good one had long been connected
        another.IsAway.ShouldBeTrue();
        untrusting.IsAway.ShouldBeTrue();
        Should.Throw<FormatException>(() => RedisConnection.Start("127.0.0.1:1,ssl=true,tlsCa=/nowhere/ca.pem", NullLogger<RedisConnection>.Instance)).Message.ShouldContain("/nowhere/ca.pem");
    }

    [Fact]
    public async Task A_gateway_that_alone_is_cut_off_takes_no_strict_plan_beyond_its_limit()
    {
        var (port, _) = await _redis.StartAsync();
        await using var wire = new Wire(port);
        await using var cutOff = Ledger($"127.0.0.1:{wire.Port}");
        await using var other = Ledger($"127.0.0.1:{port}");
        var nodes = new[] { cutOff, other }.Select((ledger, number) => new PlanLimits(ledger, new NothingUsed(), TimeProvider.System, $"node-{number}")).ToArray();
        (cutOff.Recount, other.Recount) = (nodes[0].RecountAsync, nodes[1].RecountAsync);
        await Task.WhenAll(cutOff.FirstAnswer, other.FirstAnswer).WaitAsync(Deadline.Default);
        await Deadline.UntilAsync("the nodes know of each other", () => Task.FromResult(cutOff.Nodes == 2 && other.Nodes == 2));
        var item = new EntitlementItem(SubscriptionId.New(), AppId.New(), "weather", "strict", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.Closed,
            [new RateLimit("hour", 400, 3_600_000)], [new Quota("month", 500, QuotaPeriod.Month, true, 0)]);
        Entitlement[] plans = [new() { Item = item }, new() { Item = item }];
        var admitted = 0;
        for (var i = 0; i < 100; i++) await CallAsync(i % 2);
        admitted.ShouldBeGreaterThan(80);
        var granted = "";
        await Deadline.UntilAsync(() => $"what was not spent goes back: {granted} are granted, {admitted} were admitted", async () =>
        {
            foreach (var node in nodes) node.Tidy();    // housekeeping: what is cut off with its node is what it has in hand
            granted = (await SayAsync(port, "EVAL \"local hour, month = 0, 0 for _, key in ipairs(redis.call('KEYS', '*:w:hour:*')) do "
                + "for bucket, units in string.gmatch(redis.call('GET', key), '(%d+):(%d+)') do if bucket ~= '0' then hour = hour + units end end end "
                + "for _, key in ipairs(redis.call('KEYS', '*:q:month:*')) do for _, node in ipairs({ 'g:node-0', 'g:node-1' }) do month = month + (redis.call('HGET', key, node) or 0) end end "
                + "return math.max(hour, month)\" 0")).Split('\r')[0].TrimStart(':');
            return int.Parse(granted) <= admitted + 6 ? granted : null;
        });

        wire.Cut();
        await Deadline.UntilAsync("the loss is noticed", () => Task.FromResult(cutOff.IsAway));
        for (var i = 0; i < 800; i++) await CallAsync(i % 2);    // what was refused before leaves the other one more to do
        await Deadline.UntilAsync("the other one hears Redis as before", () => Task.FromResult(!other.IsAway));
        await Deadline.UntilAsync(() => $"the other one admits nearly all the rest: {admitted} were admitted, {granted} were granted before", async () =>
        {
            await CallAsync(1);
            return admitted >= 380 ? granted : null;
        });
        admitted.ShouldBeLessThanOrEqualTo(400);

        wire.Mend();
        await Deadline.UntilAsync("the wire is whole again", () => Task.FromResult(!cutOff.IsAway));
        for (var i = 0; i < 200; i++) await CallAsync(i % 2);
        admitted.ShouldBeInRange(380, 400);

        async Task CallAsync(int node)
        {
            var call = new LimitedCall(1, ArrivedUnixMs: TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());    // once: what is granted to who waited is not for who came later
            Verdict verdict;
            while ((verdict = nodes[node].Decide(plans[node], call, false, out _)).Arrival is { } arrival)
                await arrival.WaitAsync(Deadline.Default);    // as long as it takes: how busy the machine is decides nothing
            if (verdict.IsGranted) admitted++;
        }
    }

    [Fact]
    public async Task A_user_that_may_do_no_more_than_is_documented_suffices()
    {
        var (port, _) = await _redis.StartAsync();
        (await SayAsync(port, "ACL SETUSER default reset on >not-a-secret ~tg:* +@connection +eval +evalsha +info +time +get +set +del +hget +hset +hgetall +hdel +hincrby +pexpire")).ShouldStartWith("+OK");
        await using var ledger = Ledger($"127.0.0.1:{port},password=not-a-secret");
        await ledger.FirstAnswer.WaitAsync(Deadline.Default);
        var limits = new PlanLimits(ledger, new NothingUsed(), TimeProvider.System, "node");
        var plan = new Entitlement
        {
            Item = new EntitlementItem(SubscriptionId.New(), AppId.New(), "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.Closed,
                [new RateLimit("hour", 3, 3_600_000)], [new Quota("month", 5, QuotaPeriod.Month, true, 0)]),
        };
        for (var i = 0; i < 4; i++)
        {
            var call = new LimitedCall(1, ArrivedUnixMs: TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
            var verdict = limits.Decide(plan, call, false, out _);
            for (var look = 0; look < 20 && verdict.Arrival is { } arrival; look++)
            {
                await arrival;
                verdict = limits.Decide(plan, call, look == 19, out _);
            }
            verdict.IsGranted.ShouldBe(i < 3);
        }
        (await limits.ResetAsync(plan, null, Guid.NewGuid())).ShouldBe(["hour", "month"]);
    }

    [Fact]
    public async Task A_server_that_forgot_the_scripts_is_sent_them_again()
    {
        var (port, _) = await _redis.StartAsync();
        await using var ledger = Ledger($"127.0.0.1:{port}");
        await ledger.FirstAnswer.WaitAsync(Deadline.Default);
        var key = Key();
        (await AskAsync(ledger, key)).Room.ShouldBe(9);
        await SayAsync(port, "SCRIPT FLUSH");
        (await AskAsync(ledger, key)).Room.ShouldBe(8);
    }

    [Fact]
    public async Task A_server_that_comes_back_empty_is_told_what_was_spent_before_it_grants_again()
    {
        var server = await RedisServer.StartAsync();
        await using var _ = server;
        await using var cluster = await Cluster.StartAsync("redis", 2, server);
        var item = new EntitlementItem(SubscriptionId.New(), AppId.New(), "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.Closed,
            [new RateLimit("hour", 40, 3_600_000)], [new Quota("month", 60, QuotaPeriod.Month, true, 0)]);
        Entitlement[] plans = [new() { Item = item }, new() { Item = item }];
        var admitted = 0;
        for (var i = 0; i < 30; i++)
        {
            if ((await cluster.CallPatientlyAsync(i % 2, plans[i % 2])).IsGranted) admitted++;
        }
        admitted.ShouldBe(30);

        for (var round = 0; round < 2; round++)
        {
            await server.KillAsync();
            await server.StartServerAsync();
            await Deadline.UntilAsync("the ledger is back", async () =>
            {
                if ((await cluster.CallAsync(0, plans[0])).IsGranted) admitted++;
                cluster.Tidy();
                return !cluster.Ledgers[0].IsAway && !cluster.Ledgers[1].IsAway;
            });
        }
        await Deadline.UntilAsync("all that is allowed was used", async () =>
        {
            for (var i = 0; i < 4; i++)
            {
                if ((await cluster.CallAsync(i % 2, plans[i % 2])).IsGranted) admitted++;
            }
            cluster.Tidy();
            return admitted >= 40;
        });
        for (var i = 0; i < 20; i++)
            (await cluster.CallAsync(i % 2, plans[i % 2])).IsGranted.ShouldBeFalse();
        admitted.ShouldBe(40);
    }

    [Fact]
    public async Task A_server_that_is_emptied_while_it_runs_is_told_what_was_spent_before_it_grants_again()
    {
        var server = await RedisServer.StartAsync();
        await using var _ = server;
        await using var cluster = await Cluster.StartAsync("redis", 2, server);
        var item = new EntitlementItem(SubscriptionId.New(), AppId.New(), "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.Closed,
            [new RateLimit("hour", 400, 3_600_000), new RateLimit("burst", 350, 1_800_000)], [new Quota("month", 500, QuotaPeriod.Month, true, 0)]);
        Entitlement[] plans = [new() { Item = item }, new() { Item = item }];
        var admitted = 0;
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 100; i++)
            {
                if ((await cluster.CallAsync(i % 2, plans[i % 2])).IsGranted) admitted++;
            }
            (await SayAsync(server.Port, "FLUSHALL")).ShouldStartWith("+OK");
            for (var i = 0; i < 20; i++)
            {
                if ((await cluster.CallAsync(i % 2, plans[i % 2])).IsGranted) admitted++;
            }
            await Deadline.UntilAsync("it was told", async () =>
            {
                if ((await cluster.CallAsync(round % 2, plans[round % 2])).IsGranted) admitted++;
                cluster.Tidy();
                return !cluster.Ledgers[0].IsAway && !cluster.Ledgers[1].IsAway;
            });
        }
        admitted.ShouldBeGreaterThan(150);
        await Deadline.UntilAsync("all that is allowed was used", async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                if ((await cluster.CallAsync(i % 2, plans[i % 2])).IsGranted) admitted++;
            }
            cluster.Tidy();
            return admitted >= 340;
        });
        for (var i = 0; i < 100; i++)
        {
            if ((await cluster.CallAsync(i % 2, plans[i % 2])).IsGranted) admitted++;
            cluster.Tidy();
        }
        admitted.ShouldBeLessThanOrEqualTo(350);
    }

    [Fact]
    public async Task A_replica_that_takes_over_is_used_and_told_what_was_spent()
    {
        var (master, process) = await _redis.StartAsync();
        var (replica, _) = await _redis.StartAsync("--replicaof", $"127.0.0.1 {master}", "--repl-diskless-sync-delay", "0");
        await Deadline.UntilAsync("the replica follows", async () => (await SayAsync(replica, "INFO replication")).Contains("master_link_status:up"));
        await using var ledger = Ledger($"127.0.0.1:{master},127.0.0.1:{replica}");
        var time = TimeProvider.System;
        var limits = new PlanLimits(ledger, new NothingUsed(), time, "node");
        ledger.Recount = limits.RecountAsync;
        await ledger.FirstAnswer.WaitAsync(Deadline.Default);
        var plan = new Entitlement
        {
            Item = new EntitlementItem(SubscriptionId.New(), AppId.New(), "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.Closed,
                [new RateLimit("hour", 10, 3_600_000)], []),
        };
        var admitted = 0;
        async Task<bool> CallAsync()
        {
            var call = new LimitedCall(1, ArrivedUnixMs: time.GetUtcNow().ToUnixTimeMilliseconds());
            var verdict = limits.Decide(plan, call, false, out var _);
            for (var i = 0; i < 20 && verdict.Arrival is { } arrival; i++)
            {
                await arrival;
                verdict = limits.Decide(plan, call, i == 19, out var _);
            }
            if (verdict.IsGranted) admitted++;
            return verdict.IsGranted;
        }
        for (var i = 0; i < 6; i++) (await CallAsync()).ShouldBeTrue();

        await process.KillAsync();
        await SayAsync(replica, "REPLICAOF NO ONE");
        await Deadline.UntilAsync("the new master grants", CallAsync);
        for (var i = 0; i < 20; i++) await CallAsync();
        admitted.ShouldBe(10);
    }
}
