using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.UnitTests.Gateway;

public sealed class BalancingTests
{
    private const long Now = 1_700_000_000_000;

    [Fact]
    public void The_host_with_the_fewest_calls_is_chosen_and_of_equals_the_first()
    {
        var upstream = new Upstream(Hosts(), new BalancingOptions { Policy = BalancingPolicy.LeastCalls });

        string.Concat(Enumerable.Range(0, 4).Select(_ => Choose(upstream))).ShouldBe("abca");
        upstream.Destinations[1].End();
        Choose(upstream).ShouldBe("b");
    }

    [Fact]
    public void Of_hosts_with_equally_few_requests_each_has_its_turn()
    {
        var upstream = new Upstream(Hosts(), new BalancingOptions { Policy = BalancingPolicy.LeastRequests });

        string.Concat(Enumerable.Range(0, 6).Select(_ => Choose(upstream))).ShouldBe("abcabc");
        upstream.Destinations[1].Begin();
        string.Concat(Enumerable.Range(0, 6).Select(_ => Choose(upstream))).ShouldNotContain("b");
    }

    [Fact]
    public void Of_hosts_with_few_requests_each_has_its_share_and_who_is_busy_has_none()
    {
        var upstream = new Upstream([new("a", 1, "http", weight: 5), new("b", 1, "http"), new("c", 1, "http")], new BalancingOptions { Policy = BalancingPolicy.LeastRequests });

        var idle = string.Concat(Enumerable.Range(0, 14).Select(_ => Choose(upstream)));
        (idle.Count(c => c == 'a'), idle.Count(c => c == 'b'), idle.Count(c => c == 'c')).ShouldBe((10, 2, 2));
        for (var i = 0; i < 11; i++) upstream.Destinations[0].Begin();
        string.Concat(Enumerable.Range(0, 4).Select(_ => Choose(upstream))).ShouldNotContain("a");
    }

    [Fact]
    public void A_session_stays_with_its_host_until_it_rests_too_long()
    {
        var sessions = new StickySessions("sid") { ExpiryMs = 1000 };
        var upstream = new Upstream(Hosts(), new BalancingOptions { Policy = BalancingPolicy.Sticky }, sessions);
        var other = new Upstream(Hosts(), new BalancingOptions { Policy = BalancingPolicy.Sticky }, sessions);

        Choose(upstream, "a=b; sid=1").ShouldBe("a");
        Choose(upstream, "sid=2").ShouldBe("b");
        Choose(upstream, "sid=1", Now + 900).ShouldBe("a");
        Choose(upstream, "sid=1", Now + 1800).ShouldBe("a");
        Choose(other, "sid=2", Now + 900).ShouldBe("b", "routes of one cookie share sessions");
        (Choose(upstream, "xsid=1") + Choose(upstream)).ShouldBe("ca", "who has no session takes turns");
        Choose(upstream, "sid=1", Now + 2800).ShouldBe("b");
    }

    [Fact]
    public void A_session_moves_off_a_host_that_takes_no_connection_and_stays_where_it_went()
    {
        var upstream = new Upstream(Hosts(), new BalancingOptions { Policy = BalancingPolicy.Sticky }, new StickySessions("sid"));
        Choose(upstream, "sid=1").ShouldBe("a");
        upstream.Tell(upstream.Destinations[0], CallOutcome.NoConnection, Now);

        var moved = Choose(upstream, "sid=1");
        moved.ShouldNotBe("a");
        upstream.Readmit(upstream.Destinations[0], Now);
        Choose(upstream, "sid=1").ShouldBe(moved);
    }

    [Fact]
    public void Weights_are_kept_exactly_and_spread()
    {
        var upstream = new Upstream([new("a", 1, "http", weight: 5), new("b", 1, "http"), new("c", 1, "http")]);
        string.Concat(Enumerable.Range(0, 14).Select(_ => Choose(upstream))).ShouldBe("aabacaaaabacaa");
    }

    [Theory]
    [InlineData("Random")]
    [InlineData("TwoChoices")]
    public void Chance_keeps_weights_in_the_long_run(string policy)
    {
        var upstream = new Upstream([new("a", 1, "http", weight: 3), new("b", 1, "http")], new BalancingOptions { Policy = Enum.Parse<BalancingPolicy>(policy) });
        var of = Enumerable.Range(0, 8000).Select(_ => Choose(upstream, end: true)).Count(host => host == "a");
        of.ShouldBeInRange(5700, 6300);
    }

