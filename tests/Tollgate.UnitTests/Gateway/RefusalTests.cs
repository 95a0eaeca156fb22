using System.Text;
using System.Text.Json;
using Tollgate.Gateway.Policy;

namespace Tollgate.UnitTests.Gateway;

public sealed class RefusalTests
{
    [Fact]
    public void Every_refusal_has_a_status_a_type_of_its_own_and_a_sentence()
    {
        var refusals = Enum.GetValues<Refusal>().ToArray();
        refusals.Select(refusal => Refusals.Of(refusal).Slug).ShouldBeUnique();

        foreach (var refusal in refusals)
        {
            var face = Refusals.Of(refusal);
            var problem = JsonDocument.Parse(Encoding.UTF8.GetString(face.Beginning) + "/\"}").RootElement;
            problem.GetProperty("type").GetString().ShouldBe("https://tollgate.dev/problems/" + face.Slug);
            problem.GetProperty("code").GetString().ShouldBe(face.Slug.Replace('-', '_'));
            problem.GetProperty("status").GetInt32().ShouldBe(face.Status);
            problem.GetProperty("title").GetString().ShouldNotBeNullOrWhiteSpace();
            problem.GetProperty("detail").GetString()!.ShouldEndWith(".");
            face.Status.ShouldBeInRange(400, 599);
            (face.Status == 401).ShouldBe(face.Challenge is not null && face.Status != 403, $"{refusal}: RFC 9110 §15.5.2 asks for a challenge");
        }
    }

    [Theory]
    [InlineData("abc-DEF_1.2", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a\r\nb", false)]
    [InlineData("é", false)]
    public void A_sane_request_id_of_the_caller_is_kept(string sent, bool kept)
    {
        var id = RequestId.Choose(sent, 1_700_000_000_000, out var number);

        (id == sent).ShouldBe(kept);
        RequestId.NumberOf(id).ShouldBe(number);
        if (!kept) Guid.ParseExact(id, "D").Version.ShouldBe(7);
    }

    [Fact]
    public void A_request_id_that_is_too_long_is_replaced() =>
        RequestId.Choose(new string('a', 65), 0, out _).Length.ShouldBe(36);
}
