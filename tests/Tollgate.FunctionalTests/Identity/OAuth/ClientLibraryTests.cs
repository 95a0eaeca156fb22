using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>Client libraries that others have written, and that are certified, against the running service.</summary>
public sealed class ClientLibraryTests
{
    private const string Invitation = "an initial access token of forty characters";

    [Theory]
    [InlineData("openid-client.mjs")]
    [InlineData("oauth4webapi.mjs")]
    public async Task Certified_clients_get_along_with_it(string script)
    {
        var libraries = Path.Combine(Programs.Root, "tests", "ClientLibraries");
        var node = Programs.Find("node", "nodejs");
        Directory.Exists(Path.Combine(libraries, "node_modules")).ShouldBeTrue("The client libraries are not there. ./test.sh installs them, or: npm ci --prefix tests/ClientLibraries");

        using var folder = new TempFolder();
        using var key = new ClientKey();
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        var bootstrap = folder.Write("bootstrap.json", $$"""
            {
              "users": [{ "email": "{{OAuthSite.Person}}", "password": "{{Visitor.Password}}", "confirmed": true }],
              "scopes": [{ "name": "weather.read", "audience": "https://weather.example" }],
              "clients": [
                { "clientId": "worker", "secret": "{{OAuthSite.Secret}}", "grants": ["client_credentials"], "scopes": ["weather.read"] },
                { "clientId": "web", "secret": "web secret", "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "profile", "email", "offline_access", "weather.read"],
                  "redirectUris": ["http://127.0.0.1:9/cb"], "postLogoutRedirectUris": ["http://127.0.0.1:9/bye"] },
                { "clientId": "spa", "public": true, "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "profile", "email", "offline_access", "weather.read"], "redirectUris": ["http://127.0.0.1:9/cb"] },
                { "clientId": "device", "public": true, "grants": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"], "scopes": ["openid", "offline_access"] },
                { "clientId": "partner", "jwks": {{key.Jwks}}, "signingAlgorithm": "ES256", "grants": ["client_credentials", "authorization_code"], "scopes": ["openid", "weather.read"], "redirectUris": ["http://127.0.0.1:9/cb"] }
              ]
            }
            """);
        await using var identity = ChildProcess.StartDotnet(Programs.Host, ["--roles", "identity", "--urls", url, "--Data", folder.File("data"), "--Identity:Issuer", url,
            "--Identity:Bootstrap", bootstrap, "--Identity:Registration:Token", Invitation, "--Identity:DevicePollSeconds", "1"]);
        await identity.WaitForLineAsync(line => line.Contains("Tollgate is up", StringComparison.Ordinal));

        await using var run = ChildProcess.Start(node, [Path.Combine(libraries, script)], new Dictionary<string, string?>
        {
            ["ISSUER"] = url, ["EMAIL"] = OAuthSite.Person, ["PASSWORD"] = Visitor.Password, ["PRIVATE_JWK"] = key.PrivateJwk, ["REGISTRATION_TOKEN"] = Invitation,
        });
        (await run.WaitForExitAsync()).ShouldBe(0, run.Output);
        run.Output.ShouldContain("all is well");
    }
}
