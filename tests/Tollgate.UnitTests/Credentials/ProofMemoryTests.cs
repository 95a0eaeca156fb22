using Tollgate.Gateway.Policy.Credentials;

namespace Tollgate.UnitTests.Credentials;

public sealed class ProofMemoryTests
{
    private const int Window = 120;

    [Fact]
    public void A_proof_is_taken_once_for_as_long_as_anybody_would_take_it()
    {
        var memory = new ProofMemory();
        memory.IsFirst("key", "one", 1000, 1000, Window).ShouldBeTrue();
        for (var now = 1000; now <= 1000 + Window; now += 10) memory.IsFirst("key", "one", 1000, now, Window).ShouldBeFalse();
        memory.IsFirst("key", "two", 1010, 1010, Window).ShouldBeTrue();
        memory.IsFirst("other", "one", 1010, 1010, Window).ShouldBeTrue("names are each key's own");
    }

    [Fact]
    public void A_full_memory_refuses_the_oldest_rather_than_take_any_twice()
    {
        var memory = new ProofMemory(capacity: 100);
        for (var i = 0; i < 300; i++) memory.IsFirst("key", $"j{i}", 1000 + (i / 50), 1006, Window).ShouldBeTrue();

        for (var i = 0; i < 300; i++) memory.IsFirst("key", $"j{i}", 1000 + (i / 50), 1006, Window).ShouldBeFalse();
        memory.IsFirst("key", "late", 1000, 1006, Window).ShouldBeFalse("what was made then may have been forgotten");
        memory.IsFirst("key", "new", 1007, 1007, Window).ShouldBeTrue();
    }

    [Fact]
    public void A_clock_that_was_put_back_stops_nobody()
    {
        var memory = new ProofMemory(capacity: 10);
        for (var i = 0; i < 50; i++) memory.IsFirst("key", $"j{i}", 100_000 + i, 100_000 + i, Window);
        memory.IsFirst("key", "back", 5_000, 5_000, Window).ShouldBeTrue();
    }
}
