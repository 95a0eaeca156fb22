using System.Globalization;

namespace Tollgate.Testing;

/// <summary>How large the long shows are: <c>TOLLGATE_TEST_SCALE=1</c> runs them as the issue writes them; without it they are as small as still shows something.</summary>
public static class Scale
{
    private static readonly double Factor =
        double.TryParse(Environment.GetEnvironmentVariable("TOLLGATE_TEST_SCALE"), NumberStyles.Float, CultureInfo.InvariantCulture, out var factor) ? Math.Clamp(factor, 0, 1) : 0;

    public static int Of(int small, int full) => small + (int)((full - small) * Factor);

    public static TimeSpan Of(TimeSpan small, TimeSpan full) => small + (full - small) * Factor;
}
