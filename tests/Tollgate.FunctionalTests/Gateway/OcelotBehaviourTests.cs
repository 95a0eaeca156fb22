using System.Reflection;
using System.Text.RegularExpressions;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>The list of what an <c>ocelot.json</c> means names the tests that show it: all of them, and none that is not there.</summary>
public sealed partial class OcelotBehaviourTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(Programs.Root, "tests/Tollgate.FunctionalTests/Gateway/OcelotBehaviours.md"));

    [Fact]
    public void Every_row_names_tests_that_exist()
    {
        var tests = Tests(type => true).ToHashSet();

        foreach (var row in Rows())
        {
            var named = Names(row).ToArray();
            named.ShouldNotBeEmpty(row);
            named.ShouldBeSubsetOf(tests, row);
        }
    }

    [Fact]
    public void Every_test_of_an_ocelot_json_stands_in_the_list() =>
        Tests(type => type.Name.StartsWith("Ocelot", StringComparison.Ordinal) && type != typeof(OcelotBehaviourTests)).Except(Rows().SelectMany(Names)).ShouldBeEmpty();

    [Fact]
    public void All_sixteen_parts_are_there() =>
        Lines.Where(line => line.StartsWith("## ", StringComparison.Ordinal)).Select(line => line[3..].Split('.')[0]).ShouldBe(Enumerable.Range(1, 16).Select(part => $"{part}"));

    private static IEnumerable<string> Rows() =>
        Lines.Zip([.. Lines.Skip(1), ""]).Where(pair => pair.First.StartsWith("| ", StringComparison.Ordinal) && !pair.Second.StartsWith("|--", StringComparison.Ordinal)).Select(pair => pair.First);

    private static IEnumerable<string> Names(string row) => TestName().Matches(row.TrimEnd(' ', '|').Split(" | ")[^1]).Select(match => match.Groups[1].Value);

    private static IEnumerable<string> Tests(Func<Type, bool> which) =>
        typeof(OcelotBehaviourTests).Assembly.GetTypes().Where(which)
            .SelectMany(type => type.GetMethods().Where(method => method.GetCustomAttribute<FactAttribute>() is not null).Select(method => $"{type.Name}.{method.Name}"));

    [GeneratedRegex(@"`(\w+\.\w+)`")]
    private static partial Regex TestName();
}
