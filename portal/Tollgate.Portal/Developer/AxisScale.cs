namespace Tollgate.Portal.Developer;

/// <summary>Where an axis ends and which of its values are written: 1, 2 or 5 times a power of ten, so that people read them at a glance.</summary>
internal readonly record struct AxisScale(double Max, double Step)
{
    public static AxisScale Of(decimal highest, int ticks, bool whole)
    {
        if (highest <= 0) return new AxisScale(ticks, 1);
        var rough = (double)highest / ticks;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = (rough / power) switch { <= 1 => power, <= 2 => 2 * power, <= 5 => 5 * power, _ => 10 * power };
        if (whole) step = Math.Max(1, step);
        return new AxisScale(Math.Round(Math.Ceiling((double)highest / step) * step, 12), step);
    }
}
