using System.Globalization;

namespace Tollgate.Testing;

/// <summary>
/// How large a long show is run: <c>TOLLGATE_TEST_SCALE</c> is the share of its full size, 1 = all of it. Without it shows are small enough for every day;
/// the full ones are run now and then, and what they showed is written down in <c>docs/benchmarks.md</c>.
/// </summary>
public static class TestScale
{
    private static readonly double? Told =
        double.TryParse(Environment.GetEnvironmentVariable("TOLLGATE_TEST_SCALE"), NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share is > 0 and <= 1 ? share : null;

    public static bool IsFull => Told == 1;

    /// <param name="usual">How many without being told.</param>
    /// <param name="full">How many in the full show.</param>
    public static int Of(int usual, int full) => Told is { } share ? (int)Math.Clamp(full * share, 1, full) : usual;
}
