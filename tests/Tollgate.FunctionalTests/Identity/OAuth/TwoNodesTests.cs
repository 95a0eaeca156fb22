using System.Net;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>Two identity processes on one PostgreSQL are one service: whichever is asked, and whichever dies.</summary>
public sealed class TwoNodesTests
{
    [Fact]
    public async Task Sessions_codes_and_refresh_tokens_hold_on_both_nodes_and_outlive_either()
    {
        using var files = new TempFolder();
        var database = await (await PostgresServer.SharedAsync()).NewDatabaseAsync();
        var bootstrap = files.Write("bootstrap.json", OAuthSite.File);
        Task<Node> StartAsync(string name) => Node.StartAsync(database, bootstrap, files.File(name));
        var nodes = await Task.WhenAll(StartAsync("one"), StartAsync("two"));   // at once: one makes the keys
        var (one, two) = (nodes[0], nodes[1]);
        try
        {
            (await one.Http.GetStringAsync("/.well-known/openid-configuration/jwks")).ShouldBe(await two.Http.GetStringAsync("/.well-known/openid-configuration/jwks"));

            // Signed in on one, the code from the other, redeemed on the first, refreshed on the second.
            using var person = new Visitor(one.Url);
            (await person.SignInAsync(OAuthSite.Person)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
            var cookie = person.Cookies["tollgate"]!.Value;
            var code = await CodeAsync(two, cookie);
            var tokens = await RedeemAsync(one, code);
            tokens.Status.ShouldBe(HttpStatusCode.OK, tokens.Body);
            (await RedeemAsync(two, code)).ShouldBeError("invalid_grant");   // used on the other node, and with that all is over
            (await IntrospectAsync(two, tokens.Text("access_token"))).Body.ShouldBe("""{"active":false}""");

            tokens = await RedeemAsync(one, await CodeAsync(two, cookie));
            var refreshed = await RefreshAsync(two, tokens.Text("refresh_token"));
            refreshed.Status.ShouldBe(HttpStatusCode.OK, refreshed.Body);
            var race = await RedeemAllAsync(one, two, await CodeAsync(one, cookie));
            race.Count(a => a.Status == HttpStatusCode.OK).ShouldBe(1);

            // Either dies without a word, and comes back as if nothing had been.
            await one.KillAsync();
            var next = await RefreshAsync(two, refreshed.Text("refresh_token"));
            next.Status.ShouldBe(HttpStatusCode.OK, next.Body);
            (await CodeAsync(two, cookie)).ShouldNotBeEmpty();
            one = nodes[0] = await StartAsync("three");
            await two.KillAsync();
            (await CodeAsync(one, cookie)).ShouldNotBeEmpty();
            (await IntrospectAsync(one, next.Text("access_token"))).Json.GetProperty("active").GetBoolean().ShouldBeTrue();
            (await RefreshAsync(one, next.Text("refresh_token"))).Status.ShouldBe(HttpStatusCode.OK);
            (await RefreshAsync(one, next.Text("refresh_token"))).ShouldBeError("invalid_grant");
        }
        finally
        {
            foreach (var node in nodes) await node.DisposeAsync();
        }
    }

    private static async Task<string> CodeAsync(Node node, string cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Ask(scope: "openid offline_access weather.read"));
        request.Headers.Add("Cookie", "tollgate=" + cookie);
        return Query(await node.Http.SendAsync(request))["code"].ShouldNotBeNull();
    }

    private static async Task<Answer[]> RedeemAllAsync(Node one, Node two, string code) =>
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => RedeemAsync(i % 2 == 0 ? one : two, code)));

    private static Task<Answer> RedeemAsync(Node node, string code) => node.PostAsync("/connect/token", OAuthSite.Form(
        ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "https://app.example/cb"), ("code_verifier", Verifier)), OAuthSite.Basic("web", "web secret"));

    private static Task<Answer> RefreshAsync(Node node, string token) =>
        node.PostAsync("/connect/token", OAuthSite.Form(("grant_type", "refresh_token"), ("refresh_token", token)), OAuthSite.Basic("web", "web secret"));

    private static Task<Answer> IntrospectAsync(Node node, string token) =>
        node.PostAsync("/connect/introspect", OAuthSite.Form(("token", token)), OAuthSite.Basic("weather-api", "api secret"));

    private sealed class Node(ChildProcess process, Uri url) : IAsyncDisposable
    {
        public Uri Url => url;
        public HttpClient Http { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = url };

        public static async Task<Node> StartAsync(string database, string bootstrap, string data)
        {
            var url = $"http://127.0.0.1:{FreePort.Next()}";
            var process = ChildProcess.StartDotnet(Programs.Host, ["--roles", "identity", "--urls", url, "--Data", data, "--ConnectionStrings:Postgres", database,
                "--Identity:Issuer", OAuthSite.Issuer, "--Identity:PublicUrl", "http://127.0.0.1", "--Identity:Bootstrap", bootstrap]);
            await process.WaitForLineAsync(line => line.Contains("Tollgate is up", StringComparison.Ordinal));
            return new Node(process, new Uri(url));
        }

        public async Task<Answer> PostAsync(string path, string form, string authorization)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(form, System.Text.Encoding.UTF8, "application/x-www-form-urlencoded") };
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
            return await Answer.OfAsync(await Http.SendAsync(request));
        }

        public Task KillAsync() => process.KillAsync();

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            await process.DisposeAsync();
        }
    }
}
