using System.CommandLine;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Tollgate.Cli;

/// <summary><c>tollgate routes</c>: a service's own routes, from its own pipeline.</summary>
internal static class RoutesCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly Argument<string> Service = new("service") { Description = "What the service is called: a to z, 0 to 9 and hyphens." };

    public static Command Create() => new("routes", "Publishes a service's own routes, and shows what is published. Exit code 0: done; 1: refused.")
    {
        ManagementClient.Server, ManagementClient.Token, Publish(), Status(), Diff(), List(), History(), RollBack(), Remove(),
    };

    private static Command Publish()
    {
        var file = File();
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would come of it." };
        var expect = new Option<long?>("--if-version") { Description = "Publish only over this version; 0 = only if nothing is published." };
        var command = new Command("publish", "Puts the routes of a file in force on every gateway.") { Service, file, dryRun, expect };
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = ManagementClient.Open(parsed);
            var dry = parsed.GetValue(dryRun);
            if (await SendAsync(parsed, client, file, dry, parsed.GetValue(expect)?.ToString(), cancel) is not { } answer) return 1;
            var output = parsed.InvocationConfiguration.Output;
            if (dry)
            {
                WriteDiff(output, answer.GetProperty("diff"));
                return 0;
            }

            var fragment = answer.GetProperty("fragment");
            output.WriteLine(answer.GetProperty("changed").GetBoolean()
                ? $"{fragment.GetProperty("service").GetString()} version {fragment.GetProperty("version")} is published: {fragment.GetProperty("routes")} routes under {Claims(fragment)}."
                : $"{fragment.GetProperty("service").GetString()} version {fragment.GetProperty("version")} says the same already.");
            return await HearGatewaysAsync(parsed, client, fragment.GetProperty("service").GetString()!, fragment.GetProperty("version").GetInt64(), cancel);
        });
        return command;
    }

    private static Command Status()
    {
        var command = new Command("status", "Shows how a service's routes stand on every gateway. Exit code 1: they are left out on one.") { Service };
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = ManagementClient.Open(parsed);
            if (await client.AskAsync(HttpMethod.Get, $"routes/{Uri.EscapeDataString(parsed.GetValue(Service)!)}", null, cancel) is not { } answer) return 1;
            var output = parsed.InvocationConfiguration.Output;
            output.WriteLine($"{answer.GetProperty("service").GetString()} version {answer.GetProperty("version").GetProperty("version")}");
            var gateways = answer.GetProperty("gateways").EnumerateArray().ToArray();
            foreach (var gateway in gateways)
            {
                output.WriteLine($"  {gateway.GetProperty("gateway").GetString(),-24} {Said(gateway)}");
                foreach (var reason in gateway.GetProperty("reasons").EnumerateArray()) output.WriteLine($"    {reason.GetString()}");
            }

            if (gateways.Length == 0) output.WriteLine("  No gateway has been heard lately.");
            return gateways.Any(IsLeftOut) ? 1 : 0;
        });
        return command;
    }

    private static Command Diff()
    {
        var file = new Argument<string?>("file") { Description = "What would be published; without it, what the newest version changed.", Arity = ArgumentArity.ZeroOrOne };
        var from = new Option<long?>("--from") { Description = "A version." };
        var to = new Option<long?>("--to") { Description = "A version." };
        var command = new Command("diff", "Shows what a file would change, or what lies between two versions.") { Service, file, from, to };
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = ManagementClient.Open(parsed);
            var service = Uri.EscapeDataString(parsed.GetValue(Service)!);
            if (parsed.GetValue(file) is not null)
            {
                if (await SendAsync(parsed, client, file!, dryRun: true, null, cancel) is not { } answer) return 1;
                WriteDiff(parsed.InvocationConfiguration.Output, answer.GetProperty("diff"));
                return 0;
            }

            var query = string.Join('&', new[] { parsed.GetValue(from) is { } first ? $"from={first}" : null, parsed.GetValue(to) is { } last ? $"to={last}" : null }.OfType<string>());
            if (await client.AskAsync(HttpMethod.Get, $"routes/{service}/diff?{query}", null, cancel) is not { } diff) return 1;
            WriteDiff(parsed.InvocationConfiguration.Output, diff);
            return 0;
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Shows every service that publishes routes.");
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = ManagementClient.Open(parsed);
            if (await client.AskAsync(HttpMethod.Get, "routes", null, cancel) is not { } answer) return 1;
            var output = parsed.InvocationConfiguration.Output;
            foreach (var service in answer.GetProperty("items").EnumerateArray())
                output.WriteLine($"{service.GetProperty("service").GetString(),-32} version {service.GetProperty("version"),-5} {service.GetProperty("routes"),4} routes  {Claims(service)}  {service.GetProperty("publishedAt").GetDateTimeOffset():u} by {service.GetProperty("publishedBy").GetString()}");
            return 0;
        });
        return command;
    }

    private static Command History()
    {
        var command = new Command("history", "Shows every version of a service's routes.") { Service };
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = ManagementClient.Open(parsed);
            if (await client.AskAsync(HttpMethod.Get, $"routes/{Uri.EscapeDataString(parsed.GetValue(Service)!)}/versions", null, cancel) is not { } answer) return 1;
            foreach (var version in answer.GetProperty("items").EnumerateArray())
                parsed.InvocationConfiguration.Output.WriteLine(
                    $"{(version.GetProperty("inForce").GetBoolean() ? "*" : " ")} {version.GetProperty("version"),5}  {version.GetProperty("at").GetDateTimeOffset():u}  {version.GetProperty("change").GetString(),-11} {version.GetProperty("routes"),4} routes  by {version.GetProperty("by").GetString()}");
            return 0;
        });
        return command;
    }

    private static Command RollBack()
    {
        var version = new Argument<long>("version") { Description = "Whose words are to be in force again." };
        var command = new Command("rollback", "Puts an old version's words in force again, as a new version.") { Service, version };
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = ManagementClient.Open(parsed);
            var service = parsed.GetValue(Service)!;
            if (await client.AskAsync(HttpMethod.Post, $"routes/{Uri.EscapeDataString(service)}/rollback", JsonContent.Create(new { version = parsed.GetValue(version) }), cancel) is not { } answer) return 1;
            var number = answer.GetProperty("fragment").GetProperty("version").GetInt64();
            parsed.InvocationConfiguration.Output.WriteLine($"{service} version {number} is published, with the words of version {parsed.GetValue(version)}.");
            return await HearGatewaysAsync(parsed, client, service, number, cancel);
        });
        return command;
    }

    private static Command Remove()
    {
        var command = new Command("remove", "Takes a service's routes away. Its versions stay.") { Service };
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = ManagementClient.Open(parsed);
            var service = parsed.GetValue(Service)!;
            if (await client.AskAsync(HttpMethod.Delete, $"routes/{Uri.EscapeDataString(service)}", null, cancel) is null) return 1;
            parsed.InvocationConfiguration.Output.WriteLine($"{service} has no routes any more.");
            return 0;
        });
        return command;
    }

    // What is published is on its way: the gateways say within a moment whether they serve it. A pipeline should not be green while nobody does.
    private static async Task<int> HearGatewaysAsync(ParseResult parsed, ManagementClient client, string service, long version, CancellationToken cancel)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (await client.AskAsync(HttpMethod.Get, $"routes/{Uri.EscapeDataString(service)}", null, cancel) is not { } answer) return 1;
            if (answer.GetProperty("version").GetProperty("version").GetInt64() != version || !answer.TryGetProperty("gateways", out var gateways)) return 0;    // somebody published since
            var waiting = gateways.EnumerateArray().Count(gateway => gateway.GetProperty("state").GetString() == "waiting");
            if (waiting > 0 && TimeProvider.System.GetElapsedTime(began) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancel);
                continue;
            }

            foreach (var gateway in gateways.EnumerateArray().Where(IsLeftOut))
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"gateway {gateway.GetProperty("gateway").GetString()}: {Said(gateway)}");
                foreach (var reason in gateway.GetProperty("reasons").EnumerateArray()) await parsed.InvocationConfiguration.Error.WriteLineAsync($"  {reason.GetString()}");
            }

            var serving = gateways.EnumerateArray().Count(gateway => gateway.GetProperty("state").GetString() == "serves");
            if (gateways.GetArrayLength() > 0) parsed.InvocationConfiguration.Output.WriteLine($"It serves on {serving} of {gateways.GetArrayLength()} gateways{(waiting > 0 ? $"; {waiting} have not said yet" : "")}.");
            return gateways.EnumerateArray().Any(IsLeftOut) ? 1 : 0;
        }
    }

    private static bool IsLeftOut(JsonElement gateway) => gateway.GetProperty("state").GetString() is "left-out" or "serves-older";

    private static string Said(JsonElement gateway) => gateway.GetProperty("state").GetString() switch
    {
        "serves" => "serves it",
        "serves-older" => $"leaves it out, version {gateway.GetProperty("inForce")} serves on",
        "left-out" => "leaves it out",
        _ => "has not said yet",
    };

    private static Argument<string?> File() => new("file") { Description = "The service's ocelot.json: Routes alone." };

    private static async Task<JsonElement?> SendAsync(ParseResult parsed, ManagementClient client, Argument<string?> file, bool dryRun, string? ifMatch, CancellationToken cancel)
    {
        string content;
        try
        {
            content = await System.IO.File.ReadAllTextAsync(parsed.GetValue(file)!, cancel);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync(unreadable.Message);
            return null;
        }

        var path = $"routes/{Uri.EscapeDataString(parsed.GetValue(Service)!)}{(dryRun ? "?dryRun=true" : "")}";
        var answer = await client.AskAsync(HttpMethod.Put, path, new StringContent(content, Encoding.UTF8, "application/json"), cancel, ifMatch);
        if (answer is { } told)
            foreach (var warning in told.GetProperty("warnings").EnumerateArray())
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"warning: line {warning.GetProperty("line")} {warning.GetProperty("property").GetString()}: {warning.GetProperty("sentence").GetString()}");
        return answer;
    }

    private static string Claims(JsonElement fragment) => string.Join(", ", fragment.GetProperty("claims").EnumerateArray().Select(claim => claim.GetString()));

    private static void WriteDiff(TextWriter output, JsonElement diff)
    {
        var text = diff.GetProperty("diff").GetString()!;
        output.Write(text.Length == 0 ? "Nothing changes.\n" : text);
    }
}
