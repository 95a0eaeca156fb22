using Tollgate.Gateway.Policy.FileLimits;

namespace Tollgate.UnitTests.Gateway;

public sealed class FileRateLimitTests
{
    private const long Start = 1_700_000_000_000;

    [Fact]
    public void A_period_begins_with_the_first_call_and_clients_are_counted_apart()
    {
        var limit = Limit(2);

        limit.Count("a", Start).ShouldBe(new RateStanding(limit.Rule, RateAnswer.Admitted, 1, Start + 1000, 0));
        limit.Count("a", Start + 900).Answer.ShouldBe(RateAnswer.Admitted);
        var refused = limit.Count("a", Start + 950);
        refused.Answer.ShouldBe(RateAnswer.Refused);
        refused.RetryAfterMs.ShouldBe(50);
        refused.RetryAfterSeconds.ShouldBe(1);
        limit.Count("b", Start + 950).Answer.ShouldBe(RateAnswer.Admitted);
        limit.Count("a", Start + 999).Answer.ShouldBe(RateAnswer.Refused);
        limit.Count("a", Start + 1000).Remaining.ShouldBe(1);
    }

    [Theory]
    [InlineData(5000)]
    [InlineData(100)]
    public void A_wait_begins_with_the_first_refused_call_and_may_be_longer_or_shorter_than_the_period(long waitMs)
    {
        var limit = Limit(1, waitMs);
        limit.Count("a", Start);

        limit.Count("a", Start + 10).RetryAfterMs.ShouldBe(waitMs);
        limit.Count("a", Start + 60).RetryAfterMs.ShouldBe(waitMs - 50);
        limit.Count("a", Start + 10 + waitMs - 1).Answer.ShouldBe(RateAnswer.Refused);
        limit.Count("a", Start + 10 + waitMs).Answer.ShouldBe(RateAnswer.Admitted);
    }

    [Fact]
    public void Who_is_free_is_not_counted_and_who_is_nobody_is_refused()
    {
        var limit = Limit(1);

        for (var i = 0; i < 5; i++) limit.Count("free", Start).Answer.ShouldBe(RateAnswer.Free);
        limit.Count(null, Start).Answer.ShouldBe(RateAnswer.Unidentified);
        limit.Count(" ", Start).Answer.ShouldBe(RateAnswer.Unidentified);
    }

    [Fact]
    public void Parallel_calls_are_admitted_up_to_the_limit_exactly()
    {
        var limit = Limit(500);
        var admitted = 0;

        Parallel.For(0, 3000, _ =>
        {
            if (limit.Count("a", Start).Answer == RateAnswer.Admitted) Interlocked.Increment(ref admitted);
        });

        admitted.ShouldBe(500);
    }

    [Fact]
    public void Names_that_are_made_up_do_not_push_out_those_whose_period_lasts_while_there_is_room()
    {
        var limit = new RateLimit(Rule(1, null), capacity: 100);
        for (var i = 0; i < 60; i++) limit.Count($"old-{i}", Start);
        limit.Count("mine", Start + 900).Answer.ShouldBe(RateAnswer.Admitted);

        for (var i = 0; i < 60; i++) limit.Count($"new-{i}", Start + 1100);

        limit.Count("mine", Start + 1200).Answer.ShouldBe(RateAnswer.Refused);
        limit.Count(new string('x', 100_000), Start).Answer.ShouldBe(RateAnswer.Admitted);
    }

    private static RateLimit Limit(long calls, long? waitMs = null) => new(Rule(calls, waitMs));

    private static RateRule Rule(long calls, long? waitMs) =>
        new() { ClientHeader = "Oc-Client", Free = ["free"], Limit = calls, PeriodMs = 1000, WaitMs = waitMs, Message = "" };
}