    [Fact]
    public void What_hashes_alike_goes_to_the_same_host_and_only_the_share_of_a_lost_one_moves()
    {
        var rule = new HashRule(HashSource.Header, "X-User", 0);
        var upstream = new Upstream(Hosts(), new BalancingOptions { Policy = BalancingPolicy.Hash, Hash = rule });
        var before = Enumerable.Range(0, 300).ToDictionary(user => user, user => ByUser(upstream, user));
        before.Values.GroupBy(host => host).ShouldAllBe(group => group.Count() > 50);
        Enumerable.Range(0, 300).ShouldAllBe(user => ByUser(upstream, user) == before[user]);

        upstream.Tell(upstream.Destinations[1], CallOutcome.NoConnection, Now);

        foreach (var (user, host) in before)
            if (host == "b") ByUser(upstream, user).ShouldNotBe("b");
            else ByUser(upstream, user).ShouldBe(host);
    }

    [Fact]
    public void A_host_passes_on_what_exceeds_its_bound()
    {
        var upstream = new Upstream(Hosts(), new BalancingOptions { Policy = BalancingPolicy.Hash, Hash = new HashRule(HashSource.Header, "X-User", 1.25) });
        for (var i = 0; i < 30; i++) ByUser(upstream, 7, end: false);
        upstream.Destinations.ShouldAllBe(host => host.Running <= 13 && host.Running >= 4);
    }

    [Fact]
    public void A_caller_stays_with_its_host_while_its_last_call_is_just_ending()
    {
        var upstream = new Upstream(Hosts(), new BalancingOptions { Policy = BalancingPolicy.Hash, Hash = new HashRule(HashSource.Header, "X-User", 1.25) });
        ByUser(upstream, 7, end: false).ShouldBe(ByUser(upstream, 7, end: false));
    }

    [Fact]
    public void Our_cookie_names_a_host_and_is_set_when_it_names_none_that_is_well()
    {
        var cookie = new AffinityCookie("home", 0);
        var upstream = new Upstream(Hosts(), new BalancingOptions { Policy = BalancingPolicy.Cookie, Cookie = cookie });
        var second = upstream.Destinations[1];

        var call = Call($"x=1; home={second.Id}");
        upstream.Choose(ref call).ShouldBe(second);
        call.Affinity.ShouldBeNull();
        second.Id.ShouldNotContain("b");

        upstream.Tell(second, CallOutcome.NoConnection, Now);
        call = Call($"home={second.Id}");
        upstream.Choose(ref call).ShouldNotBe(second);
        call.Affinity.ShouldBe(cookie);
    }

    [Fact]
    public void A_host_that_takes_no_connection_is_left_alone_longer_each_time()
    {
        var upstream = new Upstream(Hosts());
        var first = upstream.Destinations[0];
        upstream.Tell(first, CallOutcome.NoConnection, Now);
        Hosts(upstream, Now + 999).ShouldNotContain("a");
        Hosts(upstream, Now + 1000).ShouldContain("a");

        upstream.Tell(first, CallOutcome.NoConnection, Now + 1100);
        Hosts(upstream, Now + 3099).ShouldNotContain("a");
        Hosts(upstream, Now + 3100).ShouldContain("a");

        upstream.Tell(first, CallOutcome.NoConnection, Now + 60_000);    // it served well in between
        Hosts(upstream, Now + 61_000).ShouldContain("a");
    }

    [Fact]
    public void Failures_in_a_row_eject_no_more_than_the_largest_share()
    {
        var upstream = new Upstream(Hosts(), new BalancingOptions { Passive = new PassiveHealth { Failures = 2, Statuses = new EquatableStatuses([503]), MaxEjectedPercent = 50 } });
        upstream.Judge(503).ShouldBe(CallOutcome.Failed);
        upstream.Judge(500).ShouldBe(CallOutcome.Good);
        foreach (var host in upstream.Destinations)
        {
            upstream.Tell(host, CallOutcome.Failed, Now);
            upstream.Tell(host, CallOutcome.Good, Now);
            upstream.Tell(host, CallOutcome.Failed, Now);
        }

        Hosts(upstream, Now).Count.ShouldBe(3, "no two in a row");
        foreach (var host in upstream.Destinations) upstream.Tell(host, CallOutcome.Failed, Now);
        Hosts(upstream, Now).ShouldBe(["b", "c"]);
    }

