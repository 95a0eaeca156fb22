using System.Net;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.UnitTests.Gateway;

public sealed class AddressTests
{
    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.4", false)]
    [InlineData("10.0.0.0/8", "10.255.255.255", true)]
    [InlineData("10.0.0.0/8", "11.0.0.0", false)]
    [InlineData("10.1.2.3/8", "10.9.9.9", true)]
    [InlineData("0.0.0.0/0", "203.0.113.9", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("192.168.1.0/255.255.255.0", "192.168.1.77", true)]
    [InlineData("192.168.1.0/255.255.255.0", "192.168.2.0", false)]
    [InlineData("192.168.1.1-192.168.2.10", "192.168.1.200", true)]
    [InlineData("192.168.1.1-192.168.2.10", "192.168.2.11", false)]
    [InlineData("192.168.1.10-20", "192.168.1.20", true)]
    [InlineData("192.168.1.10-20", "192.168.1.21", false)]
    [InlineData("2001:db8::/64", "2001:db8::ffff", true)]
    [InlineData("2001:db8::/64", "2001:db8:0:1::", false)]
    [InlineData("::1", "::1", true)]
    [InlineData("10.1.2.3", "::ffff:10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", "10.1.2.3", true)]
    public void A_range_holds_what_it_says(string range, string address, bool held)
    {
        AddressRange.TryParse(range, out var parsed).ShouldBeTrue();

        new AddressSet([parsed]).Contains(IPAddress.Parse(address)).ShouldBe(held);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.0.0")]
    [InlineData("010.0.0.1")]
    [InlineData("10.0.0.256")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/255.0.255.0")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.9-10.0.0.1")]
    [InlineData("10.0.0.1-256")]
    [InlineData("10.0.0.1-::1")]
    [InlineData("::1-5")]
    [InlineData("fe80::1%eth0")]
    [InlineData("localhost")]
    public void What_could_mean_something_else_is_not_read(string text) => AddressRange.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Many_ranges_that_overlap_are_one_look_up()
    {
        var set = new AddressSet(Enumerable.Range(0, 2000).Select(i => Parse($"10.{i % 200}.0.0-10.{i % 200}.{i / 200}.9")));

        set.Contains(IPAddress.Parse("10.7.3.200")).ShouldBeTrue();
        set.Contains(IPAddress.Parse("10.7.9.10")).ShouldBeFalse();
        set.Contains(IPAddress.Parse("10.200.0.1")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("10.0.0.0/24", "", false, "10.0.0.1", true)]
    [InlineData("10.0.0.0/24", "", false, "10.0.1.1", false)]
    [InlineData("", "10.0.0.0/24", false, "10.0.0.1", false)]
    [InlineData("", "10.0.0.0/24", false, "10.0.1.1", true)]
    [InlineData("10.0.0.1", "10.0.0.0/24", false, "10.0.0.1", false)]
    [InlineData("10.0.0.1", "10.0.0.0/24", true, "10.0.0.1", true)]
    [InlineData("10.0.0.1", "10.0.0.0/24", true, "10.0.0.2", false)]
    [InlineData("10.0.0.1", "10.0.0.0/24", true, "10.0.9.2", false)]
    public void What_is_blocked_wins_unless_what_is_allowed_is_taken_out_of_it(string allowed, string blocked, bool exclude, string address, bool admitted) =>
        new AddressRules(Set(allowed), Set(blocked), exclude).Admit(IPAddress.Parse(address)).ShouldBe(admitted);

    [Fact]
    public void An_address_that_is_not_known_is_not_admitted() => new AddressRules(Set("0.0.0.0/0"), Set(""), false).Admit(null).ShouldBeFalse();

    private static AddressSet Set(string text) => new(text.Length == 0 ? [] : [Parse(text)]);

    private static AddressRange Parse(string text) => AddressRange.TryParse(text, out var range) ? range : throw new FormatException(text);
}
