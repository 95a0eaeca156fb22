namespace Tollgate.Identity.Sessions;

/// <summary>Says in words how somebody signed in.</summary>
internal static class SignInWays
{
    /// <param name="methods">In the words of RFC 8176, with spaces between.</param>
    public static string Describe(string methods)
    {
        var ways = methods.Split(' ');
        if (ways.Contains("swk") || ways.Contains("hwk")) return "with a passkey";
        var first = ways.Contains("fed") ? "through another account" : "with the password";
        return ways.Contains("otp") ? first + " and a code" : first;
    }
}