    [Fact]
    public void When_nobody_is_well_everybody_is_tried_but_who_drains()
    {
        var upstream = new Upstream(Hosts());
        upstream.Drain(upstream.Destinations[2], true, Now);
        foreach (var host in upstream.Destinations) upstream.Tell(host, CallOutcome.NoConnection, Now);
        Hosts(upstream, Now).ShouldBe(["a", "b"]);

        foreach (var host in upstream.Destinations) upstream.Drain(host, true, Now);
        var call = Call(null);
        upstream.Choose(ref call).ShouldBeNull();
    }

    [Fact]
    public void A_lower_priority_has_calls_only_while_no_higher_one_is_well()
    {
        var upstream = new Upstream([new("a", 1, "http"), new("b", 1, "http", priority: 1), new("c", 1, "http", priority: 1)]);
        Hosts(upstream, Now).ShouldBe(["a"]);
        upstream.Mark(upstream.Destinations[0], down: true, Now);
        Hosts(upstream, Now).ShouldBe(["b", "c"]);
        upstream.Mark(upstream.Destinations[0], down: false, Now);
        Hosts(upstream, Now).ShouldBe(["a"]);
    }

    [Fact]
    public void A_try_goes_to_a_host_that_was_not_tried_also_of_another_priority()
    {
        var upstream = new Upstream([new("a", 1, "http"), new("b", 1, "http", priority: 1)]);
        var call = Call(null);
        upstream.Choose(ref call)!.Host.ShouldBe("a");
        upstream.Choose(ref call)!.Host.ShouldBe("b");
        upstream.Choose(ref call).ShouldBeNull();
    }

    [Fact]
    public void A_host_that_came_back_starts_slowly()
    {
        var upstream = new Upstream(Hosts(), new BalancingOptions { SlowStartMs = 10_000 });
        upstream.Mark(upstream.Destinations[0], down: true, Now);
        upstream.Mark(upstream.Destinations[0], down: false, Now);

        double Share(long now) => Enumerable.Range(0, 2100).Count(_ => Choose(upstream, now: now) == "a") / 2100.0;
        Share(Now + 10).ShouldBeInRange(0.04, 0.06);
        Share(Now + 5000).ShouldBeInRange(0.19, 0.21);
        Share(Now + 10_000).ShouldBeInRange(0.32, 0.34);
    }

    [Fact]
    public void Hosts_that_are_replaced_keep_what_is_known_of_them()
    {
        var upstream = new Upstream(Hosts());
        upstream.Tell(upstream.Destinations[1], CallOutcome.NoConnection, Now);
        upstream.Replace([new("b", 1, "http"), new("d", 1, "http")]);
        Hosts(upstream, Now).ShouldBe(["d"]);
    }

    [Fact]
    public void Tries_beyond_the_first_have_a_budget_that_calls_earn()
    {
        var budget = new RetryBudget(20);
        while (budget.TrySpend())
        {
        }

        for (var i = 0; i < 10; i++) budget.Earn();
        budget.TrySpend().ShouldBeTrue();
        budget.TrySpend().ShouldBeTrue();
        budget.TrySpend().ShouldBeFalse();
    }

    [Fact]
    public void A_canary_has_its_share_its_header_and_its_consumers()
    {
        var upstream = new Upstream(Hosts());
        var half = new Canary(upstream, new CanaryRule(5000, false, null, null, []));
        Enumerable.Range(0, 4000).Count(_ => half.Takes(Call(null))).ShouldBeInRange(1800, 2200);

        var named = new Canary(upstream, new CanaryRule(0, false, "X-Canary", "yes", ["beta"]));
        named.Takes(Call(null)).ShouldBeFalse();
        named.Takes(Call(null) with { Headers = new Headers(null, ("X-Canary", "YES")) }).ShouldBeTrue();
        named.Takes(Call(null) with { Headers = new Headers(null, ("X-Canary", "no")) }).ShouldBeFalse();
        named.Takes(Call(null) with { Consumer = "beta" }).ShouldBeTrue();

        var people = new Canary(upstream, new CanaryRule(3000, true, null, null, []));
        var callers = Enumerable.Range(0, 2000).Select(_ => Call(null) with { Application = Guid.NewGuid() }).ToArray();
        var chosen = callers.Where(call => people.Takes(in call)).ToArray();
        chosen.Length.ShouldBeInRange(450, 750);    // seven standard deviations
        chosen.ShouldAllBe(call => people.Takes(in call));
    }

