using System.Net;
using System.Net.WebSockets;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Who may call, as an <c>ocelot.json</c> says it.</summary>
public sealed class OcelotSecurityTests : IAsyncLifetime
{
    private const string LongRole = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";

    private readonly TempFolder _folder = new();
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync();
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{string.Join(",\n",
                Route("/role", Tokens.Demanded + ", \"RouteClaimsRequirement\": { \"role\": \"admin\", \"tier\": \"2\" }"),
                Route("/long", Tokens.Demanded + $", \"RouteClaimsRequirement\": {{ \"{LongRole}\": \"admin\" }}"),
                Route("/either", Tokens.Demanded + ", \"RouteClaimsRequirement\": { \"role\": [ \"admin\", \"clerk\" ] }"),
                Route("/users/{id}", Tokens.Demanded + ", \"RouteClaimsRequirement\": { \"sub\": \"{id}\" }"),
                Route("/absent", Tokens.Demanded + ", \"RouteClaimsRequirement\": { \"sub\": \"{nothing}\" }"),
                Route("/nobody", "\"RouteClaimsRequirement\": { \"role\": \"admin\" }"),
                Route("/here", "\"SecurityOptions\": { \"IPAllowedList\": [ \"127.0.0.0/8\", \"::1\" ] }"),
                Route("/elsewhere", "\"SecurityOptions\": { \"IPAllowedList\": [ \"10.0.0.0/8\" ] }"),
                Route("/blocked", "\"SecurityOptions\": { \"IPBlockedList\": [ \"127.0.0.1-9\" ] }"),
                Route("/spared", "\"SecurityOptions\": { \"IPAllowedList\": [ \"127.0.0.1\" ], \"IPBlockedList\": [ \"127.0.0.0/255.0.0.0\" ], \"ExcludeAllowedFromBlocked\": true }"),
                Route("/headers", "\"UpstreamHeaderTemplates\": { \"X-Version\": \"v1\", \"X-Kind\": \"a.b\" }", "/both"),
                Route("/headers", "\"UpstreamHeaderTemplates\": { \"X-Version\": \"v1\" }", "/one"),
                Route("/headers", "", "/none"),
                Route("/tenant/{rest}", "\"UpstreamHeaderTemplates\": { \"X-Tenant\": \"t-{header:tenant}\" }", "/{tenant}/{rest}"),
                Route("/strict", "\"RouteIsCaseSensitive\": true, \"UpstreamHeaderTemplates\": { \"X-Version\": \"v1\" }"))}} ],
              {{Tokens.Provider}} }
            """));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Every_claim_that_a_route_requires_must_have_its_value()
    {
        (await _gateway.GetAsync("/role", Tokens.Bearer(new { role = "admin", tier = 2 }))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.GetAsync("/role", Tokens.Bearer(new { role = new[] { "clerk", "admin" }, tier = "2" }))).StatusCode.ShouldBe(HttpStatusCode.OK);
        await RefusedAsync("/role", new { role = "admin" });
        await RefusedAsync("/role", new { role = "Admin", tier = 2 });
        await RefusedAsync("/role", new { role = "administrator", tier = 2 });
        await RefusedAsync("/role", new { Role = "admin", tier = 2 });
        await (await _gateway.GetAsync("/role")).ShouldBeProblemAsync(401, "missing-credentials");
    }

    [Fact]
    public async Task A_claim_named_with_a_colon_is_required_like_any_other()
    {
        await RefusedAsync("/long", new { role = "clerk" });
        await RefusedAsync("/long", new { sub = "anybody" });
        (await _gateway.GetAsync("/long", Tokens.Bearer(new { role = "admin" }))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.GetAsync("/long", Tokens.Bearer(new Dictionary<string, string> { [LongRole] = "admin" }))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task One_of_several_values_is_enough()
    {
        (await _gateway.GetAsync("/either", Tokens.Bearer(new { role = "admin" }))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.GetAsync("/either", Tokens.Bearer(new { role = "clerk" }))).StatusCode.ShouldBe(HttpStatusCode.OK);
        await RefusedAsync("/either", new { role = "guest" });
    }

    [Fact]
    public async Task A_placeholder_compares_the_claim_with_the_path()
    {
        (await _gateway.GetAsync("/users/7", Tokens.Bearer(new { sub = "7" }))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.GetAsync("/users/a%40b", Tokens.Bearer(new { sub = "a@b" }))).StatusCode.ShouldBe(HttpStatusCode.OK);
        await RefusedAsync("/users/8", new { sub = "7" });
        await RefusedAsync("/absent", new { sub = "" });
        await RefusedAsync("/absent", new { sub = "{nothing}" });
    }

    [Fact]
    public async Task A_requirement_without_anybody_to_ask_is_met_by_nobody()
    {
        await (await _gateway.GetAsync("/nobody")).ShouldBeProblemAsync(403, "insufficient-scope");
        await RefusedAsync("/nobody", new { role = "admin" });
    }

    [Fact]
    public async Task A_preflight_is_not_asked_who_it_is()
    {
        foreach (var route in new[] { "/role", "/nobody" })
            (await _gateway.SendAsync(HttpMethod.Options, route)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await _gateway.SendAsync(HttpMethod.Options, "/blocked")).ShouldBeProblemAsync(403, "ip-not-allowed");
    }

    [Theory]
    [InlineData("/here", true)]
    [InlineData("/elsewhere", false)]
    [InlineData("/blocked", false)]
    [InlineData("/spared", true)]
    public async Task Addresses_are_allowed_and_blocked(string route, bool admitted)
    {
        var answer = await _gateway.GetAsync(route, ("X-Forwarded-For", admitted ? "203.0.113.9" : "10.0.0.1"));

        if (admitted) answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        else await answer.ShouldBeProblemAsync(403, "ip-not-allowed");
    }

    [Theory]
    [InlineData("/role", null, 401)]
    [InlineData("/role", "clerk", 403)]
    [InlineData("/blocked", null, 403)]
    public async Task An_upgrade_passes_the_same_stages_as_a_call(string route, string? role, int status)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        if (role is not null) socket.Options.SetRequestHeader("Authorization", $"Bearer {Tokens.Of(new { role })}");

        await Should.ThrowAsync<WebSocketException>(socket.ConnectAsync(new Uri($"ws://{_gateway.Address.Authority}{route}"), CancellationToken.None));

        ((int)socket.HttpStatusCode).ShouldBe(status);
        _upstream.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task Headers_choose_the_route_when_all_of_them_match()
    {
        await GoesToAsync("/both", ("X-Version", "V1"), ("X-Kind", "a.b"));
        await GoesToAsync("/one", ("X-Version", "v1"), ("X-Kind", "axb"));
        await GoesToAsync("/none", ("X-Version", "v12"));
        await GoesToAsync("/none", ("X-Version", "v1,v1"));
        await GoesToAsync("/none");
        await (await _gateway.GetAsync("/strict", ("X-Version", "V1"))).ShouldBeProblemAsync(404, "unknown-route");
        (await _gateway.GetAsync("/strict", ("X-Version", "v1"))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("t-acme", "/acme/x")]
    [InlineData("t-Acme", "/Acme/x")]
    [InlineData("t-a/../b", "/a%2F..%2Fb/x")]
    public async Task A_placeholder_of_a_header_fills_one_segment_of_the_path(string tenant, string target)
    {
        using var raw = await _gateway.GetAsync("/tenant/x", ("X-Tenant", tenant));

        raw.StatusCode.ShouldBe(HttpStatusCode.OK);
        _upstream.Seen.ShouldHaveSingleItem().Target.ShouldBe(target);
    }

    [Theory]
    [InlineData("t-", 404)]
    [InlineData("acme", 404)]
    [InlineData("t-..", 400)]
    public async Task A_header_that_does_not_match_or_climbs_is_refused(string tenant, int status)
    {
        ((int)(await _gateway.GetAsync("/tenant/x", ("X-Tenant", tenant))).StatusCode).ShouldBe(status);
        _upstream.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_global_lists_are_for_routes_without_their_own()
    {
        using var folder = new TempFolder();
        await using var gateway = await GatewayProcess.StartAsync(folder.Write("ocelot.json", $$"""
            { "Routes": [ {{Route("/global", "")}}, {{Route("/own", "\"SecurityOptions\": { \"IPBlockedList\": [ \"10.0.0.1\" ] }")}} ],
              "GlobalConfiguration": { "SecurityOptions": { "IPAllowedList": [ "10.0.0.0/8" ] } } }
            """));

        await (await gateway.GetAsync("/global")).ShouldBeProblemAsync(403, "ip-not-allowed");
        (await gateway.GetAsync("/own")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("\"SecurityOptions\": { \"IPAllowedList\": [ \"10.0.0.0/33\" ] }", "SecurityOptions.IPAllowedList")]
    [InlineData("\"SecurityOptions\": { \"IPBlockedList\": [ \"10.0.0\" ] }", "SecurityOptions.IPBlockedList")]
    [InlineData("\"RouteClaimsRequirement\": { \"role\": [] }", "RouteClaimsRequirement.role")]
    [InlineData("\"RouteClaimsRequirement\": { \"role\": { \"a\": \"b\" } }", "RouteClaimsRequirement.role")]
    [InlineData("\"UpstreamHeaderTemplates\": { \"X A\": \"b\" }", "UpstreamHeaderTemplates.X A")]
    public async Task What_cannot_be_read_stops_the_start(string property, string path)
    {
        await using var gateway = GatewayProcess.Launch("--config", _folder.Write("bad.json", Routes.File(Route("/a", property))), "--urls", "http://127.0.0.1:0");

        (await gateway.WaitForExitAsync()).ShouldBe(1);

        gateway.Output.ShouldContain($"Routes[0].{path}: ");
        gateway.Output.ShouldNotContain("Listening");
    }

    private async Task RefusedAsync(string target, object claims) =>
        await (await _gateway.GetAsync(target, Tokens.Bearer(claims))).ShouldBeProblemAsync(403, "insufficient-scope");

    private async Task GoesToAsync(string target, params (string, string)[] headers)
    {
        (await _gateway.GetAsync("/headers", headers)).StatusCode.ShouldBe(HttpStatusCode.OK);
        _upstream.Seen.Last().Target.ShouldBe(target);
    }

    private string Route(string upstream, string more, string downstream = "/") => Routes.Route(upstream, downstream, _upstream.Port, more);
}
