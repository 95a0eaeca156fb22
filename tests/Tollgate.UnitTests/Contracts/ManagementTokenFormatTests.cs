using Tollgate.Contracts;

namespace Tollgate.UnitTests.Contracts;

public sealed class ManagementTokenFormatTests
{
    [Fact]
    public void A_token_is_marked_named_random_and_checked()
    {
        var token = ManagementTokenFormat.Generate();
        token.ShouldMatch("^tg_pat_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$");
        ManagementTokenFormat.IsWellFormed(token).ShouldBeTrue();
        ManagementTokenFormat.Prefix(token).ShouldBe(token[..15]);
        ManagementTokenFormat.Generate().ShouldNotBe(token);
        ApiKeyFormat.IsWellFormed(token).ShouldBeFalse();
    }

    [Fact]
    public void One_wrong_character_anywhere_makes_it_no_token()
    {
        var token = ManagementTokenFormat.Generate();
        for (var i = 0; i < token.Length; i++)
        {
            var wrong = token.ToCharArray();
            wrong[i] = wrong[i] == 'x' ? 'y' : 'x';
            ManagementTokenFormat.IsWellFormed(wrong).ShouldBeFalse($"at {i}");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("tg_pat_")]
    [InlineData("tg_live_000000000000000000000000000000000000")]
    public void Other_things_are_no_tokens(string text) => ManagementTokenFormat.IsWellFormed(text).ShouldBeFalse();

    [Fact]
    public void A_token_with_more_or_less_than_its_characters_is_no_token()
    {
        var token = ManagementTokenFormat.Generate();
        ManagementTokenFormat.IsWellFormed(token + "a").ShouldBeFalse();
        ManagementTokenFormat.IsWellFormed(token.AsSpan(0, token.Length - 1)).ShouldBeFalse();
        ManagementTokenFormat.IsWellFormed(token.ToUpperInvariant()).ShouldBeFalse();
    }
}
