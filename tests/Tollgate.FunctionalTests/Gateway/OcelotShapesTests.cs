using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Every shape of an <c>ocelot.json</c> that Ocelot's documentation shows: a gateway starts with it, and the command line says what becomes of it.</summary>
public sealed class OcelotShapesTests
{
    private static readonly string Folder = Path.Combine(Programs.Root, "tests/Tollgate.UnitTests/Gateway/Shapes");

    public static TheoryData<string> Shapes => [.. new DirectoryInfo(Folder).EnumerateFiles("*.json").Select(file => file.Name).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_documented_shape_starts_a_gateway_and_is_reported(string shape)
    {
        var file = Path.Combine(Folder, shape);
        var reporting = ReportAsync(file);
        await using (var gateway = await GatewayProcess.StartAsync(file))
        {
            using var answer = await gateway.GetAsync("/some/path");    // 404, or a service that is not there
            ((int)answer.StatusCode).ShouldBeOneOf(404, 502, 503, 504);
            gateway.Output.ShouldNotContain("   at ");
        }

        var (code, report) = await reporting;
        code.ShouldBe(0, report);
        report.ShouldContain("A gateway starts with it.");
    }

    private static async Task<(int Code, string Output)> ReportAsync(string file)
    {
        await using var process = ChildProcess.StartDotnet(Programs.Cli, ["check", file]);
        return (await process.WaitForExitAsync(), process.Output);
    }
}
