using System.Globalization;
using System.Text.RegularExpressions;

namespace Tollgate.UnitTests.Identity;

public sealed partial class DesignTokenTests
{
    private static readonly Dictionary<string, (string Light, string Dark)> Colours = ReadColours();

    private static readonly string[] Backgrounds = ["canvas", "surface", "surface-sunken", "surface-raised", "hover"];

    public static TheoryData<string, string, double> Pairs()
    {
        var pairs = new TheoryData<string, string, double>();
        foreach (var background in Backgrounds)
        {
            foreach (var text in (string[])["text", "text-muted", "link", "success", "warning", "danger", "info"]) pairs.Add(text, background, 4.5);
            foreach (var outline in (string[])["border-control", "focus"]) pairs.Add(outline, background, 3);
        }

        foreach (var fill in (string[])["accent", "accent-hover", "accent-active"]) pairs.Add("on-accent", fill, 4.5);
        foreach (var fill in (string[])["danger-fill", "danger-fill-hover"]) pairs.Add("on-danger", fill, 4.5);
        pairs.Add("accent-text", "accent-soft", 4.5);
        pairs.Add("text", "accent-soft", 4.5);
        foreach (var state in (string[])["success", "warning", "danger", "info"])
        {
            pairs.Add(state, state + "-soft", 4.5);
            pairs.Add("text", state + "-soft", 4.5);
        }

        for (var i = 1; i <= 6; i++)
        {
            pairs.Add($"chart-{i}", "canvas", 3);
            pairs.Add($"chart-{i}", "surface", 3);
        }

        return pairs;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_pair_of_colours_keeps_its_contrast_in_light_and_dark(string front, string back, double least)
    {
        Contrast(Colours[front].Light, Colours[back].Light).ShouldBeGreaterThanOrEqualTo(least);
        Contrast(Colours[front].Dark, Colours[back].Dark).ShouldBeGreaterThanOrEqualTo(least);
    }

    /// <summary>WCAG 2.2, 1.4.3.</summary>
    private static double Contrast(string one, string other)
    {
        var (a, b) = (Luminance(one), Luminance(other));
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    private static double Luminance(string hex)
    {
        return 0.2126 * Channel(1) + 0.7152 * Channel(3) + 0.0722 * Channel(5);

        double Channel(int at)
        {
            var value = int.Parse(hex.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
            return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
        }
    }

    private static Dictionary<string, (string, string)> ReadColours()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Gateway.sln"))) folder = folder.Parent;
        var css = File.ReadAllText(Path.Combine(folder.FullName, "identity/Tollgate.Identity/wwwroot/tokens.css"));
        var colours = Pair().Matches(css).ToDictionary(m => m.Groups[1].Value, m => (m.Groups[2].Value, m.Groups[3].Value));
        colours["on-danger"] = ("#ffffff", "#ffffff");
        return colours;
    }

    [GeneratedRegex(@"--tg-([\w-]+): light-dark\((#\w{6}), (#\w{6})\);")]
    private static partial Regex Pair();
}
