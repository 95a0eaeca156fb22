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
        var upstream = new Upstream(Hosts(), Tollgate.Gateway.Balancing.Balancing.LeastCalls);

        new[] { upstream.Choose(null, Now), upstream.Choose(null, Now), upstream.Choose(null, Now), upstream.Choose(null, Now) }.ShouldBe([0, 1, 2, 0]);
        upstream.Destinations[1].End();
        upstream.Choose(null, Now).ShouldBe(1);
    }

    [Fact]
    public void A_session_stays_with_its_host_until_it_rests_too_long()
    {
        var sessions = new StickySessions("sid") { ExpiryMs = 1000 };
        var upstream = new Upstream(Hosts(), Tollgate.Gateway.Balancing.Balancing.Sticky, sessions);
        var other = new Upstream(Hosts(), Tollgate.Gateway.Balancing.Balancing.Sticky, sessions);

        upstream.Choose(Cookie("a=b; sid=1"), Now).ShouldBe(0);
        upstream.Choose(Cookie("sid=2"), Now).ShouldBe(1);
        upstream.Choose(Cookie("sid=1"), Now + 900).ShouldBe(0);
        upstream.Choose(Cookie("sid=1"), Now + 1800).ShouldBe(0);
        other.Choose(Cookie("sid=2"), Now + 900).ShouldBe(1, "routes of one cookie share sessions");
        new[] { upstream.Choose(Cookie("xsid=1"), Now), upstream.Choose(null, Now) }.ShouldBe([2, 0], "who has no session takes turns");
        upstream.Choose(Cookie("sid=1"), Now + 2800).ShouldBe(1);
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

    private static ICallHeaders Cookie(string value) => new Headers(value);

    private sealed class Headers(string cookie) : ICallHeaders
    {
        public string? Header(string name) => name == "Cookie" ? cookie : null;
    }
}
