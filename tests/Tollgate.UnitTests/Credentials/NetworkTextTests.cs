using System.Net;
using Tollgate.Gateway.Policy.Credentials;

namespace Tollgate.UnitTests.Credentials;

public sealed class NetworkTextTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.1.2.3", true)]
    [InlineData("10.0.0.0/8", "11.1.2.3", false)]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7", true)]
    [InlineData("::ffff:10.0.0.0/104", "10.9.9.9", true)]
    [InlineData("::ffff:10.0.0.0/104", "11.0.0.1", false)]
    [InlineData("2001:db8::/32", "2001:db8:1::1", true)]
    [InlineData("2001:db8::/32", "10.1.2.3", false)]
    [InlineData("0.0.0.0/0", "10.1.2.3", true)]
    public void A_network_holds_the_callers_of_its_own(string network, string caller, bool isIn)
    {
        NetworkText.TryParse(network, out var parsed).ShouldBeTrue();
        parsed.Contains(IPAddress.Parse(caller)).ShouldBe(isIn);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("10.0.0.0/33")]
    [InlineData("example.com")]
    public void What_is_no_network_is_said_to_be_none(string? text) => NetworkText.TryParse(text, out _).ShouldBeFalse();
}
