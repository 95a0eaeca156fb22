using System.Text.Json.Nodes;
using Tollgate.Gateway.Bodies;

namespace Tollgate.UnitTests.Bodies;

/// <summary>The JSON Schema project's own tests, in the folder that <c>TOLLGATE_SCHEMA_SUITE</c> names; <c>test.sh</c> fetches them.</summary>
public sealed class SchemaSuiteTests
{
    /// <summary>What is not held to, and why.</summary>
    private static readonly (string Part, string Reason)[] Exceptions =
    [
        ("refRemote.json", "nothing is fetched: other documents are refused with their place"),
        ("vocabulary.json", "what a fetched meta-schema leaves out cannot be known"),
        ("optional/cross-draft.json", "nothing is fetched"),
        ("optional/format/idn-", "not held to"),
        ("optional/format/iri", "not held to"),
        ("optional/format/uri-template.json", "not held to"),
        ("optional/format/relative-json-pointer.json", "not held to"),
        ("optional/content.json", "not held to"),
        ("optional/float-overflow.json", "whether 1e308 is a multiple of 0.5 is not told apart from a loss of digits"),
        ("optional/zeroTerminatedFloats.json", "1.0 is a whole number in every draft"),
        ("optional/ecmascript-regex.json | \\a is not", "asks for the meta-schema"),
    ];

    [SuiteTheory]
    [InlineData("draft4", "http://json-schema.org/draft-04/schema#", 700)]
    [InlineData("draft6", "http://json-schema.org/draft-06/schema#", 900)]
    [InlineData("draft7", "http://json-schema.org/draft-07/schema#", 1100)]
    [InlineData("draft2019-09", "https://json-schema.org/draft/2019-09/schema", 1400)]
    [InlineData("draft2020-12", "https://json-schema.org/draft/2020-12/schema", 1400)]
    public void Every_rule_of_the_draft_is_kept(string draft, string uri, int least)
    {
        var kept = 0;
        var wrong = new List<string>();
        var folder = Path.Combine(SuiteTheoryAttribute.Folder!, draft);
        foreach (var file in Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            foreach (var group in JsonNode.Parse(File.ReadAllText(file))!.AsArray())
            {
                var place = $"{Path.GetRelativePath(folder, file)} | {group!["description"]}";
                if (Exceptions.Any(exception => place.StartsWith(exception.Part, StringComparison.Ordinal))) continue;
                var schema = group["schema"]!.DeepClone();
                if (schema is JsonObject json && json["$schema"] is null) json.Insert(0, "$schema", uri);

                var mistakes = new List<string>();
                if (BodySchema.Compile(schema, mistakes) is not { } compiled)
                {
                    // Which is the right thing to say of what only another document could tell.
                    if (!mistakes.TrueForAll(mistake => mistake.Contains("is another document"))) wrong.Add($"{place}: {mistakes[0]}");
                    continue;
                }

                foreach (var test in group["tests"]!.AsArray())
                {
                    var violations = new List<Violation>();
                    compiled.Validate(test!["data"]?.ToJsonString() ?? "null", "", violations);
                    if (violations.Count == 0 == test["valid"]!.GetValue<bool>()) kept++;
                    else wrong.Add($"{place} | {test["description"]}: should be {test["valid"]}");
                }
            }

        wrong.ShouldBeEmpty();
        kept.ShouldBeGreaterThan(least);
        Console.WriteLine($"{draft}: {kept} tests of the suite kept");
    }

    private sealed class SuiteTheoryAttribute : TheoryAttribute
    {
        public SuiteTheoryAttribute()
        {
            if (Folder is not { Length: > 0 }) Skip = "TOLLGATE_SCHEMA_SUITE names no folder: ./test.sh Unit fetches the suite.";
        }

        public static string? Folder { get; } = Environment.GetEnvironmentVariable("TOLLGATE_SCHEMA_SUITE");
    }
}
