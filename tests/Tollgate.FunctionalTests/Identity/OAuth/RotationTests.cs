using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Tollgate.FunctionalTests.Gateway;
using Tollgate.Identity.OAuth.CleanUp;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Storage;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;
using GatewayProcess = Tollgate.FunctionalTests.Gateway.GatewayProcess;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>What happens beside the traffic, and must not be felt by it: keys that follow each other, rows that are swept away.</summary>
public sealed class RotationTests
{
    [Theory]
    [OnBothDatabases]
    public async Task A_key_follows_the_other_while_calls_go_on_and_none_is_refused(Shape shape)
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        await using var before = await OAuthSite.StartAsync(shape, settings: [("Urls", url), ("Identity:Issuer", url)]);
        using var folder = new TempFolder();
        await using var upstream = await StubUpstream.StartAsync();
        var consumers = folder.Write("consumers.json", """
            { "plans": [{ "name": "basic", "products": ["weather"], "limits": [{ "name": "burst", "calls": 1000000, "window": "1m" }] }],
              "applications": [{ "name": "acme", "clients": ["worker"], "subscriptions": [{ "plan": "basic" }] }] }
            """);
        await using var gateway = await GatewayProcess.StartAsync(
            folder.Write("ocelot.json", Routes.File(Routes.Route("/w", "/w", upstream.Port, "\"Tollgate\": { \"Product\": \"weather\" }"))), "--consumers", consumers, "--Gateway:Authority", url);
        await gateway.WaitForLineAsync(line => line.Contains("are live: "));

        var issuer = before;
        var (answers, signers) = (new ConcurrentDictionary<HttpStatusCode, int>(), new ConcurrentDictionary<string, int>());
        using var stop = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var token = await Volatile.Read(ref issuer).WorkerTokenAsync();
                using var answer = await gateway.GetAsync("/w", ("Authorization", "Bearer " + token));
                answers.AddOrUpdate(answer.StatusCode, 1, (_, n) => n + 1);
                signers.AddOrUpdate(new JsonWebToken(token).Kid, 1, (_, n) => n + 1);
            }
        })).ToArray();
        await Deadline.UntilAsync("calls go through", () => Task.FromResult(answers.GetValueOrDefault(HttpStatusCode.OK) >= 20));
        var early = await before.WorkerTokenAsync();
        var known = await KeysAsync(before);

        // The announced key's time has come: a node that looks now signs with it, another with the old one until it looks again.
        var moment = DateTimeOffset.UtcNow;
        await before.Host.UseAsync<IdentityDb, int>(db => db.SigningKeys.Where(k => k.SignsFrom > moment).ExecuteUpdateAsync(k => k.SetProperty(x => x.SignsFrom, moment.AddSeconds(-1))));
        await using var after = await OAuthSite.StartAsync(shape, beside: before, settings: ("Identity:Issuer", url));
        Volatile.Write(ref issuer, after);
        await Deadline.UntilAsync("the successor signs", () => Task.FromResult(signers.Count == 2 && signers.Values.Min() >= 20));
        await stop.CancelAsync();
        await Task.WhenAll(calls);

        answers.Keys.ShouldBe([HttpStatusCode.OK], $"{string.Join(", ", answers)}");
        (await gateway.GetAsync("/w", ("Authorization", "Bearer " + early))).StatusCode.ShouldBe(HttpStatusCode.OK);
        var now = await KeysAsync(after);
        known.ShouldBeSubsetOf(now);            // the old ones stay until their last token is over
        now.Count.ShouldBe(known.Count + 2);    // and the next are announced already, of both algorithms
        signers.Keys.ShouldBeSubsetOf(known);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Sweeping_away_what_is_over_disturbs_nobody(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:CleanUp:BatchSize", "50"));
        using var person = await SignedInAsync(site);
        var over = DateTimeOffset.UtcNow.AddDays(-2);
        var rows = TestScale.Of(3_000, 100_000);
        await site.Host.UseAsync<IdentityDb, int>(db =>
        {
            db.SeenTokens.AddRange(Enumerable.Range(0, rows).Select(i => new SeenToken { Sha256 = i.ToString("x64"), Expires = over }));
            return db.SaveChangesAsync();
        });

        using var stop = new CancellationTokenSource();
        var refused = new ConcurrentBag<string>();
        var done = 0;
        var work = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var tokens = await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid offline_access weather.read")));
                var next = await RefreshAsync(site, tokens.Text("refresh_token"));
                var seen = await site.IntrospectAsync(next.Text("access_token"));
                if (next.Status != HttpStatusCode.OK || !seen.Json.GetProperty("active").GetBoolean()) refused.Add(next.Body + seen.Body);
                Interlocked.Increment(ref done);
            }
        })).ToArray();
        await Deadline.UntilAsync("work goes on", () => Task.FromResult(Volatile.Read(ref done) >= 5));
        (await site.Host.Services.GetRequiredService<CleanUpJob>().RunAsync(CancellationToken.None)).ShouldBeGreaterThanOrEqualTo(rows);
        await stop.CancelAsync();
        await Task.WhenAll(work);
        refused.ShouldBeEmpty();
        (await site.Host.UseAsync<IdentityDb, int>(db => db.SeenTokens.CountAsync(t => t.Expires <= over))).ShouldBe(0);
    }

    private static async Task<List<string>> KeysAsync(OAuthSite site) =>
        [.. JsonDocument.Parse(await site.Http.GetStringAsync("/.well-known/openid-configuration/jwks")).RootElement.GetProperty("keys").EnumerateArray().Select(k => k.GetProperty("kid").GetString()!)];
}
