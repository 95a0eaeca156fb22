using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Tollgate.Cli;

/// <summary><c>tollgate explain</c>: what became of a call, and why.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("request-id") { Description = "The X-Request-Id of an answer." };
        var all = new Option<bool>("--any") { Description = "Of any organisation's call, for platform staff." };
        var json = new Option<bool>("--json") { Description = "As the management API tells it." };
        var command = new Command("explain", "Says what became of a call, and why. Exit code 0: known; 1: not known, or refused.")
        {
            ManagementClient.Server, ManagementClient.Token, id, all, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = ManagementClient.Open(parsed);
            var path = $"{(parsed.GetValue(all) ? "admin/" : "")}explain/{Uri.EscapeDataString(parsed.GetValue(id)!)}";
            if (await client.AskAsync(HttpMethod.Get, path, null, cancel) is not { } call) return 1;
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) output.WriteLine(call.GetRawText());
            else Write(output, call);
            return 0;
        });
        return command;
    }

    private static void Write(TextWriter output, JsonElement call)
    {
        output.WriteLine($"{call.GetProperty("status")} {Text(call, "outcome")}: {Text(call, "why")}");
        Line("arrived", $"{call.GetProperty("arrived").GetDateTimeOffset().ToString("u", CultureInfo.InvariantCulture)}, took {call.GetProperty("durationMs")} ms");
        Line("gateway", $"{Text(call, "node")}, configuration {call.GetProperty("configurationVersion")}");
        Line("route", Text(call, "route") is { } route ? $"{Text(call, "method")} {route}" : null);
        if (Member(call, "caller") is { } caller) Line("caller", $"{Text(caller, "applicationName")} of {Text(caller, "organisationName")}, {(Text(caller, "prefix") is { Length: > 0 } prefix ? prefix + "…" : Text(caller, "credential"))}");
        if (Member(call, "plan") is { } plan) Line("plan", $"{Text(plan, "name")} ({Text(plan, "state")})");
        foreach (var counter in call.GetProperty("counters").EnumerateArray())
            Line("limit", $"{Text(counter, "name")}: {Number(counter, "before")} of {counter.GetProperty("limit")} left before, {Number(counter, "after")} after{(counter.GetProperty("refused").GetBoolean() ? ": no room" : "")}");
        if (Member(call, "retryAfterSeconds") is { } wait) Line("wait", $"{wait} s");
        if (Member(call, "upstream") is { } upstream) Line("upstream", $"tried {upstream.GetProperty("attempts")} times{(Text(upstream, "lastAddress") is { } address ? ", last " + address : "")}");
        Line("metered", Member(call, "meteredUnits") is { } units ? $"{units} units" : "no");
        if (Member(call, "invoiceLine") is { } line)
            Line("invoice", $"{Text(line, "description")} ({Text(line, "plan")}): {line.GetProperty("quantity")} at {line.GetProperty("unitPrice")}, {line.GetProperty("amount")} {Text(line, "currency")} so far, {Text(line, "state")}");

        void Line(string name, string? what)
        {
            if (what is not null) output.WriteLine($"  {name,-9} {what}");
        }
    }

    private static JsonElement? Member(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement json, string name) => Member(json, name)?.GetString();

    private static string Number(JsonElement json, string name) => Member(json, name)?.ToString() ?? "?";
}
