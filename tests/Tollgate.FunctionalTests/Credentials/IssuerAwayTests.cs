using System.Net;
using Tollgate.FunctionalTests.Gateway;
using Tollgate.Testing;
using GatewayProcess = Tollgate.FunctionalTests.Gateway.GatewayProcess;

namespace Tollgate.FunctionalTests.Credentials;

/// <summary>A gateway outlives the issuer of its callers' tokens, also across its own restart; and takes a new key as soon as something is signed with it.</summary>
public sealed class IssuerAwayTests
{
    [Fact]
    public async Task Tokens_are_taken_while_their_issuer_is_away_also_by_a_gateway_that_starts_then()
    {
        using var folder = new TempFolder();
        await using var upstream = await StubUpstream.StartAsync();
        var issuer = await TokenIssuer.StartAsync();
        var config = folder.Write("ocelot.json", Routes.File(Routes.Route("/w", "/w", upstream.Port, "\"Tollgate\": { \"Product\": \"weather\" }")));
        var consumers = folder.Write("consumers.json", """
            { "plans": [ { "name": "gold", "products": [ "weather" ] } ], "applications": [ { "name": "app", "subscriptions": [ { "plan": "gold" } ], "clients": [ "worker" ] } ] }
            """);
        string[] options = ["--consumers", consumers, "--data", folder.File("data"), "--Gateway:Authority", issuer.Url];
        await using (var gateway = await GatewayProcess.StartAsync(config, options))
        {
            await Deadline.UntilAsync("the issuer is known", async () => (await CallAsync(gateway, issuer.Token())).StatusCode == HttpStatusCode.OK);
            await UntilKeptAsync();

            // A key that was never seen is looked for once, and nobody is called a forger meanwhile.
            issuer.Rotate();
            await Deadline.UntilAsync("the next key is known", async () =>
            {
                var answer = await CallAsync(gateway, issuer.Token());
                answer.StatusCode.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable);
                return answer.StatusCode == HttpStatusCode.OK;
            });
            await UntilKeptAsync();
            await issuer.StopAsync();
            (await CallAsync(gateway, issuer.Token(more: new() { ["jti"] = "new" }))).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        await using var restarted = await GatewayProcess.StartAsync(config, options);
        (await CallAsync(restarted, issuer.Token(more: new() { ["jti"] = "newer" }))).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await CallAsync(restarted, Forged.EndOf(issuer.Token()))).ShouldBeProblemAsync(401, "invalid-credentials");
        await issuer.DisposeAsync();

        Task UntilKeptAsync() => Deadline.UntilAsync("the issuer's answer is on the disk", async () =>
            (await File.ReadAllTextAsync(Directory.GetFiles(folder.File("data/issuers"), "*.json").Single())).Contains(issuer.Kid, StringComparison.Ordinal));
    }

    private static Task<HttpResponseMessage> CallAsync(GatewayProcess gateway, string token) => gateway.GetAsync("/w", ("Authorization", $"Bearer {token}"));
}
