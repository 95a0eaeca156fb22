using System.Globalization;

namespace Tollgate.Portal.Wording;

/// <summary>Counts and stretches of time in words.</summary>
internal static class CountText
{
    public static string Of(decimal number) => number.ToString("#,0.############", CultureInfo.InvariantCulture);

    public static string Of(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>"1 call", "20,000 calls".</summary>
    public static string Of(long number, string one, string many) => $"{Of(number)} {(number == 1 ? one : many)}";

    /// <summary>A window in the largest unit that fits: "second", "5 minutes", "250 ms".</summary>
    public static string Window(long windowMs)
    {
        foreach (var (ms, one) in new[] { (86_400_000L, "day"), (3_600_000L, "hour"), (60_000L, "minute"), (1_000L, "second") })
        {
            if (windowMs < ms || windowMs % ms != 0) continue;
            var count = windowMs / ms;
            return count == 1 ? one : $"{count} {one}s";
        }

        return $"{windowMs} ms";
    }

    public static string Share(decimal used, decimal of) => of <= 0 ? "0 %" : (used / of).ToString("0.# %", CultureInfo.InvariantCulture).Replace("%", "%");
}
