using System.Text.Json;
using Microsoft.Playwright;
using Tollgate.Testing;

namespace Tollgate.E2ETests;

/// <summary>The accessibility rules of axe-core, run in a page by day and night, wide and narrow.</summary>
internal static class Axe
{
    private const string Rules = "async () => { const found = await axe.run(document, { resultTypes: ['violations'] }); " +
        "return JSON.stringify(found.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')" +
        ".map(v => ({ id: v.id, help: v.help, where: v.nodes.map(n => n.target.join(' ') + ': ' + n.failureSummary) }))); }";

    private static readonly Lazy<string> Source = new(() =>
    {
        var file = Path.Combine(Programs.Root, "tests", "ClientLibraries", "node_modules", "axe-core", "axe.min.js");
        return File.Exists(file) ? File.ReadAllText(file) : throw new FileNotFoundException("axe-core is not there. ./test.sh installs it, or: npm ci --prefix tests/ClientLibraries");
    });

    /// <summary>No serious or critical finding on the page that is open, in any of four looks.</summary>
    public static async Task ShouldPassAsync(this Visitor visitor, string what)
    {
        foreach (var width in new[] { 1280, 390 })
        {
            await visitor.Page.SetViewportSizeAsync(width, 844);
            foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
            {
                await visitor.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
                await visitor.Page.EvaluateAsync(Source.Value + "; void 0");
                var found = await visitor.Page.EvaluateAsync<string>(Rules);
                JsonDocument.Parse(found).RootElement.GetArrayLength().ShouldBe(0, $"{what}, {width} px, {scheme}: {found}");
                await visitor.ShouldFitAsync($"{what} at {width} px");
                await visitor.PictureAsync($"account-{what.Trim('/').Replace('/', '-')}-{width}-{scheme.ToString().ToLowerInvariant()}", fullPage: true);
            }
        }

        await visitor.Page.SetViewportSizeAsync(1280, 860);
        await visitor.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
    }
}
