using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Gateway.Compatibility;
using Tollgate.Gateway.Ocelot;

namespace Tollgate.Cli;

/// <summary><c>tollgate check</c>: what a gateway makes of a configuration that was written for Ocelot.</summary>
internal static class CheckCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) } };

    public static Command Create()
    {
        var config = new Argument<string>("config") { Description = "An ocelot.json, or a folder of ocelot.*.json." };
        var strict = new Option<bool>("--strict") { Description = "Unknown properties, warnings and routes that are never reached also make the exit code 1." };
        var format = new Option<string>("--format") { Description = "text or json.", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("check", "Says for each property whether it means the same here as in Ocelot, is better, or is ignored, and which routes are never reached. Exit code 0: a gateway would start with it; 1: it would not.")
        {
            config, strict, format,
        };
        command.SetAction(parsed => Run(parsed.GetValue(config)!, parsed.GetValue(strict), parsed.GetValue(format) == "json", parsed.InvocationConfiguration.Output));
        return command;
    }

    private static int Run(string config, bool strict, bool json, TextWriter output)
    {
        var report = CompatibilityReport.Read(config);
        if (json) output.WriteLine(JsonSerializer.Serialize(report, Json));
        else Write(report, output);
        var doubtful = report.Warnings.Count + report.Hidden.Count + report.Properties.Count(property => property.Fate == PropertyFate.Unknown) > 0;
        return report.Errors.Count > 0 || strict && doubtful ? 1 : 0;
    }

    private static void Write(CompatibilityReport report, TextWriter output)
    {
        foreach (var file in report.Files)
        {
            output.WriteLine(file);
            var properties = report.Properties.Where(property => property.File == file).ToArray();
            foreach (var property in properties.Where(property => property.Fate is not (PropertyFate.Unknown)).GroupBy(property => property.Name, StringComparer.OrdinalIgnoreCase))
                output.WriteLine($"  {property.Key,-58} {Word(property.First())}  [{Lines(property)}]");
            foreach (var property in properties.Where(property => property.Fate == PropertyFate.Unknown).GroupBy(property => property.Name, StringComparer.OrdinalIgnoreCase))
                output.WriteLine($"  {(property.Count() == 1 ? property.First().Property : property.Key),-58} unknown{(property.First().Suggestion is { } meant ? $": did you mean {meant}?" : ": neither Ocelot nor Tollgate knows it")}  [{Lines(property)}]");
            output.WriteLine();
        }

        Section(output, "Routes that others take calls from", report.Hidden.Select(hidden => $"{hidden.File}:{hidden.Line}: {hidden.Sentence}"));
        Section(output, "Warnings", ConfigurationError.Lines(report.Warnings));
        Section(output, "Errors", ConfigurationError.Lines(report.Errors));

        int Count(PropertyFate fate) => report.Properties.Count(property => property.Fate == fate);
        output.WriteLine($"{Count(PropertyFate.Same)} same, {Count(PropertyFate.Better)} better, {Count(PropertyFate.Ignored)} ignored, {Count(PropertyFate.Ours)} of Tollgate, {Count(PropertyFate.Unknown)} unknown; " +
            $"{report.Hidden.Count} hidden routes, {report.Warnings.Count} warnings, {report.Errors.Count} errors.");
        output.WriteLine(report.Errors.Count > 0 ? "A gateway does not start with it." : report.TakesCalls ? "A gateway starts with it." : "A gateway starts with it. It has no Routes: every call is answered with 404.");
    }

    private static string Word(PropertyFinding property) => property.Fate switch
    {
        PropertyFate.Same => "same",
        PropertyFate.Better => $"better because {property.Reason}",
        PropertyFate.Ignored => $"ignored because {property.Reason}",
        _ => "Tollgate's own",
    };

    private static string Lines(IEnumerable<PropertyFinding> properties)
    {
        var lines = properties.Select(property => property.Line).Distinct().ToArray();
        return $"{(lines.Length == 1 ? "line" : "lines")} {string.Join(", ", lines.Take(8))}{(lines.Length > 8 ? $" and {lines.Length - 8} more" : "")}";
    }

    private static void Section(TextWriter output, string title, IEnumerable<string> lines)
    {
        var written = lines.ToArray();
        if (written.Length == 0) return;
        output.WriteLine(title);
        foreach (var line in written) output.WriteLine($"  {line}");
        output.WriteLine();
    }
}
