using Tollgate.Contracts;

namespace Tollgate.UnitTests.Contracts;

public sealed class ApiKeyFormatTests
{
    [Theory]
    [InlineData(false, "tg_live_")]
    [InlineData(true, "tg_test_")]
    public void A_generated_key_is_well_formed_and_shows_its_mode(bool test, string prefix)
    {
        var key = ApiKeyFormat.Generate(test);

        key.Length.ShouldBe(44);
        key.ShouldStartWith(prefix);
        ApiKeyFormat.IsWellFormed(key).ShouldBeTrue();
        ApiKeyFormat.Prefix(key).ShouldBe(key[..12]);
        ApiKeyFormat.LastFour(key).ShouldBe(key[^4..]);
    }

    [Fact]
    public void The_format_never_changes_under_keys_that_are_out_in_the_world()
    {
        const string key = "tg_live_0123456789ABCDEFGHIJKLMNOPQRST1K64hz";
        ApiKeyFormat.IsWellFormed(key).ShouldBeTrue();
        ApiKeyFormat.Sha256Hex(key).ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key))));
    }

    [Fact]
    public void No_truncated_extended_recased_or_mistyped_key_is_well_formed()
    {
        var key = ApiKeyFormat.Generate(false);
        for (var length = 0; length < key.Length; length++)
            ApiKeyFormat.IsWellFormed(key.AsSpan(0, length)).ShouldBeFalse();
        ApiKeyFormat.IsWellFormed(key + "a").ShouldBeFalse();
        ApiKeyFormat.IsWellFormed(" " + key[1..]).ShouldBeFalse();
        ApiKeyFormat.IsWellFormed(key.ToUpperInvariant()).ShouldBeFalse();

        var mistyped = key.ToCharArray();
        for (var i = 0; i < key.Length; i++)
        {
            foreach (var other in "0Zz_-é\0")
            {
                if (other == key[i])
                    continue;
                mistyped[i] = other;
                ApiKeyFormat.IsWellFormed(mistyped).ShouldBeFalse();
            }
            mistyped[i] = key[i];
        }
    }

    [Fact]
    public void A_key_of_another_kind_shows_nothing_of_itself()
    {
        ApiKeyFormat.Prefix("sk-1234567890abcdef").ShouldBe("");
        ApiKeyFormat.LastFour("short").ShouldBe("");
    }
}
