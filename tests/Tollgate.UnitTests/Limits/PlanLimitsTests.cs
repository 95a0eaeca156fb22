using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.UnitTests.Limits;

public sealed class PlanLimitsTests
{
    private readonly VirtualTime _time = new();
    private readonly MemoryLedger _ledger;
    private readonly PlanLimits _limits;

    public PlanLimitsTests()
    {
        _ledger = new MemoryLedger(_time);
        _limits = new PlanLimits(_ledger, Some.NothingUsed, _time);
    }

    [Theory]
    [InlineData(10, 0)]
    [InlineData(10, 350)]
    [InlineData(10, 1700)]
    [InlineData(997, 7)]
    public void A_sequential_caller_gets_exactly_what_the_plan_says_and_then_429(int units, int paceMs)
    {
        var plan = Some.Entitlement(Some.PerMinute(units), Some.PerMonth(100_000));
        for (var i = 0; i < units; i++)
        {
            Call(plan).IsGranted.ShouldBeTrue($"call {i + 1}");
            _time.Advance(TimeSpan.FromMilliseconds(paceMs));
        }

        var refused = Call(plan);
        refused.Refusal.ShouldBe(Refusal.RateLimited);
        refused.RetryAfterSeconds.ShouldBeInRange(1, 61);
        Call(plan).IsGranted.ShouldBeFalse();
    }

    [Fact]
    public void Who_waits_exactly_as_long_as_told_gets_in()
    {
        var random = new Random(7);
        var plan = Some.Entitlement(new RateLimit("second", 3, 1000), new RateLimit("minute", 40, 60_000), new RateLimit("quarter", 7, 250));
        for (var i = 0; i < 2000; i++)
        {
            var verdict = Call(plan);
            if (!verdict.IsGranted)
            {
                verdict.RetryAfterSeconds.ShouldBeInRange(1, 61);
                _time.Advance(TimeSpan.FromSeconds(verdict.RetryAfterSeconds));
                Call(plan).IsGranted.ShouldBeTrue($"call {i}");
            }
            _time.AdvanceUs(random.Next(0, 400_000));
        }
    }

    [Fact]
    public void Several_limits_are_spent_all_or_none()
    {
        var minute = Some.PerMinute(5);
        var plan = Some.Entitlement(minute, new RateLimit("hour", 100, 3_600_000), Some.PerMonth(3));
        for (var i = 0; i < 3; i++)
            Call(plan).IsGranted.ShouldBeTrue();
        for (var i = 0; i < 50; i++)
            Call(plan).Refusal.ShouldBe(Refusal.QuotaExceeded);

        // What the quota refused was not taken from the minute.
        var bigger = Some.EntitlementOf(plan.Subscription, minute, new RateLimit("hour", 100, 3_600_000));
        Call(bigger).IsGranted.ShouldBeTrue();
        Call(bigger).IsGranted.ShouldBeTrue();
        Call(bigger).Refusal.ShouldBe(Refusal.RateLimited);
    }

    [Fact]
    public void Weighted_calls_take_their_units_and_never_more_than_there_are()
    {
        var plan = Some.Entitlement(Some.PerMinute(10));
        Call(plan, 4).IsGranted.ShouldBeTrue();
        Call(plan, 4).IsGranted.ShouldBeTrue();
        Call(plan, 4).IsGranted.ShouldBeFalse();
        Call(plan, 2).IsGranted.ShouldBeTrue();
        Call(plan, 1).IsGranted.ShouldBeFalse();
    }

    [Fact]
    public void A_refused_quota_says_when_its_period_ends()
    {
        var plan = Some.Entitlement(new Quota("day", 2, QuotaPeriod.Day, Hard: true, 0));
        Call(plan);
        Call(plan);
        var refused = Call(plan);

        refused.Refusal.ShouldBe(Refusal.QuotaExceeded);
        var untilMidnight = _time.GetUtcNow().Date.AddDays(1) - _time.GetUtcNow().UtcDateTime;
        refused.RetryAfterSeconds.ShouldBe((int)untilMidnight.TotalSeconds);
        _time.Advance(TimeSpan.FromSeconds(refused.RetryAfterSeconds));
        Call(plan).IsGranted.ShouldBeTrue();
    }

    [Fact]
    public void A_soft_quota_admits_and_counts_what_is_beyond_it()
    {
        var plan = Some.Entitlement(Some.PerMonth(5, hard: false));
        for (var i = 0; i < 20; i++)
            Call(plan).IsGranted.ShouldBeTrue();
        Decide(plan, out var standing);
        standing.Describe()!.ShouldStartWith("\"month\";r=0;t=");
    }

    [Fact]
    public void What_no_upstream_answered_is_given_back_to_the_quota_and_not_to_the_rate()
    {
        var plan = Some.Entitlement(Some.PerMinute(4), Some.PerMonth(2));
        for (var i = 0; i < 2; i++)
        {
            Decide(plan, out var standing).IsGranted.ShouldBeTrue();
            _limits.Refund(plan, 1, standing);
        }
        Call(plan).IsGranted.ShouldBeTrue();
        Call(plan).IsGranted.ShouldBeTrue();
        Call(plan).IsGranted.ShouldBeFalse();
    }

