namespace Tollgate.Identity.Sessions;

/// <summary>How a person signed in, in the words of RFC 8176, one space between them: <c>pwd</c>, <c>otp</c>, <c>swk</c>, <c>mfa</c> …</summary>
internal static class SignInMethods
{
    public const string Password = "pwd";

    /// <summary>Signed in with one thing.</summary>
    public const string OneFactor = "1";

    /// <summary>With two, or with a passkey, which is one of two.</summary>
    public const string TwoFactors = "2";

    /// <summary>The authentication context class (<c>acr</c>).</summary>
    public static string Class(string methods) => methods.Split(' ').Any(m => m is "mfa" or "otp" or "swk" or "hwk") ? TwoFactors : OneFactor;
}
