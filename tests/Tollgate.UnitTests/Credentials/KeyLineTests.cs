using System.Text;
using System.Text.Json;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;

namespace Tollgate.UnitTests.Credentials;

public sealed class KeyLineTests
{
    private static readonly KeyItem Plain = new(ApiKeyId.New(), new string('a', 64), AppId.New(), "tg_live_ab12");

    [Fact]
    public void A_line_read_by_hand_says_what_the_general_reader_says()
    {
        KeyItem[] items =
        [
            Plain, Plain with { Revoked = true, ExpiresUnixMs = 5, HighRisk = true, Test = true }, Plain with { Scopes = [], Networks = ["10.0.0.0/8", "2001:db8::/32"] },
            Plain with { Scopes = ["a", "é \" \\ "], Prefix = "" },
        ];
        foreach (var item in items)
        {
            var line = JsonSerializer.SerializeToUtf8Bytes<FeedLine>(item, ContractJson.Default.FeedLine);
            var read = KeyLine.TryRead(line).ShouldNotBeNull();
            var general = (KeyItem)JsonSerializer.Deserialize(line, ContractJson.Default.FeedLine)!;
            (read with { Scopes = null, Networks = null }).ShouldBe(general with { Scopes = null, Networks = null });
            read.Scopes.ShouldBe(general.Scopes);
            read.Networks.ShouldBe(general.Networks);
        }
    }

    [Theory]
    [InlineData("""{"type":"key","id":"x"}""")]
    [InlineData("""{"type":"key"}""")]
    [InlineData("""{"type":"key","id":null,"sha256":"","application":null,"prefix":""}""")]
    [InlineData("""{"type":"key","scopes":"a"}""")]
    [InlineData("""{"type":"key","sha256":"ab""")]
    [InlineData("""{"type":"key",,}""")]
    [InlineData("""{"type":"client","clientId":"c"}""")]
    [InlineData("")]
    public void What_is_odd_is_left_to_the_general_reader(string line) => KeyLine.TryRead(Encoding.UTF8.GetBytes(line)).ShouldBeNull();

    [Fact]
    public void Members_that_are_new_are_passed_over()
    {
        var line = JsonSerializer.Serialize<FeedLine>(Plain, ContractJson.Default.FeedLine);
        KeyLine.TryRead(Encoding.UTF8.GetBytes(line[..^1] + ""","later":{"a":[1,2]}}""")).ShouldBe(Plain);
    }
}