    [Fact]
    public void A_lost_quota_counter_is_rebuilt_from_usage_before_anything_is_admitted()
    {
        long? used = null;
        var limits = new PlanLimits(_ledger, new Some.Usage(() => used), _time);
        var plan = Some.Entitlement(Some.PerMonth(10));
        var closed = new Entitlement { Item = plan.Item with { OnLedgerLoss = LedgerLoss.Closed } };

        var unknown = limits.Decide(closed, 1, false, out _);
        unknown.Refusal.ShouldBe(Refusal.NotReady);
        unknown.RetryAfterSeconds.ShouldBeGreaterThan(0);

        used = 8;
        _time.Advance(TimeSpan.FromSeconds(unknown.RetryAfterSeconds));
        limits.Decide(closed, 1, false, out _).IsGranted.ShouldBeTrue();
        limits.Decide(closed, 1, false, out _).IsGranted.ShouldBeTrue();
        limits.Decide(closed, 1, false, out _).Refusal.ShouldBe(Refusal.QuotaExceeded);
    }

    [Fact]
    public void A_plan_change_takes_effect_at_once_and_what_was_spent_stays_spent()
    {
        var before = Some.Entitlement(Some.PerMinute(10), Some.PerMonth(100));
        for (var i = 0; i < 10; i++)
            Call(before).IsGranted.ShouldBeTrue();
        Call(before).IsGranted.ShouldBeFalse();

        var after = Some.EntitlementOf(before.Subscription, Some.PerMinute(15), Some.PerMonth(100));
        for (var i = 0; i < 5; i++)
            Call(after).IsGranted.ShouldBeTrue();
        Call(after).IsGranted.ShouldBeFalse();

        var same = Some.EntitlementOf(before.Subscription, Some.PerMinute(15), Some.PerMonth(100));
        Call(same).IsGranted.ShouldBeFalse();
    }

    [Fact]
    public void The_headers_are_structured_fields_and_the_remainder_is_what_will_be_admitted()
    {
        var plan = Some.Entitlement(Some.PerMinute(20), new Quota("month", 100_000, QuotaPeriod.Month, true, 0));
        for (var i = 0; i < 20; i++)
        {
            Decide(plan, out var standing).IsGranted.ShouldBeTrue();
            standing.Policy.ShouldBe("\"minute\";q=20;w=60, \"month\";q=100000;w=2592000");
            standing.Describe()!.ShouldMatch($"^\"minute\";r={19 - i};t=\\d+, \"month\";r={99_999 - i};t=\\d+$");
        }
        Decide(plan, out var last).IsGranted.ShouldBeFalse();
        last.Describe()!.ShouldStartWith("\"minute\";r=0;t=");
    }

    [Theory]
    [InlineData(EntitlementState.Unpaid, Refusal.PaymentRequired)]
    [InlineData(EntitlementState.Suspended, Refusal.OrganisationSuspended)]
    [InlineData(EntitlementState.Paused, Refusal.SubscriptionPaused)]
    [InlineData(EntitlementState.Cancelled, Refusal.SubscriptionCancelled)]
    [InlineData(EntitlementState.Pending, Refusal.SubscriptionPending)]
    internal void A_subscription_that_is_not_active_admits_nothing(EntitlementState state, Refusal refusal)
    {
        var plan = new Entitlement { Item = Some.Entitlement().Item with { State = state } };
        Call(plan).Refusal.ShouldBe(refusal);
    }

    [Fact]
    public async Task Many_threads_are_admitted_exactly_to_the_limit()
    {
        for (var round = 0; round < 20; round++)
        {
            var plan = Some.Entitlement(Some.PerMinute(1000), new RateLimit("hour", 5000, 3_600_000), Some.PerMonth(1000));
            var admitted = 0;
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
            {
                for (var i = 0; i < 300; i++)
                {
                    if (Call(plan).IsGranted)
                        Interlocked.Increment(ref admitted);
                }
            })));
            // Tokens on their way back from a call that another limit refused may have been missed by a racing one: one more try finds them.
            while (Call(plan).IsGranted)
                admitted++;
            admitted.ShouldBe(1000);
        }
    }

    [Fact]
    public void The_common_path_allocates_nothing()
    {
        var plan = Some.Entitlement(Some.PerMinute(1_000_000), new RateLimit("hour", 10_000_000, 3_600_000), Some.PerMonth(100_000_000));
        for (var i = 0; i < 100_000; i++)
        {
            Call(plan).IsGranted.ShouldBeTrue();
            _time.AdvanceUs(10);
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 50_000; i++)
        {
            _limits.Decide(plan, 1, false, out _);
            _time.AdvanceUs(10);
        }
        var perCall = (GC.GetAllocatedBytesForCurrentThread() - before) / 50_000.0;
        perCall.ShouldBeLessThan(1);
    }

    [Fact]
    public void Subscriptions_that_stop_calling_are_forgotten_and_come_back_with_what_they_had_spent()
    {
        var plan = Some.Entitlement(new RateLimit("day", 5, 86_400_000));
        for (var i = 0; i < 5; i++)
            Call(plan).IsGranted.ShouldBeTrue();
        for (var i = 0; i < 700; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _limits.Tidy();
        }
        _limits.ActiveSubscriptions.ShouldBe(0);
        Call(plan).IsGranted.ShouldBeFalse();
    }

    private Verdict Call(Entitlement plan, long units = 1) => _limits.Decide(plan, units, false, out _);

    private Verdict Decide(Entitlement plan, out LimitStanding standing) => _limits.Decide(plan, 1, false, out standing);
}
