using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.IdentityModel.Tokens;
using Tollgate.FunctionalTests.Identity;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Credentials;

public sealed class AuthorityKeysTests
{
    [Fact]
    public async Task Who_names_a_key_that_was_looked_for_a_moment_ago_waits_for_no_refresh_in_the_background()
    {
        using var rsa = RSA.Create(2048);
        var key = rsa.ExportParameters(false);
        var jwks = $$"""{"keys":[{"kty":"RSA","use":"sig","kid":"known","n":"{{Base64UrlEncoder.Encode(key.Modulus!)}}","e":"{{Base64UrlEncoder.Encode(key.Exponent!)}}"}]}""";
        var fetches = 0;
        var inBackground = new TaskCompletionSource();
        var answers = new TaskCompletionSource();
        StubUpstream server = null!;
        server = await StubUpstream.StartAsync(async http =>
        {
            if (http.Request.Path != "/keys" && Interlocked.Increment(ref fetches) == 3)
            {
                inBackground.SetResult();
                await answers.Task;
            }

            await http.Response.WriteAsync(http.Request.Path == "/keys" ? jwks : $$"""{"issuer":"{{server.Url}}","jwks_uri":"{{server.Url}}/keys"}""");
        });
        await using var _ = server;
        var time = new HeldTime();
        using var keys = new AuthorityKeys(server.Url, time, NullLogger.Instance);
        await Deadline.UntilAsync("the keys are there", () => Task.FromResult(keys.Current is not null));

        while (keys.AskFor("unknown") is { } fetch) await fetch;
        fetches.ShouldBe(2);
        await Deadline.UntilAsync("the next refresh has its time", () => Task.FromResult(time.IsAwaited));
        time.NextRing.ShouldBe(TimeSpan.FromMinutes(10), "keys that are there are not fetched again at once");
        time.Ring();
        await inBackground.Task.WaitAsync(Deadline.Default);
        keys.AskFor("unknown").ShouldBeNull();
        answers.SetResult();
    }

    /// <summary>In one process with its provider, a gateway is first to ask; an operator's first start should not begin with a warning.</summary>
    [Fact]
    public async Task A_provider_that_is_away_for_a_moment_is_no_warning_and_for_longer_is_one()
    {
        var time = new HeldTime();
        using var logs = new RecordedLogs();
        using var keys = new AuthorityKeys($"http://127.0.0.1:{FreePort.Next()}", time, logs.CreateLogger("keys"));
        await keys.AskFor("any")!;
        logs.All.ShouldBeEmpty();

        time.Pass(TimeSpan.FromSeconds(11));
        await keys.AskFor("any")!;
        logs.All.ShouldStartWith("Warning The keys of");
        time.Pass(TimeSpan.FromSeconds(11));
        await keys.AskFor("any")!;
        logs.All.ShouldNotContain('\n');
    }

    /// <summary>A clock that stands, and whose timers ring when the test says so.</summary>
    private sealed class HeldTime : TimeProvider
    {
        private readonly ConcurrentQueue<(TimeSpan Due, Action Ring)> _timers = new();
        private long _now = 1;

        public bool IsAwaited => !_timers.IsEmpty;

        public TimeSpan NextRing => _timers.TryPeek(out var next) ? next.Due : Timeout.InfiniteTimeSpan;

        public void Pass(TimeSpan time) => _now += (long)(time.TotalSeconds * TimestampFrequency);

        public void Ring()
        {
            while (_timers.TryDequeue(out var timer)) timer.Ring();
        }

        public override long GetTimestamp() => _now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _timers.Enqueue((dueTime, () => callback(state)));
            return new Timer();
        }

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
