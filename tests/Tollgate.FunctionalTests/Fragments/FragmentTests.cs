using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Fragments;

/// <summary>Services that publish their own routes, through the management API of a real control plane, seen at real gateways.</summary>
public sealed class FragmentTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private StubUpstream _upstream = null!;
    private PublishingSite _site = null!;

    private HostProcess Control => _site.Control;
    private PortalPerson Admin => _site.Admin;
    private IReadOnlyList<Testing.GatewayProcess> Gateways => _site.Gateways;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync();
        _site = await PublishingSite.StartAsync(_folder.Write("ocelot.json", Gateway.Routes.File(Gateway.Routes.Route("/files/{rest}", "/files/{rest}", _upstream.Port))));
    }

    public async Task DisposeAsync()
    {
        await _site.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_service_publishes_its_routes_and_every_gateway_serves_them()
    {
        using (var made = await PutAsync("orders", Fragment("/orders/{rest}", "/v1/{rest}")))
        {
            made.StatusCode.ShouldBe(HttpStatusCode.Created);
            made.Headers.ETag!.Tag.ShouldBe("\"1\"");
            var body = await made.Content.ReadFromJsonAsync<JsonElement>();
            body.GetProperty("fragment").GetProperty("claims")[0].GetString().ShouldBe("/orders");
        }

        foreach (var gateway in Gateways) await UntilAsync(gateway, "/orders/a", HttpStatusCode.OK);
        _upstream.Seen.ShouldContain(call => call.Target == "/v1/a");

        using (var same = await PutAsync("orders", Fragment("/orders/{rest}", "/v1/{rest}")))
            (await same.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("changed").GetBoolean().ShouldBeFalse();
        using (var next = await PutAsync("orders", Fragment("/orders/{rest}", "/v2/{rest}"))) next.Headers.ETag!.Tag.ShouldBe("\"2\"");
        foreach (var gateway in Gateways)
            await Deadline.UntilAsync("the new version serves", async () =>
            {
                using var answer = await gateway.Http.GetAsync("/orders/b");
                return _upstream.Seen.Any(call => call.Target == "/v2/b");
            });

        (await Admin.GetAsync("/routes")).GetProperty("items").GetArrayLength().ShouldBe(1);
        (await Admin.GetAsync("/routes/orders")).GetProperty("content").GetString()!.ShouldContain("/v2/{rest}");
        var diff = (await Admin.GetAsync("/routes/orders/diff")).GetProperty("diff").GetString()!;
        diff.ShouldContain("-");
        diff.ShouldContain("+");
        (await Admin.GetAsync("/routes/orders/versions")).GetProperty("items").GetArrayLength().ShouldBe(2);

        (await Admin.PostAsync("/routes/orders/rollback", new { version = 1 })).GetProperty("fragment").GetProperty("version").GetInt64().ShouldBe(3);
        await Deadline.UntilAsync("the old version serves again", async () =>
        {
            using var answer = await Gateways[0].Http.GetAsync("/orders/c");
            return _upstream.Seen.Any(call => call.Target == "/v1/c");
        });

        await Admin.DeleteAsync("/routes/orders");
        foreach (var gateway in Gateways) await UntilAsync(gateway, "/orders/d", HttpStatusCode.NotFound);
        (await Gateways[0].Http.GetAsync("/files/x")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Who_comes_second_is_told_who_owns_the_path_and_nothing_else_changes()
    {
        (await PutAsync("orders", Fragment("/orders/{rest}", "/{rest}"))).StatusCode.ShouldBe(HttpStatusCode.Created);
        using var refused = await PutAsync("billing", Fragment("/orders/invoices/{id}", "/{id}"));
        await refused.ShouldBeProblemAsync(409, "route-conflict");
        var problem = await (await PutAsync("billing", Fragment("/orders/invoices/{id}", "/{id}"))).Content.ReadFromJsonAsync<JsonElement>();
        problem.GetProperty("owners").EnumerateArray().Select(owner => owner.GetString()).ShouldBe(["billing", "orders"]);
        problem.GetProperty("detail").GetString()!.ShouldContain("billing claims /orders/invoices (line 1), which orders owns with /orders (line 1).");
        (await PutAsync("billing", Fragment("/billing/{id}", "/{id}"))).StatusCode.ShouldBe(HttpStatusCode.Created);
        foreach (var path in new[] { "/orders/x", "/billing/x" }) await UntilAsync(Gateways[0], path, HttpStatusCode.OK);

        // What a gateway's own files own it serves from them, and leaves the fragment out alone.
        (await PutAsync("files", Fragment("/files/{rest}", "/stolen/{rest}"))).StatusCode.ShouldBe(HttpStatusCode.Created);
        await Deadline.UntilAsync("the gateway says so", () => Task.FromResult(Gateways[0].Process.Output.Contains("of files is left out")));
        (await Gateways[0].Http.GetAsync("/files/a")).StatusCode.ShouldBe(HttpStatusCode.OK);
        _upstream.Seen.ShouldNotContain(call => call.Target.StartsWith("/stolen"));
        (await Gateways[0].Http.GetAsync("/orders/y")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_cannot_go_live_is_refused_with_its_lines_and_what_serves_goes_on()
    {
        (await PutAsync("orders", Fragment("/orders/{rest}", "/{rest}"))).StatusCode.ShouldBe(HttpStatusCode.Created);
        using var broken = await PutAsync("orders", "{ \"Routes\": [\n { \"UpstreamPathTemplate\": \"orders\" } ] }");
        await broken.ShouldBeProblemAsync(422, "fragment-mistaken");
        var errors = (await (await PutAsync("orders", "{ \"Routes\": [\n { \"UpstreamPathTemplate\": \"orders\" } ] }")).Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors");
        errors.EnumerateArray().ShouldContain(error => error.GetProperty("line").GetInt32() == 2 && error.GetProperty("property").GetString() == "Routes[0].UpstreamPathTemplate");
        (await PutAsync("Orders!", Fragment("/o", "/"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await PutAsync("orders", Fragment("/orders/{rest}", "/v9/{rest}"), ifMatch: "7")).StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);

        var tried = await (await PutAsync("orders", Fragment("/orders/{rest}", "/v9/{rest}"), "?dryRun=true")).Content.ReadFromJsonAsync<JsonElement>();
        tried.GetProperty("diff").GetProperty("diff").GetString()!.ShouldContain("/v9/{rest}");
        (await Admin.GetAsync("/routes/orders")).GetProperty("version").GetProperty("version").GetInt64().ShouldBe(1);
        await UntilAsync(Gateways[1], "/orders/x", HttpStatusCode.OK);
    }

    [Fact]
    public async Task OnlyAdmins_of_the_platform_publish()
    {
        using var stranger = new PortalPerson(Control.PortalUrl, Control.Data.Path);
        using var anonymous = await stranger.Http.GetAsync("/api/v1/routes");
        anonymous.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        await stranger.JoinAsync();
        using var refused = await stranger.Http.PutAsync("/api/v1/routes/orders", new StringContent(Fragment("/orders", "/"), Encoding.UTF8, "application/json"));
        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_gateway_that_starts_without_itsControl_plane_serves_what_was_published()
    {
        (await PutAsync("orders", Fragment("/orders/{rest}", "/{rest}"))).StatusCode.ShouldBe(HttpStatusCode.Created);
        await UntilAsync(Gateways[0], "/orders/x", HttpStatusCode.OK);
        await Deadline.UntilAsync("the gateway has it on its disk", async () =>
        {
            var kept = await File.ReadAllTextAsync(Gateways[0].Data.File("feeds/routes.ndjson"));
            return kept.Contains("/orders/{rest}") && kept.LastIndexOf("\n#", StringComparison.Ordinal) > kept.LastIndexOf("/orders/{rest}", StringComparison.Ordinal);
        });
        await Gateways[0].Process.KillAsync();
        await Control.KillAsync();

        await Gateways[0].StartProcessAsync();
        (await Gateways[0].Http.GetAsync("/orders/x")).StatusCode.ShouldBe(HttpStatusCode.OK);

        await Control.StartProcessAsync();
        using var admin = new PortalPerson(Control.PortalUrl, Control.Data.Path);
        await admin.SignInAsync(HostProcess.AdminEmail, HostProcess.AdminPassword);
        await admin.DeleteAsync("/routes/orders");
        await UntilAsync(Gateways[0], "/orders/x", HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("a provider that no gateway has", "there is no provider")]
    [InlineData("services that no gateway finds", "ServiceDiscoveryProvider")]
    [InlineData("a path of the gateways' own files", "ocelot.json")]
    public async Task Where_routes_are_left_out_and_why_is_told_to_who_published_them(string names, string why)
    {
        var mistaken = names switch
        {
            "a provider that no gateway has" => Fragment("/orders/{rest}", "/{rest}").Replace("\"UpstreamPathTemplate\"", "\"AuthenticationOptions\": { \"AuthenticationProviderKey\": \"Nobody\" }, \"UpstreamPathTemplate\""),
            "services that no gateway finds" => """{ "Routes": [ { "UpstreamPathTemplate": "/orders/{rest}", "DownstreamPathTemplate": "/{rest}", "ServiceName": "orders" } ] }""",
            _ => Fragment("/files/orders", "/"),
        };
        (await PutAsync("orders", mistaken)).StatusCode.ShouldBe(HttpStatusCode.Created, "which providers the gateways have is not known here");
        var standing = await StandingAsync("left-out");
        standing.Length.ShouldBe(Gateways.Count);
        foreach (var gateway in standing)
        {
            gateway.GetProperty("gateway").GetString().ShouldNotBeNullOrEmpty();
            gateway.GetProperty("reasons").EnumerateArray().Single().GetString()!.ShouldContain(why);
            gateway.TryGetProperty("inForce", out var none).ShouldBe(none.ValueKind == JsonValueKind.Null);
        }

        (await PutAsync("orders", Fragment("/orders/{rest}", "/{rest}"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await StandingAsync("serves")).ShouldAllBe(gateway => gateway.GetProperty("inForce").GetInt64() == 2 && gateway.GetProperty("reasons").GetArrayLength() == 0);
        (await PutAsync("orders", mistaken)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await StandingAsync("serves-older")).ShouldAllBe(gateway => gateway.GetProperty("inForce").GetInt64() == 2 && gateway.GetProperty("version").GetInt64() == 3);
    }

    [Fact]
    public async Task Only_gateways_tell_how_routes_stand()
    {
        using var stranger = new HttpClient { BaseAddress = new Uri(Control.InternalUrl) };
        (await stranger.PostAsJsonAsync("/routes/standing", new { gateway = "gw", fragments = Array.Empty<object>() })).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        stranger.DefaultRequestHeaders.Authorization = new("Bearer", _site.Token);
        foreach (var wrong in new[] { "{", "[]", "{}", """{ "gateway": "", "fragments": [] }""", """{ "gateway": "gw", "fragments": [ { "service": "Not a name", "version": 1, "reasons": [] } ] }""" })
            (await stranger.PostAsync("/routes/standing", new StringContent(wrong, Encoding.UTF8, "application/json"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest, wrong);
    }

    // How the version in force stands, once both gateways say so.
    private async Task<JsonElement[]> StandingAsync(string state)
    {
        JsonElement[] gateways = [];
        await Deadline.UntilAsync($"every gateway says {state}", async () =>
        {
            gateways = [.. (await Admin.GetAsync("/routes/orders")).GetProperty("gateways").EnumerateArray()];
            return gateways.Length == Gateways.Count && gateways.All(gateway => gateway.GetProperty("state").GetString() == state);
        });
        return gateways;
    }

    private string Fragment(string upstream, string downstream) => Gateway.Routes.File(Gateway.Routes.Route(upstream, downstream, _upstream.Port));

    private async Task<HttpResponseMessage> PutAsync(string service, string fragment, string query = "", string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/v1/routes/{service}{query}") { Content = new StringContent(fragment, Encoding.UTF8, "application/json") };
        if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", $"\"{ifMatch}\"");
        return await Admin.Http.SendAsync(request);
    }

    private static Task UntilAsync(Testing.GatewayProcess gateway, string path, HttpStatusCode status) =>
        Deadline.UntilAsync($"{path} answers {status}", async () =>
        {
            using var answer = await gateway.Http.GetAsync(path);
            return answer.StatusCode == status;
        });
}
