using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Who may call, as <c>AuthenticationOptions</c> of routes and of the whole file say it.</summary>
public sealed class OcelotAuthenticationTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(http => http.Response.WriteAsync("in"));
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{string.Join(",\n",
                Route("/old", "\"AuthenticationOptions\": { \"AuthenticationProviderKey\": \"Key1\" }"),
                Route("/several", "\"AuthenticationOptions\": { \"AuthenticationProviderKey\": \"Other\", \"AuthenticationProviderKeys\": [ \"Key1\" ] }"),
                Route("/scoped", "\"AuthenticationOptions\": { \"AuthenticationProviderKeys\": [ \"Key1\" ], \"AllowedScopes\": [ \"read\", \"admin\" ] }"),
                Route("/global", "\"Key\": \"global\""),
                Route("/free", "\"Key\": \"free\", \"AuthenticationOptions\": { \"AllowAnonymous\": true }"),
                Route("/merged", "\"Key\": \"merged\", \"AuthenticationOptions\": { \"AllowedScopes\": [ \"write\" ] }"),
                Route("/outside", "\"Key\": \"outside\""))}} ],
              "GlobalConfiguration": { "AuthenticationOptions": { "AuthenticationProviderKeys": [ "Key1" ], "AllowedScopes": [ "read" ], "RouteKeys": [ "global", "free", "merged" ] } },
              {{Tokens.Provider.Replace("\"Providers\": {", "\"Providers\": { \"Other\": { \"HS256Secret\": \"the secret of somebody else, long enough too\" },")}} }
            """));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("/old", null, 401)]
    [InlineData("/old", "any", 200)]
    [InlineData("/several", "any", 200)]            // the first provider that takes it
    [InlineData("/scoped", "read", 200)]            // any one scope in common
    [InlineData("/scoped", "other admin", 200)]
    [InlineData("/scoped", "reader", 403)]
    [InlineData("/scoped", "", 403)]
    [InlineData("/global", null, 401)]
    [InlineData("/global", "read", 200)]
    [InlineData("/global", "write", 403)]
    [InlineData("/free", null, 200)]
    [InlineData("/merged", null, 401)]              // merged property by property
    [InlineData("/merged", "read", 403)]
    [InlineData("/merged", "write", 200)]
    [InlineData("/outside", null, 200)]
    public async Task A_route_asks_for_the_token_and_scope_that_are_written(string target, string? scope, int status)
    {
        var answer = scope is null ? await _gateway.GetAsync(target) : await _gateway.GetAsync(target, Tokens.Bearer(new { sub = "ann", scope }));
        ((int)answer.StatusCode).ShouldBe(status);
        if (status == 401) answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("Bearer");
    }

    [Fact]
    public async Task A_token_with_several_scope_claims_has_them_all_and_one_that_is_past_none()
    {
        (await _gateway.GetAsync("/scoped", Tokens.Bearer(new { scope = new[] { "x", "read" } }))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.GetAsync("/scoped", Tokens.Bearer(new { scp = "read" }))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        var past = DateTimeOffset.UtcNow.AddSeconds(-30).ToUnixTimeSeconds();
        await (await _gateway.GetAsync("/old", Tokens.Bearer(new { exp = past }))).ShouldBeProblemAsync(401, "token-expired");
        (await _gateway.SendAsync(HttpMethod.Options, "/old")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_file_that_lets_everybody_in_may_ask_on_single_routes()
    {
        using var folder = new TempFolder();
        await using var gateway = await GatewayProcess.StartAsync(folder.Write("ocelot.json", $$"""
            { "Routes": [ {{Route("/asked", "\"AuthenticationOptions\": { \"AllowAnonymous\": false }")}}, {{Route("/open", "")}} ],
              "GlobalConfiguration": { "AuthenticationOptions": { "AllowAnonymous": true, "AuthenticationProviderKey": "Key1", "AllowedScopes": [ "read" ] } }, {{Tokens.Provider}} }
            """));

        (await gateway.GetAsync("/open")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await gateway.GetAsync("/asked")).ShouldBeProblemAsync(401, "missing-credentials");
        (await gateway.GetAsync("/asked", Tokens.Bearer(new { scope = "write" }))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await gateway.GetAsync("/asked", Tokens.Bearer(new { scope = "read" }))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private string Route(string template, string more) => Routes.Route(template, "/", _upstream.Port, more);
}
