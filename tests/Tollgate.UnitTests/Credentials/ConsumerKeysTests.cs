using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.IdentityModel.JsonWebTokens;
using Tollgate.Gateway.Consumers;
using Tollgate.Gateway.Feeds;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Testing;
using Tollgate.UnitTests.Metering;

namespace Tollgate.UnitTests.Credentials;

public sealed class ConsumerKeysTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly HandClock _clock = new(1_800_000_000_000);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_key_is_published_before_it_signs_and_after_and_two_gateways_that_share_a_folder_agree()
    {
        using var one = Open();
        using var other = Open();
        var first = Signer(one);
        Signer(other).ShouldBe(first);
        Published(one).ShouldBe([first]);

        // The next key is there before it signs...
        _clock.Advance(TimeSpan.FromDays(30) - TimeSpan.FromMinutes(10));
        Signer(one).ShouldBe(first);
        Published(one).Count.ShouldBe(2);
        Published(other).ShouldBe(Published(one), ignoreOrder: true);

        // ...then it signs, and the old one can still be looked up...
        _clock.Advance(TimeSpan.FromMinutes(16));
        var second = Signer(one);
        second.ShouldNotBe(first);
        Signer(other).ShouldBe(second);
        Published(one).ShouldContain(first);

        // ...and in the end it is gone, from the disk too.
        _clock.Advance(TimeSpan.FromHours(2));
        Signer(one);
        Published(one).ShouldBe([second]);
        Directory.GetFiles(_folder.Path).ShouldHaveSingleItem();
    }

    [Fact]
    public void A_damaged_file_is_no_key_and_stops_nobody()
    {
        File.WriteAllText(_folder.File("x.json"), "{}");
        File.WriteAllText(_folder.File("y.json"), "no");
        using var keys = Open();
        Published(keys).ShouldHaveSingleItem();
    }

    [Fact]
    public void What_is_known_is_fresh_for_a_while_after_it_was_heard_and_never_before()
    {
        var freshness = new Freshness(_clock, TimeSpan.FromSeconds(60));
        freshness.IsFresh.ShouldBeTrue("there is no source to lose");
        freshness.Doubt();
        freshness.IsFresh.ShouldBeFalse();
        freshness.Hear();
        freshness.IsFresh.ShouldBeTrue();
        _clock.Advance(TimeSpan.FromSeconds(61));
        freshness.IsFresh.ShouldBeFalse();

        freshness.Hold();
        _clock.Advance(TimeSpan.FromHours(1));
        freshness.IsFresh.ShouldBeTrue();
        freshness.Lose();
        freshness.IsFresh.ShouldBeTrue();
        _clock.Advance(TimeSpan.FromSeconds(61));
        freshness.Lose();
        freshness.IsFresh.ShouldBeFalse("losing it again does not begin anew");
    }

    [Theory]
    [InlineData("a=1&key=k&b=2", "k", "a=1&b=2")]
    [InlineData("key=k", "k", "")]
    [InlineData("KEY=k&x", "k", "x")]
    [InlineData("k%65y=a%2Bb", "a+b", "")]
    [InlineData("key=a&key=b", "a,b", "")]
    [InlineData("key", "", "")]
    [InlineData("&&key=k&&", "k", "&&&")]
    [InlineData("monkey=1", null, "monkey=1")]
    [InlineData("", null, "")]
    public void A_key_is_taken_out_of_the_query_whole(string query, string? key, string rest)
    {
        QueryKey.TryTake(query, "key", out var taken, out var left).ShouldBe(key is not null);
        (taken, left).ShouldBe((key ?? "", rest));
    }

    private ConsumerKeys Open() => new(_folder.Path, TimeSpan.FromDays(30), _clock, NullLogger<ConsumerKeys>.Instance);

    private static string Signer(ConsumerKeys keys) => new JsonWebToken(keys.Sign("""{"sub":"x"}""")).Kid;

    private static List<string> Published(ConsumerKeys keys)
    {
        using var set = JsonDocument.Parse(keys.Set);
        Encoding.UTF8.GetString(keys.Set).ShouldNotContain("\"d\"");
        return [.. set.RootElement.GetProperty("keys").EnumerateArray().Select(key => key.GetProperty("kid").GetString()!)];
    }
}
