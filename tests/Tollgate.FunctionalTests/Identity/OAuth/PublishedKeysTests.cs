using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Tollgate.Identity;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.ServiceDefaults.Jose;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>Clients whose keys are at an address of their own (<c>jwks_uri</c>).</summary>
public sealed class PublishedKeysTests
{
    private const string Invitation = "an initial access token of forty characters";

    [Theory]
    [OnBothDatabases]
    public async Task A_client_proves_itself_with_a_key_that_it_publishes_and_that_is_read_once(Shape shape)
    {
        using var key = new ClientKey();
        using var other = new ClientKey();
        var reads = 0;
        await using var listener = await Listener.StartAsync(app => app.MapGet("/keys", () =>
        {
            Interlocked.Increment(ref reads);
            return Results.Text(Set((key, "one")), "application/jwk-set+json");
        }));
        await using var site = await OAuthSite.StartAsync(shape, file: $$"""
            {
              "scopes": [{ "name": "weather.read", "audience": "https://weather.example" }],
              "clients": [
                { "clientId": "partner", "jwksUri": "{{listener.Url}}/keys", "grants": ["client_credentials"], "scopes": ["weather.read"] },
                { "clientId": "lost", "jwksUri": "{{listener.Url}}/nothing", "grants": ["client_credentials"], "scopes": ["weather.read"] }
              ]
            }
            """);
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => TokenAsync(site, key.Assertion("partner", header: h => h["kid"] = "one"))));
        answers.ShouldAllBe(a => a.Status == HttpStatusCode.OK);
        (await TokenAsync(site, key.Assertion("partner"))).Status.ShouldBe(HttpStatusCode.OK);   // without a name, too
        (await TokenAsync(site, other.Assertion("partner", header: h => h["kid"] = "one"))).ShouldBeError("invalid_client", 401);
        for (var i = 0; i < 20; i++) (await TokenAsync(site, other.Assertion("partner", header: h => h["kid"] = "made up " + i))).ShouldBeError("invalid_client", 401);
        reads.ShouldBeLessThan(4);   // not once for each name that somebody makes up
        (await TokenAsync(site, key.Assertion("lost"))).ShouldBeError("invalid_client", 401);
        site.Host.Logs.All.ShouldContain("The keys that client lost publishes could not be read");
    }

    [Theory]
    [OnBothDatabases("true", HttpStatusCode.OK)]
    [OnBothDatabases("false", HttpStatusCode.Unauthorized)]
    public async Task A_client_that_registered_itself_has_its_keys_read_on_the_public_internet_alone(string anywhere, HttpStatusCode expected, Shape shape)
    {
        using var key = new ClientKey();
        var reads = 0;
        await using var listener = await Listener.StartAsync(app => app.MapGet("/keys", () =>
        {
            Interlocked.Increment(ref reads);
            return Results.Text(Set((key, "one")));
        }));
        await using var site = await OAuthSite.StartAsync(shape, settings:
            [("Identity:Registration:Token", Invitation), ("Identity:Registration:Scopes", "weather.read"), ("Identity:BackChannelIntoPrivateNetworks", anywhere)]);
        var wish = $$"""{"grant_types":["client_credentials"],"scope":"weather.read","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"{{listener.Url}}/keys"}""";
        var made = await Answer.OfAsync(await RegistrationTests.RegisterAsync(site, wish, Invitation));
        (made.Status, made.Text("jwks_uri"), made.Json.TryGetProperty("client_secret", out _)).ShouldBe((HttpStatusCode.Created, listener.Url + "/keys", false), made.Body);
        (await TokenAsync(site, key.Assertion(made.Text("client_id")))).Status.ShouldBe(expected);
        reads.ShouldBe(anywhere == "true" ? 1 : 0);
    }

    [Fact]
    public async Task New_keys_are_seen_soon_withdrawn_ones_are_not_for_long_and_nobody_makes_us_ask_often()
    {
        using var first = new ClientKey();
        using var second = new ClientKey();
        var (reads, answer) = (0, Results.Text(Set((first, "one"))));
        await using var listener = await Listener.StartAsync(app => app.MapGet("/keys", () =>
        {
            Interlocked.Increment(ref reads);
            return answer;
        }));
        var clock = new Clock();
        using var calls = new ClientCalls(Options.Create(new TollgateIdentityOptions { BackChannelIntoPrivateNetworks = true }));
        var keys = new PublishedKeys(calls, clock, NullLogger<PublishedKeys>.Instance);
        var client = new OAuthClient { ClientId = "partner", Name = "", JwksUri = listener.Url + "/keys", Created = DateTimeOffset.UtcNow };
        async Task<string> NamesAsync(bool again = false) => string.Join(' ', (await keys.OfAsync(client, again, default)).Select(k => k.Kid));

        (await NamesAsync(), reads).ShouldBe(("one", 1));
        answer = Results.Text(Set((second, "two")));
        for (var i = 0; i < 20; i++) (await NamesAsync(again: true), reads).ShouldBe(("one", 1));
        clock.Pass(TimeSpan.FromSeconds(31));
        (await NamesAsync(), reads).ShouldBe(("one", 1));
        (await NamesAsync(again: true), reads).ShouldBe(("two", 2));

        // Nobody asks for another key, and the one that is known is withdrawn.
        answer = Results.Text(Set((first, "three")));
        clock.Pass(TimeSpan.FromMinutes(11));
        (await NamesAsync(), reads).ShouldBe(("three", 3));

        // Away, or out of its mind: what was good goes on for an hour, asked for now and then.
        foreach (var bad in new[] { Results.StatusCode(500), Results.Text("[]"), Results.Text("no JSON"), Results.Text("""{"keys":[]}"""), Results.Text(new string(' ', 70_000) + Set((second, "far"))), Results.Redirect("/keys2") })
        {
            answer = bad;
            clock.Pass(TimeSpan.FromMinutes(9));
            var before = reads;
            (await NamesAsync(again: true), reads).ShouldBe(("three", before + 1));
            (await NamesAsync(again: true), reads).ShouldBe(("three", before + 1));
        }

        clock.Pass(TimeSpan.FromMinutes(11));
        (await NamesAsync()).ShouldBeEmpty();
        answer = Results.Text(Set((first, "back")));
        (await NamesAsync()).ShouldBeEmpty();
        clock.Pass(TimeSpan.FromSeconds(31));
        (await NamesAsync()).ShouldBe("back");
    }

    [Fact]
    public async Task A_file_that_says_both_or_leads_nowhere_is_refused()
    {
        using var key = new ClientKey();
        foreach (var (keys, sentence) in new[]
        {
            ($$""" "jwks": {{key.Jwks}}, "jwksUri": "https://partner.example/keys" """, "two ways to say one thing"),
            (""" "jwksUri": "ftp://partner.example/keys" """, "is no http or https address"),
            (""" "jwksUri": 7 """, "jwksUri must be a text"),
        })
        {
            var refused = await Should.ThrowAsync<Exception>(() => OAuthSite.StartAsync(file: $$"""{ "clients": [{ "clientId": "partner", {{keys}}, "grants": ["client_credentials"] }] }"""));
            refused.ToString().ShouldContain(sentence);
        }
    }

    private static Task<Answer> TokenAsync(OAuthSite site, string assertion) =>
        site.TokenAsync(OAuthSite.Form(("grant_type", "client_credentials"), ("client_assertion_type", ClientAssertionTests.Type), ("client_assertion", assertion)));

    private static string Set(params (ClientKey Key, string Kid)[] keys)
    {
        var set = new JsonArray();
        foreach (var (key, kid) in keys)
        {
            var jwk = key.PublicJwk;
            jwk["kid"] = kid;
            set.Add(jwk);
        }

        return new JsonObject { ["keys"] = set }.ToJsonString();
    }

    private sealed class Clock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(TimeSpan time) => _now += time.Ticks;

        public override long GetTimestamp() => _now;
    }
}
