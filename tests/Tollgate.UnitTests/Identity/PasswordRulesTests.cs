using Tollgate.Identity.Accounts;

namespace Tollgate.UnitTests.Identity;

public sealed class PasswordRulesTests
{
    [Theory]
    [InlineData("plum orbit velvet canoe")]
    [InlineData("x7Kq!m2Zp0Lw")]
    [InlineData("ein ganz normaler Satz")]
    [InlineData("correct-horse-staple-9")]
    [InlineData("日本語のパスワードです。")]
    public void A_long_password_that_nobody_else_has_is_welcome(string password) =>
        PasswordRules.WhatIsWrongWith(password, "ada@example.com").ShouldBeNull();

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("elevenchars")]
    [InlineData("password1234")]
    [InlineData("Password1234!")]
    [InlineData("P@ssw0rd2024!!")]
    [InlineData("passwordpassword")]
    [InlineData("qwertyuiop12")]
    [InlineData("1qaz2wsx3edc4rfv")]
    [InlineData("123456789012")]
    [InlineData("abcdefghijklm")]
    [InlineData("aaaaaaaaaaaa")]
    [InlineData("abcabcabcabc")]
    [InlineData("CorrectHorseBatteryStaple")]
    [InlineData("ada.lovelace@example.com1")]
    [InlineData("ada.lovelace1815")]
    public void What_is_short_or_guessed_first_is_refused_with_a_sentence(string password) =>
        PasswordRules.WhatIsWrongWith(password, "ada.lovelace@example.com").ShouldNotBeNull().ShouldEndWith(".");

    [Fact]
    public void A_password_has_an_upper_bound() => PasswordRules.WhatIsWrongWith(string.Concat(Enumerable.Range(0, 300).Select(i => (char)(33 + i * 7 % 90))), null).ShouldNotBeNull();
}
