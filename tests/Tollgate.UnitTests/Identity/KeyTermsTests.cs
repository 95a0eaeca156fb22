using Tollgate.Identity.Keys;

namespace Tollgate.UnitTests.Identity;

public sealed class KeyTermsTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7/32")]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("10.128.0.0/9", "10.128.0.0/9")]
    [InlineData("2001:DB8::/32", "2001:db8::/32")]
    [InlineData("::1", "::1/128")]
    [InlineData(" 192.0.2.0/25 ", "192.0.2.0/25")]
    public void A_network_is_kept_in_its_one_spelling(string written, string kept)
    {
        var terms = new KeyTerms(new IssueKeyRequest("key", Networks: [written]), Now);
        terms.Errors.ShouldBeEmpty();
        terms.Networks.ShouldBe([kept]);
    }

    [Theory]
    [InlineData("10.0.0.1/8")]
    [InlineData("2001:db8::1/32")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10")]
    [InlineData("0x0a.0.0.1")]
    [InlineData("010.0.0.1")]
    [InlineData("fe80::1%eth0")]
    [InlineData("example.com")]
    public void What_is_no_network_is_refused_with_a_sentence(string written) =>
        new KeyTerms(new IssueKeyRequest("key", Networks: [written]), Now).Errors["networks"].ShouldEndWith(".");

    [Fact]
    public void A_range_written_by_one_of_its_addresses_is_answered_with_the_range() =>
        new KeyTerms(new IssueKeyRequest("key", Networks: ["10.1.2.3/20"]), Now).Errors["networks"].ShouldContain("10.1.0.0/20");

    [Theory]
    [InlineData("two words")]
    [InlineData("quo\"te")]
    [InlineData("back\\slash")]
    [InlineData("ümlaut")]
    public void A_scope_is_a_token(string scope) =>
        new KeyTerms(new IssueKeyRequest("key", Scopes: [scope]), Now).Errors.Keys.ShouldBe(["scopes"]);

    [Fact]
    public void Nothing_said_of_scopes_and_networks_means_no_bounds()
    {
        var terms = new KeyTerms(new IssueKeyRequest("  key ", Scopes: ["", " "], Networks: []), Now);
        terms.Errors.ShouldBeEmpty();
        (terms.Name, terms.Scopes, terms.Networks).ShouldBe(("key", null, null));
    }

    [Fact]
    public void Too_many_entries_and_a_past_expiry_are_refused()
    {
        var terms = new KeyTerms(new IssueKeyRequest(new string('n', 81), Expires: Now,
            Scopes: [.. Enumerable.Range(0, 51).Select(i => $"s{i}")], Networks: [.. Enumerable.Range(0, 51).Select(i => $"10.0.0.{i}")]), Now);
        terms.Errors.Keys.ShouldBe(["name", "expires", "scopes", "networks"], ignoreOrder: true);
    }
}
