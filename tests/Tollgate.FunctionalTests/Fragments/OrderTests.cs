using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Fragments;

/// <summary>What is said once at the control plane and done by every gateway: kept answers, draining hosts, products' documents. And who said it.</summary>
public sealed class OrderTests : IClassFixture<OrderTests.Site>
{
    private readonly Site _site;

    public OrderTests(Site site) => _site = site;

    public sealed class Site : IAsyncLifetime
    {
        private readonly TempFolder _folder = new();
        private PublishingSite _site = null!;
        private int _answers;

        internal StubUpstream Upstream { get; private set; } = null!;
        internal StubUpstream Second { get; private set; } = null!;
        internal IReadOnlyList<Testing.GatewayProcess> Gateways => _site.Gateways;
        internal HostProcess Control => _site.Control;
        internal PortalPerson Admin => _site.Admin;

        public async Task InitializeAsync()
        {
            Upstream = await StubUpstream.StartAsync(AnswerAsync);
            Second = await StubUpstream.StartAsync(AnswerAsync);
            _site = await PublishingSite.StartAsync(_folder.Write("ocelot.json", Gateway.Routes.File(
                Gateway.Routes.Route("/kept/{rest}", "/{rest}", Upstream.Port, "\"CacheOptions\": { \"TtlSeconds\": 600, \"Region\": \"shop\" }"),
                Gateway.Routes.Route("/tagged/{rest}", "/{rest}", Upstream.Port, "\"Tollgate\": { \"Cache\": { \"TtlSeconds\": 600, \"Tags\": [ \"red\", \"a/b\" ] } }"),
                Gateway.Routes.Route("/two", "/port", [Upstream.Port, Second.Port], "\"LoadBalancerOptions\": { \"Type\": \"RoundRobin\" }"),
                Gateway.Routes.Route("/weather/v1/{rest}", "/{rest}", Upstream.Port, "\"Tollgate\": { \"Product\": \"weather\", \"Validation\": { \"OpenApi\": \"product\" } }"))));
        }

        public async Task DisposeAsync()
        {
            await _site.DisposeAsync();
            await Upstream.DisposeAsync();
            await Second.DisposeAsync();
            _folder.Dispose();
        }

        private Task AnswerAsync(HttpContext http) =>
            http.Response.WriteAsync(http.Request.Path == "/port" ? $"{http.Connection.LocalPort}" : $"{Interlocked.Increment(ref _answers)}");
    }

    [Theory]
    [InlineData("/kept/a", "/cache/regions/shop", "region shop")]
    [InlineData("/tagged/b", "/cache/tags/RED", "tag RED")]
    [InlineData("/tagged/c", "/cache/tags/a%2Fb", "tag a/b")]
    [InlineData("/tagged/d", "/cache", "everything")]
    public async Task Kept_answers_are_thrown_away_on_every_gateway_and_it_is_noted_who_said_so(string path, string order, string target)
    {
        var kept = new List<string>();
        foreach (var gateway in _site.Gateways) kept.Add(await TextAsync(gateway, path));
        for (var i = 0; i < 2; i++) (await TextAsync(_site.Gateways[i], path)).ShouldBe(kept[i]);

        (await _site.Admin.Http.DeleteAsync("/api/v1" + order)).StatusCode.ShouldBe(HttpStatusCode.Accepted);

        for (var i = 0; i < 2; i++) await Deadline.UntilAsync("the answer is another", async () => await TextAsync(_site.Gateways[i], path) != kept[i]);
        await UntilNotedAsync("cache.purged", target);
    }

