using System.Net;
using Tollgate.FunctionalTests.Gateway;
using Tollgate.Testing;
using GatewayProcess = Tollgate.FunctionalTests.Gateway.GatewayProcess;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>The real gateway takes tokens of a running identity, found through discovery.</summary>
public sealed class TokenAtGatewayTests
{
    [Fact]
    public async Task A_clients_token_opens_the_gateway()
    {
        using var folder = new TempFolder();
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        var bootstrap = folder.Write("bootstrap.json", OAuthSite.File);
        await using var identity = ChildProcess.StartDotnet(Programs.Host,
            ["--roles", "identity", "--urls", url, "--Data", folder.File("data"), "--Identity:Issuer", url, "--Identity:Bootstrap", bootstrap]);
        await identity.WaitForLineAsync(line => line.Contains("Tollgate is up", StringComparison.Ordinal));
        await using var upstream = await StubUpstream.StartAsync();
        await using var gateway = await StartGatewayAsync(folder, upstream.Port, "--Gateway:Authority", url);
        await gateway.WaitForLineAsync(line => line.Contains("are live: "));

        using var http = new HttpClient { BaseAddress = new Uri(url) };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/connect/token") { Content = new StringContent("grant_type=client_credentials&scope=weather.read", null, "application/x-www-form-urlencoded") };
        request.Headers.TryAddWithoutValidation("Authorization", OAuthSite.Basic("worker", OAuthSite.Secret));
        var token = (await Answer.OfAsync(await http.SendAsync(request))).Text("access_token");

        (await gateway.GetAsync("/w", ("Authorization", $"Bearer {token}"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await gateway.GetAsync("/w", ("Authorization", $"Bearer {Forged.EndOf(token)}"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await gateway.GetAsync("/w")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_token_that_says_nothing_itself_opens_a_gateway_that_asks()
    {
        using var folder = new TempFolder();
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        await using var site = await OAuthSite.StartAsync(file: OAuthSite.File.Replace("\"clientId\": \"worker\",", "\"clientId\": \"worker\", \"accessTokenType\": \"reference\","), settings: [("Urls", url), ("Identity:Issuer", url)]);
        await using var upstream = await StubUpstream.StartAsync();
        await using var gateway = await StartGatewayAsync(folder, upstream.Port, "--Gateway:Providers:Own:Introspection:Endpoint", url + "/connect/introspect",
            "--Gateway:Providers:Own:Introspection:ClientId", "platform", "--Gateway:Providers:Own:Introspection:ClientSecret", "platform secret");

        var token = await site.WorkerTokenAsync();
        token.ShouldNotContain(".");
        await Deadline.UntilAsync("the gateway takes the token", async () => (await gateway.GetAsync("/w", ("Authorization", $"Bearer {token}"))).StatusCode == HttpStatusCode.OK);
        (await gateway.GetAsync("/w", ("Authorization", $"Bearer {Forged.EndOf(token)}"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var revoked = await site.WorkerTokenAsync();
        (await site.PostAsync("/connect/revocation", OAuthSite.Form(("token", revoked)), OAuthSite.Basic("worker", OAuthSite.Secret))).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.GetAsync("/w", ("Authorization", $"Bearer {revoked}"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private static Task<GatewayProcess> StartGatewayAsync(TempFolder folder, int upstream, params string[] issuer) => GatewayProcess.StartAsync(
        folder.Write("ocelot.json", Routes.File(Routes.Route("/w", "/w", upstream, "\"Tollgate\": { \"Product\": \"weather\" }"))),
        ["--consumers", folder.Write("consumers.json", """
            { "plans": [{ "name": "basic", "products": ["weather"], "limits": [{ "name": "burst", "calls": 1000, "window": "1m" }] }],
              "applications": [{ "name": "acme", "clients": ["worker"], "subscriptions": [{ "plan": "basic" }] }] }
            """), .. issuer]);
}