    [Fact]
    public void A_circuit_opens_after_failures_in_a_row_and_one_call_tries_it()
    {
        var circuit = new CircuitBreaker(new CircuitRule(2, 1000, null, 10_000));
        Call(circuit, failed: true);
        Call(circuit, failed: false);
        Call(circuit, failed: true);
        circuit.TryEnter(Now, out var early, out _).ShouldBeTrue();
        Call(circuit, failed: true);

        circuit.TryEnter(Now + 1, out _, out var retryAfter).ShouldBeFalse();
        retryAfter.ShouldBe(1);
        circuit.TryEnter(Now + 1000, out var probe, out _).ShouldBeTrue();
        circuit.TryEnter(Now + 1000, out _, out _).ShouldBeFalse("one call tries at a time");
        circuit.Tell(early, false, Now + 1000);
        circuit.TryEnter(Now + 1000, out _, out _).ShouldBeFalse("what began before the break closes nothing");
        circuit.Abandon(probe);
        circuit.TryEnter(Now + 1000, out probe, out _).ShouldBeTrue("a try that was given up makes room for another");
        circuit.Tell(probe, true, Now + 1100);
        circuit.TryEnter(Now + 2099, out _, out _).ShouldBeFalse();
        circuit.TryEnter(Now + 2100, out probe, out _).ShouldBeTrue();
        circuit.Tell(probe, false, Now + 2100);
        Call(circuit, failed: true);
        circuit.TryEnter(Now + 2100, out _, out _).ShouldBeTrue();
    }

    [Fact]
    public void A_circuit_with_a_ratio_looks_at_the_last_while_only()
    {
        var circuit = new CircuitBreaker(new CircuitRule(4, 1000, 0.5, 10_000));
        for (var i = 0; i < 3; i++) Call(circuit, failed: true);
        for (var i = 0; i < 4; i++) Call(circuit, failed: false, Now + 20_000);
        for (var i = 0; i < 3; i++) Call(circuit, failed: true, Now + 20_001);
        circuit.TryEnter(Now + 20_001, out _, out _).ShouldBeTrue("3 of 7");

        Call(circuit, failed: true, Now + 20_002);

        circuit.TryEnter(Now + 20_003, out _, out _).ShouldBeFalse("4 of 8");
    }

    private static void Call(CircuitBreaker circuit, bool failed, long now = Now)
    {
        circuit.TryEnter(now, out var ticket, out _).ShouldBeTrue();
        circuit.Tell(ticket, failed, now);
    }

    private static Destination[] Hosts() => [new("a", 1, "http"), new("b", 1, "http"), new("c", 1, "http")];

    // Who may have calls now.
    private static List<string> Hosts(Upstream upstream, long now) => [.. Enumerable.Range(0, 12).Select(_ => Choose(upstream, now: now)).Distinct().Order()];

    private static string Choose(Upstream upstream, string? cookie = null, long now = Now, bool end = false)
    {
        var call = Call(cookie) with { NowUnixMs = now };
        var host = upstream.Choose(ref call)!;
        if (end || upstream.Options.Policy != BalancingPolicy.LeastCalls) host.End();
        return host.Host;
    }

    private static string ByUser(Upstream upstream, int user, bool end = true)
    {
        var call = Call(null) with { Headers = new Headers(null, ("X-User", $"user-{user}")) };
        var host = upstream.Choose(ref call)!;
        if (end) host.End();
        return host.Host;
    }

    private static Placement Call(string? cookie) => new() { Headers = new Headers(cookie), NowUnixMs = Now };

    private sealed class Headers(string? cookie, params (string Name, string Value)[] more) : ICallHeaders
    {
        public string? Header(string name) => name == "Cookie" ? cookie : Array.Find(more, header => header.Name == name).Value;
    }
}
