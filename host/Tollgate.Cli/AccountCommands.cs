using System.CommandLine;
using System.Text.Json;

namespace Tollgate.Cli;

/// <summary><c>tollgate login</c>, <c>logout</c> and <c>whoami</c>: a person at a terminal, without a token to copy.</summary>
internal static class AccountCommands
{
    private const string Prefix = "tollgate:";
    private static readonly string[] DefaultScopes = ["read", "applications", "routes"];

    public static Command Login()
    {
        var scopes = new Option<string[]>("--scope")
        {
            Description = "What it is good for: read, applications, billing, members, routes, platform:read, platform. Default: read, applications and routes.", AllowMultipleArgumentsPerToken = true,
        };
        var organisation = new Option<string?>("--organisation") { Description = "Name or id of the organisation to act in; else the one that you look at in the portal." };
        var command = new Command("login", "Signs you in: open the page that it names, compare the code, and agree. Later commands use this sign-in until you log out.") { ManagementClient.Server, scopes, organisation };
        command.SetAction((parsed, cancel) => GuardAsync(parsed, async () =>
        {
            var (server, output) = (ManagementClient.ServerOf(parsed), parsed.InvocationConfiguration.Output);
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
            var issuer = await Issuer.FindAsync(http, server, cancel);
            var wanted = parsed.GetValue(scopes) is { Length: > 0 } told ? told : DefaultScopes;
            var given = await issuer.SignInAsync(wanted.Select(s => Prefix + s), code =>
            {
                output.WriteLine($"Open this page, and let it in if it shows the code {code.UserCode}:");
                output.WriteLine();
                output.WriteLine($"    {code.PageWithCode}");
                output.WriteLine();
                output.WriteLine($"On another device: open {code.Page} and type the code. It works for {(int)code.Lives.TotalMinutes} minutes.");
                output.Flush();
            }, cancel);

            var store = new SignInStore();
            var before = store.Find(server);
            await store.ChangeAsync(server, _ => Task.FromResult<SignIn?>(given), cancel);
            if (before is not null) await ForgetQuietlyAsync(http, before, cancel);
            using var client = ManagementClient.OfSignIn(parsed);
            if (parsed.GetValue(organisation) is { } name && !await ChooseAsync(parsed, client, store, server, name, cancel)) return 1;
            return await SayWhoAsync(parsed, client, cancel);
        }));
        return command;
    }

    public static Command Logout()
    {
        var command = new Command("logout", "Ends the sign-in of this machine, on the server too.") { ManagementClient.Server };
        command.SetAction((parsed, cancel) => GuardAsync(parsed, async () =>
        {
            var (server, store) = (ManagementClient.ServerOf(parsed), new SignInStore());
            if (store.Find(server) is null)
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync($"Nobody is signed in to {server} here.");
                return 0;
            }

            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
            SignIn? ended = null;
            await store.ChangeAsync(server, old => { ended = old; return Task.FromResult<SignIn?>(null); }, cancel);
            if (ended is not null) await Issuer.RevokeAsync(http, ended, cancel);
            await parsed.InvocationConfiguration.Output.WriteLineAsync($"You are signed out of {server}.");
            return 0;
        }));
        return command;
    }

    public static Command WhoAmI()
    {
        var command = new Command("whoami", "Says whom commands speak for, and how far they reach.") { ManagementClient.Server, ManagementClient.Token };
        command.SetAction((parsed, cancel) => GuardAsync(parsed, async () =>
        {
            using var client = ManagementClient.Open(parsed);
            return await SayWhoAsync(parsed, client, cancel);
        }));
        return command;
    }

    private static async Task<bool> ChooseAsync(ParseResult parsed, ManagementClient client, SignInStore store, string server, string name, CancellationToken cancel)
    {
        if (await client.AskAsync(HttpMethod.Get, "organisations", null, cancel) is not { } mine) return false;
        var found = mine.EnumerateArray().FirstOrDefault(one => one.GetProperty("id").GetString() == name || string.Equals(one.GetProperty("name").GetString(), name, StringComparison.OrdinalIgnoreCase));
        if (found.ValueKind == JsonValueKind.Undefined)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"You belong to no organisation “{name}”. Yours are: {string.Join(", ", mine.EnumerateArray().Select(one => one.GetProperty("name").GetString()))}.");
            return false;
        }

        await store.ChangeAsync(server, now => Task.FromResult(now is null ? null : now with { Organisation = found.GetProperty("id").GetString() }), cancel);
        return true;
    }

    private static async Task<int> SayWhoAsync(ParseResult parsed, ManagementClient client, CancellationToken cancel)
    {
        if (await client.AskAsync(HttpMethod.Get, "me", null, cancel) is not { } me) return 1;
        var output = parsed.InvocationConfiguration.Output;
        await output.WriteLineAsync($"{me.Text("name")} at {ManagementClient.ServerOf(parsed)}");
        if (me.Text("organisation") is not null)
        {
            var organisation = await client.AskAsync(HttpMethod.Get, "organisation", null, cancel, isQuiet: true);
            await output.WriteLineAsync($"  organisation  {organisation?.Text("name") ?? me.Text("organisation")}, {me.Text("role")}");
        }

        if (me.Text("platformRole") is { } platform) await output.WriteLineAsync($"  platform      {platform}");
        await output.WriteLineAsync($"  scopes        {string.Join(", ", me.GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()))}");
        return 0;
    }

    private static async Task ForgetQuietlyAsync(HttpClient http, SignIn old, CancellationToken cancel)
    {
        try
        {
            await Issuer.RevokeAsync(http, old, cancel);
        }
        catch (HttpRequestException)
        {
            // It ends by itself.
        }
    }

    private static async Task<int> GuardAsync(ParseResult parsed, Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (SignInException no)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync(no.Message);
        }
        catch (HttpRequestException away)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"{ManagementClient.ServerOf(parsed)} cannot be reached: {away.Message} Say where the portal is with --server or TOLLGATE_URL.");
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"{ManagementClient.ServerOf(parsed)} does not answer as a Tollgate portal does.");
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync(unwritable.Message);
        }

        return 1;
    }
}
