using System.Net;
using Microsoft.Extensions.Options;

namespace Tollgate.FunctionalTests.Identity.OAuth;

public sealed class BootstrapTests
{
    [Theory]
    [OnBothDatabases]
    public async Task What_the_file_declares_is_there_and_a_second_start_changes_nothing(Shape shape)
    {
        await using var first = await OAuthSite.StartAsync(shape);
        var token = await first.WorkerTokenAsync();
        await using var second = await OAuthSite.StartAsync(shape, beside: first);
        await second.WorkerTokenAsync();
        (await second.IntrospectAsync(token)).Json.GetProperty("active").GetBoolean().ShouldBeTrue();
        (await second.Http.GetStringAsync("/.well-known/openid-configuration/jwks")).ShouldBe(await first.Http.GetStringAsync("/.well-known/openid-configuration/jwks"));

        using var person = new Visitor(second.Host.Url);
        (await person.SignInAsync(OAuthSite.Person)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_secret_that_the_file_changes_is_the_one_from_then_on(Shape shape)
    {
        await using var first = await OAuthSite.StartAsync(shape);
        await using var second = await OAuthSite.StartAsync(shape, beside: first, file: OAuthSite.File.Replace(OAuthSite.Secret, "the next secret"));
        (await second.TokenAsync("grant_type=client_credentials", OAuthSite.Basic("worker", "the next secret"))).Status.ShouldBe(HttpStatusCode.OK);
        (await second.TokenAsync("grant_type=client_credentials", OAuthSite.Basic("worker", OAuthSite.Secret))).ShouldBeError("invalid_client", 401);
    }

    [Fact]
    public async Task Nodes_that_start_at_once_agree_on_the_keys()
    {
        var database = await (await Testing.PostgresServer.SharedAsync()).NewDatabaseAsync();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => OAuthSite.StartAsync(settings: ("ConnectionStrings:Postgres", database)))));
        try
        {
            var sets = await Task.WhenAll(nodes.Select(n => n.Http.GetStringAsync("/.well-known/openid-configuration/jwks")));
            sets.Distinct().ShouldHaveSingleItem();
            var token = await nodes[0].WorkerTokenAsync();
            foreach (var node in nodes) (await node.IntrospectAsync(token)).Json.GetProperty("active").GetBoolean().ShouldBeTrue();
        }
        finally
        {
            foreach (var node in nodes) await node.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("""{ "clients": 1 }""", "clients must be a list.")]
    [InlineData("""{ "clients": [{ "clientId": "a" }] }""", "clients[0].secret is missing")]
    [InlineData("""{ "clients": [{ "clientId": "a", "secret": "s", "public": true }] }""", "clients[0].secret is there, but a public client has none.")]
    [InlineData("""{ "clients": [{ "clientId": "a", "secret": "s", "grants": ["implicit"] }] }""", "clients[0].grants: there is no grant “implicit”")]
    [InlineData("""{ "clients": [{ "clientId": "a", "secret": "s", "scopes": ["x"] }] }""", "clients[0].scopes: there is no scope “x”.")]
    [InlineData("""{ "clients": [{ "clientId": "a", "secret": "s", "grants": ["authorization_code"] }] }""", "clients[0].redirectUris is empty")]
    [InlineData("""{ "clients": [{ "clientId": "a", "secret": "s", "redirectUris": ["javascript:alert(1)"] }] }""", "leads nowhere safe")]
    [InlineData("""{ "clients": [{ "clientId": "a", "secret": "s", "redirectUris": ["https://a.example/#x"] }] }""", "has a fragment")]
    [InlineData("""{ "clients": [{ "clientId": "0196c0f0-0000-7000-8000-000000000000", "secret": "s" }] }""", "looks like the id of a person")]
    [InlineData("""{ "clients": [{ "clientId": "a", "secret": "s" }, { "clientId": "a", "secret": "s" }] }""", "clients[1].clientId stands in the file twice.")]
    [InlineData("""{ "clients": [{ "clientId": "a", "secret": "s", "jwks": { "keys": [{ "kty": "RSA", "d": "x" }] } }] }""", "clients[0].jwks must be a set of public keys")]
    [InlineData("""{ "clients": [{ "clientId": "a", "secret": "s", "accessTokenType": "opaque" }] }""", "clients[0].accessTokenType is jwt or reference.")]
    [InlineData("""{ "users": [{ "email": "nobody", "password": "x" }] }""", "users[0].email is no e-mail address.")]
    [InlineData("""{ "scopes": [{ "name": "a b" }] }""", "scopes[0].name has 1 to 100 visible ASCII characters")]
    [InlineData("[", "is no JSON: line 1")]
    public async Task A_wrong_file_stops_the_start_with_the_place_and_the_reason(string file, string sentence)
    {
        var stopped = await Should.ThrowAsync<OptionsValidationException>(async () => await (await OAuthSite.StartAsync(file: file)).DisposeAsync());
        stopped.Message.ShouldContain(sentence);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_file_that_is_not_there_stops_the_start(Shape shape)
    {
        var stopped = await Should.ThrowAsync<OptionsValidationException>(async () => await (await IdentityHost.StartAsync(shape, settings: ("Identity:Bootstrap", "/nowhere/at-all.json"))).DisposeAsync());
        stopped.Message.ShouldContain("cannot be read");
    }
}
