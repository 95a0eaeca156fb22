using Tollgate.Identity.Accounts;

namespace Tollgate.UnitTests.Identity;

public sealed class EvenTimeTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(400);

    [Theory]
    [InlineData(0, 400)]
    [InlineData(1, 400)]
    [InlineData(37, 400)]
    [InlineData(399, 400)]
    [InlineData(400, 800)]
    [InlineData(401, 800)]
    [InlineData(1150, 1200)]
    [InlineData(9999, 10000)]
    public async Task An_answer_takes_whole_steps_however_long_the_work_was(int workMs, int answeredAfterMs)
    {
        var clock = new Clock();
        var evenly = new EvenTime(clock);
        clock.Pass(TimeSpan.FromMilliseconds(workMs));
        await evenly.PassAsync(CancellationToken.None);
        clock.Passed.ShouldBe(TimeSpan.FromMilliseconds(answeredAfterMs));
    }

    [Fact]
    public async Task Two_works_of_one_step_cannot_be_told_apart()
    {
        var seen = new HashSet<TimeSpan>();
        for (var workMs = 0; workMs < Step.TotalMilliseconds; workMs += 7)
        {
            var clock = new Clock();
            var evenly = new EvenTime(clock);
            clock.Pass(TimeSpan.FromMilliseconds(workMs));
            await evenly.PassAsync(CancellationToken.None);
            seen.Add(clock.Passed);
        }

        seen.ShouldBe([Step]);
    }

    [Fact]
    public async Task Who_does_not_wait_for_the_answer_is_not_waited_for()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(new EvenTime(new Clock()).PassAsync(gone.Token));
    }

    /// <summary>Time that passes when it is told to, and at once where somebody waits for it.</summary>
    private sealed class Clock : TimeProvider
    {
        public TimeSpan Passed { get; private set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => 1_000_000 + Passed.Ticks;

        public void Pass(TimeSpan time) => Passed += time;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pass(dueTime);
            ThreadPool.QueueUserWorkItem(_ => callback(state));
            return new Rung();
        }

        private sealed class Rung : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => default;
        }
    }
}
