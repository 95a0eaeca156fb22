using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Gateway.Compatibility;
using Tollgate.Gateway.Ocelot;
using Tollgate.Gateway.Plugins;
using Tollgate.Testing;

namespace Tollgate.UnitTests.Gateway;

/// <summary>Every shape that Ocelot's documentation shows, in words of our own, is read and compiled.</summary>
public sealed class ShapesTests
{
    private static readonly string Folder = Path.Combine(Programs.Root, "tests/Tollgate.UnitTests/Gateway/Shapes");

    public static TheoryData<string> Shapes => [.. new DirectoryInfo(Folder).EnumerateFiles("*.json").Select(file => file.Name).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Shapes))]
    public void A_documented_shape_loads(string shape)
    {
        var configuration = OcelotReader.Read(Path.Combine(Folder, shape));

        CompatibilityReport.Read(Path.Combine(Folder, shape)).Properties.Where(finding => finding.Fate == PropertyFate.Unknown).Select(finding => finding.Name)
            .ShouldBe(shape.Contains("strangers") ? ["ReRoutes"] : []);

        using var compiler = new RouteCompiler(TimeProvider.System, NullLoggerFactory.Instance, new PluginSet());
        compiler.Compile(configuration, []).Routes.Length.ShouldBe(configuration.Routes.Count + configuration.Aggregates.Count);
    }
}
