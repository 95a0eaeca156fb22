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
        output.WriteLine($"{call.GetProperty("status")} {call.Text("outcome")}: {call.Text("why")}");
        Line("arrived", $"{call.GetProperty("arrived").GetDateTimeOffset().ToString("u", CultureInfo.InvariantCulture)}, took {call.GetProperty("durationMs")} ms");
        Line("gateway", $"{call.Text("node")}, configuration {call.GetProperty("configurationVersion")}");
        Line("route", call.Text("route") is { } route ? $"{call.Text("method")} {route}" : null);
        if (call.Member("caller") is { } caller) Line("caller", $"{caller.Text("applicationName")} of {caller.Text("organisationName")}, {(caller.Text("prefix") is { Length: > 0 } prefix ? prefix + "…" : caller.Text("credential"))}");
        if (call.Member("plan") is { } plan) Line("plan", $"{plan.Text("name")} ({plan.Text("state")})");
        foreach (var counter in call.GetProperty("counters").EnumerateArray())
            Line("limit", $"{counter.Text("name")}: {Number(counter, "before")} of {counter.GetProperty("limit")} left before, {Number(counter, "after")} after{(counter.GetProperty("refused").GetBoolean() ? ": no room" : "")}");
        if (call.Member("retryAfterSeconds") is { } wait) Line("wait", $"{wait} s");
        if (call.Member("upstream") is { } upstream) Line("upstream", $"tried {upstream.GetProperty("attempts")} times{(upstream.Text("lastAddress") is { } address ? ", last " + address : "")}");
        Line("metered", call.Member("meteredUnits") is { } units ? $"{units} units" : "no");
        if (call.Member("invoiceLine") is { } line)
            Line("invoice", $"{line.Text("description")} ({line.Text("plan")}): {line.GetProperty("quantity")} at {line.GetProperty("unitPrice")}, {line.GetProperty("amount")} {line.Text("currency")} so far, {line.Text("state")}");

        void Line(string name, string? what)
        {
            if (what is not null) output.WriteLine($"  {name,-9} {what}");
        }
    }

    private static string Number(JsonElement json, string name) => json.Member(name)?.ToString() ?? "?";
}
