using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.UnitTests.Limits;

/// <summary>Limits for some operations, for keys and organisations, at once, under way, and in shadow.</summary>
public sealed class LimitKindsTests
{
    private readonly VirtualTime _time = new();
    private readonly PlanLimits _limits;

    public LimitKindsTests() => _limits = new PlanLimits(new MemoryLedger(_time), Some.NothingUsed, _time);

    [Fact]
    public void An_operation_may_have_a_limit_of_its_own_in_the_place_of_the_plans()
    {
        var plan = Plan([Some.PerMinute(5), new RateLimit("search", 2, 60_000, Reach: new LimitReach(Operations: ["search"], Overrides: "minute"))]);
        Admitted(plan, 10, "search").ShouldBe(2);
        Admitted(plan, 10, "read").ShouldBe(5);
    }

    [Fact]
    public void An_operation_may_have_a_limit_beside_the_plans_and_what_it_refuses_costs_the_plan_nothing()
    {
        var plan = Plan([Some.PerMinute(5), new RateLimit("search", 2, 60_000, Reach: new LimitReach(Operations: ["search"]))]);
        Admitted(plan, 10, "search").ShouldBe(2);
        Admitted(plan, 10, "read").ShouldBe(3);
    }

    [Fact]
    public void Organisation_application_and_key_are_limited_together_and_none_is_charged_when_another_refuses()
    {
        var organisation = OrganisationId.New();
        RateLimit[] limits =
        [
            new RateLimit("org", 12, 60_000, Reach: new LimitReach(LimitPer.Organisation)),
            new RateLimit("app", 8, 60_000),
            new RateLimit("key", 5, 60_000, Reach: new LimitReach(LimitPer.Key)),
        ];
        var first = Plan(limits, organisation: organisation);
        var second = Plan(limits, organisation: organisation);

        Admitted(first, 20, key: "a").ShouldBe(5);     // the key's
        Admitted(first, 20, key: "b").ShouldBe(3);     // the application's: 5 + 3
        Admitted(second, 20, key: "c").ShouldBe(4);    // the organisation's: 8 + 4
        Admitted(Plan(limits, organisation: OrganisationId.New()), 20, key: "d").ShouldBe(5);
    }

    [Fact]
    public void A_burst_holds_back_what_comes_at_once_and_the_limit_what_comes_at_all()
    {
        var plan = Plan([new RateLimit("minute", 60, 60_000, Burst: 6)]);
        Admitted(plan, 20).ShouldBe(6);
        var admitted = 6;
        for (var second = 0; second < 55; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            admitted += Admitted(plan, 5);
        }
        admitted.ShouldBeInRange(45, 60);
    }

    [Fact]
    public void As_many_calls_as_the_plan_says_may_be_under_way_at_a_time()
    {
        var plan = Plan([], concurrency: [new ConcurrencyLimit("parallel", 3)]);
        var standings = new List<LimitStanding>();
        for (var i = 0; i < 3; i++)
        {
            Call(plan, out var standing).IsGranted.ShouldBeTrue();
            standing.Policy.ShouldBe("\"parallel\";q=3;qu=\"concurrent-requests\"");
            standing.Describe().ShouldBe($"\"parallel\";r={2 - i}");
            standings.Add(standing);
        }
        var refused = Call(plan, out _);
        refused.Refusal.ShouldBe(Refusal.RateLimited);
        refused.RetryAfterSeconds.ShouldBe(1);

        _limits.End(standings[0]);
        Call(plan, out _).IsGranted.ShouldBeTrue();
        Call(plan, out _).IsGranted.ShouldBeFalse();
    }

    [Fact]
    public void A_limit_in_shadow_is_told_and_not_enforced_and_says_what_it_would_do_if_it_were()
    {
        var shadow = Plan([Some.PerMinute(10), new RateLimit("proposed", 4, 60_000, Reach: new LimitReach(Shadow: true))]);
        var enforced = Plan([new RateLimit("proposed", 4, 60_000)]);
        for (var i = 0; i < 10; i++)
        {
            Call(shadow, out var standing).IsGranted.ShouldBeTrue();
            standing.Policy.ShouldBe("\"minute\";q=10;w=60");
            (standing.ShadowRefusals == "\"proposed\"").ShouldBe(!Call(enforced, out _).IsGranted);
        }
        Call(shadow, out _).IsGranted.ShouldBeFalse();
    }

    [Fact]
    public void Keys_that_stop_calling_are_forgotten_one_by_one()
    {
        var plan = Plan([new RateLimit("key", 5, 1000, Reach: new LimitReach(LimitPer.Key))]);
        for (var key = 0; key < 500; key++)
            Admitted(plan, 1, key: $"key-{key}");
        _limits.ActiveCounters.ShouldBe(500);
        for (var second = 0; second < 700; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Admitted(plan, 1, key: "key-7");
            _limits.Tidy();
        }
        _limits.ActiveCounters.ShouldBe(1);
    }

    private int Admitted(Entitlement plan, int calls, string operation = "", string key = "") =>
        Enumerable.Range(0, calls).Count(_ => _limits.Decide(plan, new LimitedCall(1, operation, key), false, out var _).IsGranted);

    private Verdict Call(Entitlement plan, out LimitStanding standing) => _limits.Decide(plan, 1, false, out standing);

    private static Entitlement Plan(RateLimit[] limits, ConcurrencyLimit[]? concurrency = null, OrganisationId? organisation = null) => new()
    {
        Item = new EntitlementItem(SubscriptionId.New(), AppId.New(), "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.FairShare, limits, [], concurrency, organisation),
    };
}
