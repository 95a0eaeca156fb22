using System.CommandLine;
using System.Net.Http.Json;

namespace Tollgate.Cli;

/// <summary><c>tollgate gateways</c>: orders that reach every gateway within a second.</summary>
internal static class GatewaysCommand
{
    private static readonly Argument<string> Host = new("host") { Description = "Host and port, as in the routes: orders-1:8080." };

    public static Command Create() => new("gateways", "Orders all gateways: kept answers are thrown away, hosts have no more calls. Exit code 0: the order is on its way; 1: refused.")
    {
        ManagementClient.Server, ManagementClient.Token, Purge(), Order("drain", "Sends no new calls to a host, until it is resumed."), Order("resume", "Sends calls to a host again."), Drained(),
    };

    private static Command Purge()
    {
        var region = new Option<string?>("--region") { Description = "Answers of a region." };
        var tag = new Option<string?>("--tag") { Description = "Answers with a tag." };
        var all = new Option<bool>("--all") { Description = "Every kept answer." };
        var command = new Command("purge", "Throws kept answers away, on every gateway.") { region, tag, all };
        command.Validators.Add(result =>
        {
            if (new[] { result.GetValue(region) is not null, result.GetValue(tag) is not null, result.GetValue(all) }.Count(said => said) != 1)
                result.AddError("Say what is thrown away: --region, --tag or --all.");
        });
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = ManagementClient.Open(parsed);
            var path = parsed.GetValue(region) is { } named ? $"cache/regions/{Uri.EscapeDataString(named)}" : parsed.GetValue(tag) is { } tagged ? $"cache/tags/{Uri.EscapeDataString(tagged)}" : "cache";
            if (await client.AskAsync(HttpMethod.Delete, path, null, cancel) is null) return 1;
            parsed.InvocationConfiguration.Output.WriteLine("Every gateway throws them away.");
            return 0;
        });
        return command;
    }

    private static Command Order(string name, string description)
    {
        var command = new Command(name, description) { Host };
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = ManagementClient.Open(parsed);
            if (await client.AskAsync(HttpMethod.Post, $"destinations/{Uri.EscapeDataString(parsed.GetValue(Host)!)}/{name}", JsonContent.Create(new { }), cancel) is not { } answer) return 1;
            var draining = answer.GetProperty("draining").EnumerateArray().Select(host => host.GetString()).ToArray();
            parsed.InvocationConfiguration.Output.WriteLine(draining.Length == 0 ? "No host drains." : $"Draining: {string.Join(", ", draining)}");
            return 0;
        });
        return command;
    }

    private static Command Drained()
    {
        var command = new Command("drained", "Shows the hosts that drain on every gateway.");
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = ManagementClient.Open(parsed);
            if (await client.AskAsync(HttpMethod.Get, "destinations", null, cancel) is not { } answer) return 1;
            foreach (var host in answer.GetProperty("draining").EnumerateArray()) parsed.InvocationConfiguration.Output.WriteLine(host.GetString());
            return 0;
        });
        return command;
    }
}
