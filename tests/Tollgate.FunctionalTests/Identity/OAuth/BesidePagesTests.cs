using System.Net;
using Tollgate.FunctionalTests.Portal;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>Programs' endpoints in the same process as the portal, whose pages and files answer any GET.</summary>
public sealed class BesidePagesTests(PortalFixture fixture) : IClassFixture<PortalFixture>
{
    [Theory]
    [InlineData("/connect/token")]
    [InlineData("/connect/introspect")]
    [InlineData("/connect/revocation")]
    [InlineData("/connect/par")]
    [InlineData("/connect/deviceauthorization")]
    public async Task What_is_posted_alone_refuses_every_other_method(string path)
    {
        using var http = fixture.Host.Anonymous();
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Patch })
        {
            using var request = new HttpRequestMessage(method, path + "?grant_type=client_credentials");
            using var answer = await http.SendAsync(request);
            answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed, $"{method} {path}");
            answer.Content.Headers.Allow.ShouldContain("POST");
        }
    }

    [Fact]
    public async Task The_management_API_says_who_gives_tokens_for_it()
    {
        using var http = fixture.Host.Anonymous();
        var told = await http.GetAsync("/.well-known/oauth-protected-resource/api/v1").JsonAsync();
        told.GetProperty("resource").GetString().ShouldEndWith("/api/v1");
        told.GetProperty("authorization_servers").EnumerateArray().ShouldHaveSingleItem().GetString().ShouldBe("http://localhost:8090");
        told.GetProperty("scopes_supported").EnumerateArray().Select(s => s.GetString()).ShouldContain("tollgate:routes");
    }

    [Fact]
    public async Task Identity_alone_has_no_management_API_for_any_method()
    {
        using var folder = new TempFolder();
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        await using var identity = ChildProcess.StartDotnet(Programs.Host, ["--roles", "identity", "--urls", url, "--Data", folder.File("data"), "--Identity:Issuer", url]);
        using var http = new HttpClient { BaseAddress = new Uri(url) };
        await Deadline.UntilAsync("identity answers", async () =>
        {
            try
            {
                return (await http.GetAsync("/.well-known/openid-configuration")).IsSuccessStatusCode ? "yes" : null;
            }
            catch (HttpRequestException)
            {
                return null;
            }
        });
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete })
        {
            using var request = new HttpRequestMessage(method, "/api/v1/applications");
            using var answer = await http.SendAsync(request);
            await answer.ShouldBeProblemAsync(404, "not-found");
        }
    }
}