    [Fact]
    public async Task A_host_drains_on_every_gateway_also_after_a_restart_until_it_is_resumed()
    {
        var host = $"127.0.0.1:{_site.Upstream.Port}";
        var drained = await _site.Admin.PostAsync($"/destinations/{host}/drain", new { });
        drained.GetProperty("draining")[0].GetString().ShouldBe(host);
        foreach (var gateway in _site.Gateways) await UntilPortsAsync(gateway, _site.Second.Port);
        await Deadline.UntilAsync("the gateway has the order on its disk", async () =>
        {
            var kept = await File.ReadAllTextAsync(_site.Gateways[1].Data.File("feeds/routes.ndjson"));
            return kept.Contains(host) && kept.LastIndexOf("\n#", StringComparison.Ordinal) > kept.LastIndexOf(host, StringComparison.Ordinal);
        });

        await _site.Gateways[1].Process.KillAsync();
        await _site.Gateways[1].StartProcessAsync();
        for (var i = 0; i < 6; i++) (await TextAsync(_site.Gateways[1], "/two")).ShouldBe($"{_site.Second.Port}");

        await _site.Admin.PostAsync($"/destinations/{host}/resume", new { });
        foreach (var gateway in _site.Gateways) await UntilPortsAsync(gateway, _site.Upstream.Port, _site.Second.Port);
        (await _site.Admin.GetAsync("/destinations")).GetProperty("draining").GetArrayLength().ShouldBe(0);
        await UntilNotedAsync("destination.drained", host);
        await UntilNotedAsync("destination.resumed", host);

        foreach (var nonsense in new[] { "/destinations/orders/drain", "/destinations/a%20b:80/drain", "/destinations/h:99999/drain" })
            (await _site.Admin.Http.PostAsJsonAsync("/api/v1" + nonsense, new { })).StatusCode.ShouldBe(HttpStatusCode.BadRequest, nonsense);
        (await _site.Admin.Http.PostAsJsonAsync("/api/v1/destinations/h:80/resume", new { })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Who_publishes_routes_stands_in_the_audit_log_and_so_does_who_was_refused()
    {
        (await PublishAsync("audited", "/audited/{x}")).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await PublishAsync("thief", "/audited/mine")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        await _site.Admin.DeleteAsync("/routes/audited");

        await UntilNotedAsync("routes.published", "audited v1");
        await UntilNotedAsync("routes.publish.refused", "thief");
        await UntilNotedAsync("routes.removed", "audited");
        var noted = (await _site.Admin.GetAsync("/admin/audit?action=routes.published")).GetProperty("items")[0];
        noted.GetProperty("actorName").GetString().ShouldBe(HostProcess.AdminEmail);
    }

    [Fact]
    public async Task Only_those_who_may_publish_routes_give_orders()
    {
        using var stranger = new PortalPerson(_site.Control.PortalUrl, _site.Control.Data.Path);
        (await stranger.Http.DeleteAsync("/api/v1/cache/regions/shop")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        await stranger.JoinAsync();
        (await stranger.Http.DeleteAsync("/api/v1/cache/regions/shop")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await stranger.Http.PostAsJsonAsync("/api/v1/destinations/h:80/drain", new { })).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Calls_are_held_against_the_document_of_their_product_as_it_is_in_the_catalogue()
    {
        using var developer = new PortalPerson(_site.Control.PortalUrl, _site.Control.Data.Path);
        await developer.JoinAsync();
        var key = (await developer.SubscribeAsync("business")).Key;
        await DescribeAsync("""
            openapi: 3.0.3
            info: { title: Weather, version: "2" }
            paths:
              /places:
                post:
                  requestBody:
                    required: true
                    content:
                      application/json:
                        schema: { type: object, required: [ name ], properties: { name: { type: string } } }
                  responses: { "200": { description: done } }
            """);
        var gateway = _site.Gateways[0];
        await UntilPostedAsync(gateway, key, "{ \"name\": 5 }", HttpStatusCode.UnprocessableEntity);
        using (var refused = await PostAsync(gateway, key, "{ \"name\": 5 }"))
        {
            var problem = await refused.Content.ReadFromJsonAsync<JsonElement>();
            problem.GetProperty("errors")[0].GetProperty("pointer").GetString().ShouldBe("/name");
        }

        await UntilPostedAsync(gateway, key, "{ \"name\": \"Bern\" }", HttpStatusCode.OK);

        // It is known across a restart, and changes without a word to the gateway.
        await gateway.Process.KillAsync();
        await gateway.StartProcessAsync();
        await UntilPostedAsync(gateway, key, "{ \"name\": 5 }", HttpStatusCode.UnprocessableEntity);
        await DescribeAsync("""{ "openapi": "3.0.3", "paths": { "/places": { "post": { "requestBody": { "content": { "application/json": { "schema": { "type": "object", "properties": { "name": { "type": "integer" } } } } } } } } } }""");
        await UntilPostedAsync(gateway, key, "{ \"name\": 5 }", HttpStatusCode.OK);
        await UntilPostedAsync(gateway, key, "{ \"name\": \"Bern\" }", HttpStatusCode.UnprocessableEntity);

        // What must be checked and cannot be is not let through.
        await DescribeAsync("");
        await UntilPostedAsync(gateway, key, "{ \"name\": 5 }", HttpStatusCode.ServiceUnavailable);
    }

    private Task DescribeAsync(string document) =>
        _site.Admin.PutAsync("/admin/products/weather", new { title = "Weather", description = "", basePath = "/weather/v1", openApi = document, isPublished = true });

    private static async Task<HttpResponseMessage> PostAsync(Testing.GatewayProcess gateway, string key, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/weather/v1/places") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("X-Api-Key", key);
        return await gateway.Http.SendAsync(request);
    }

    private static Task UntilPostedAsync(Testing.GatewayProcess gateway, string key, string body, HttpStatusCode status) =>
        Deadline.UntilAsync($"{body} is answered with {status}", async () =>
        {
            using var answer = await PostAsync(gateway, key, body);
            return answer.StatusCode == status;
        });

    private Task<HttpResponseMessage> PublishAsync(string service, string path) =>
        _site.Admin.Http.PutAsync($"/api/v1/routes/{service}", new StringContent(Gateway.Routes.File(Gateway.Routes.Route(path, "/", _site.Upstream.Port)), Encoding.UTF8, "application/json"));

    private Task UntilNotedAsync(string action, string target) =>
        Deadline.UntilAsync($"{action} of {target} is noted", async () =>
            (await _site.Admin.GetAsync($"/admin/audit?action={action}")).GetProperty("items").EnumerateArray().Any(one => one.GetProperty("target").GetString() == target));

    private static Task UntilPortsAsync(Testing.GatewayProcess gateway, params int[] ports) =>
        Deadline.UntilAsync($"calls go to {string.Join(", ", ports)}", async () =>
        {
            var seen = new HashSet<string>();
            for (var i = 0; i < 6; i++) seen.Add(await TextAsync(gateway, "/two"));
            return seen.SetEquals(ports.Select(port => $"{port}"));
        });

    private static async Task<string> TextAsync(Testing.GatewayProcess gateway, string path)
    {
        using var answer = await gateway.Http.GetAsync(path);
        return await answer.Content.ReadAsStringAsync();
    }
}
