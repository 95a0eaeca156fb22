using System.Text.Json;
using Tollgate.Contracts.Plugins;
using Tollgate.Gateway.Aggregates;

namespace Tollgate.UnitTests.Gateway;

public sealed class JsonAnswerTests
{
    [Theory]
    [InlineData("7B2261223A22E9227D")]
    [InlineData("22EDA08022")]
    public void A_member_that_is_not_utf_8_does_not_take_the_whole_with_it(string hex)
    {
        var whole = JsonAnswer.Write([[new AnswerPart("a", 200, [], Convert.FromHexString(hex))], [new AnswerPart("b", 200, [], "{\"c\":1}"u8.ToArray())]]);

        System.Text.Unicode.Utf8.IsValid(whole).ShouldBeTrue();
        using var read = JsonDocument.Parse(whole);
        read.RootElement.GetProperty("a").ValueKind.ShouldBe(JsonValueKind.String);
        read.RootElement.GetProperty("b").GetProperty("c").GetInt32().ShouldBe(1);
    }
}
