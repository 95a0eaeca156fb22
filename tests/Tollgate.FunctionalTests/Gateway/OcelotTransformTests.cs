using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>What an <c>ocelot.json</c> changes of calls and answers.</summary>
public sealed class OcelotTransformTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(Echo);
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{string.Join(",\n",
                Route("/request", "\"UpstreamHeaderTransform\": { \"X-Set\": \"mine\", \"X-Text\": \"old, new\", \"X-Absent\": \"a, b\", \"X-Ip\": \"{RemoteIpAddress}\", \"X-Base\": \"{BaseUrl}\", \"X-Upstream\": \"{UpstreamHost}\", \"X-Trace\": \"{TraceId}\", \"X-What\": \"{Nothing}\", \"Content-Type\": \"json, xml\", \"Host\": \"other.example\", \"Connection\": \"close\", \"X-Shared\": \"route\" }"),
                Route("/answer", "\"DownstreamHeaderTransform\": { \"X-Added\": \"mine\", \"X-Own\": \"mine\", \"X-List\": \"one, two\", \"Location\": \"{DownstreamBaseUrl}, {BaseUrl}\" }"),
                Route("/method", "\"DownstreamHttpMethod\": \"Post\"", "/m"),
                Route("/toget", "\"DownstreamHttpMethod\": \"GET\"", "/m"),
                Route("/claims/{id}", Tokens.Demanded + """
                    , "AddClaimsToRequest": { "tenant": "Claims[sub] > value[0] > |" }, "RouteClaimsRequirement": { "tenant": "acme" },
                      "AddHeadersToRequest": { "X-User": "Claims[sub] > value[1] > |", "X-Roles": "Claims[http://schemas.microsoft.com/ws/2008/06/identity/claims/role] > value", "X-Tenant": "Claims[tenant] > value" },
                      "AddQueriesToRequest": { "user": "Claims[sub] > value[1] > |" }, "ChangeDownstreamPathTemplate": { "user": "Claims[sub] > value[1] > |", "id": "Claims[tenant] > value" }
                    """, "/{user}/{id}"),
                Route("/unread", Tokens.Demanded + """
                    , "AddHeadersToRequest": { "X-User": "Claims[sub]", "X-Partner": "{Partner}", "X-Whole": "Claims[sub] > value[1]" }
                    """, "/unread"),
                Route("/other", ""))}} ],
              "GlobalConfiguration": { "BaseUrl": "https://api.example.com",
                "UpstreamHeaderTransform": { "X-Shared": "global", "X-Global": "yes" }, "DownstreamHeaderTransform": { "X-Gateway": "yes" } },
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
    public async Task Headers_that_are_sent_on_are_set_and_rewritten()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/request") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        foreach (var (name, value) in new[] { ("X-Set", "theirs"), ("X-Text", "an old, old text"), ("X-What", "theirs"), ("X-Request-Id", "r-1") }) request.Headers.Add(name, value);

        var seen = await ReadAsync(await _gateway.Client.SendAsync(request));

        var headers = seen.GetProperty("headers");
        foreach (var (name, value) in new[]
        {
            ("x-set", "mine"), ("x-text", "an new, new text"), ("x-ip", "127.0.0.1"), ("x-base", "https://api.example.com"), ("x-upstream", _gateway.Address.Authority),
            ("x-trace", "r-1"), ("content-type", "application/xml; charset=utf-8"), ("host", "other.example"), ("x-shared", "route"), ("x-global", "yes"),
        })
            headers.GetProperty(name).GetString().ShouldBe(value, name);
        foreach (var name in new[] { "x-absent", "x-what", "connection" }) headers.TryGetProperty(name, out _).ShouldBeFalse(name);
        seen.GetProperty("body").GetString().ShouldBe("{}");
        await _gateway.WaitForLineAsync(line => line.Contains("UpstreamHeaderTransform.Connection: "));
    }

    [Fact]
    public async Task Headers_of_answers_are_added_and_rewritten_and_the_services_own_win()
    {
        var answer = await _gateway.GetAsync("/answer");

        answer.Headers.GetValues("X-Added").ShouldBe(["mine"]);
        answer.Headers.GetValues("X-Own").ShouldBe(["service"]);
        answer.Headers.GetValues("X-List").ShouldBe(["two", "one"]);
        answer.Headers.GetValues("Location").ShouldBe(["https://api.example.com/items/5"]);
        answer.Headers.GetValues("X-Gateway").ShouldBe(["yes"]);
        (await _gateway.GetAsync("/answer?fail")).Headers.GetValues("X-Added").ShouldBe(["mine"], "also on the service's errors");
        (await _gateway.GetAsync("/nowhere")).Headers.Contains("X-Gateway").ShouldBeFalse("not on the gateway's");
    }

    [Fact]
    public async Task The_method_is_replaced_and_the_body_kept()
    {
        (await ReadAsync(await _gateway.GetAsync("/method"))).GetProperty("method").GetString().ShouldBe("POST");

        var seen = await ReadAsync(await _gateway.Client.PostAsync("/toget", new StringContent("kept")));
        seen.GetProperty("method").GetString().ShouldBe("GET");
        seen.GetProperty("body").GetString().ShouldBe("kept");
    }

    [Fact]
    public async Task What_a_token_says_reaches_headers_query_and_path_in_place_of_what_the_caller_sent()
    {
        var answer = await _gateway.GetAsync("/claims/9?user=forged&x=1", Tokens.Bearer(new { sub = "acme|a/b c", role = new[] { "r1", "r2" } }),
            ("X-User", "forged"), ("x-tenant", "forged"));

        var seen = await ReadAsync(answer);
        seen.GetProperty("target").GetString().ShouldBe("/a%2Fb%20c/acme?x=1&user=a%2Fb%20c");
        seen.GetProperty("headers").GetProperty("x-user").GetString().ShouldBe("a/b c");
        seen.GetProperty("headers").GetProperty("x-roles").GetString().ShouldBe("r1,r2");
        seen.GetProperty("headers").GetProperty("x-tenant").GetString().ShouldBe("acme");
    }

    [Fact]
    public async Task A_header_whose_claim_cannot_be_read_comes_from_nobody_and_one_without_a_claim_from_the_caller()
    {
        var headers = (await ReadAsync(await _gateway.GetAsync("/unread", Tokens.Bearer(new { sub = "acme|a" }), ("X-User", "forged"), ("X-Partner", "p"), ("X-Whole", "forged")))).GetProperty("headers");

        headers.TryGetProperty("x-user", out _).ShouldBeFalse();
        headers.GetProperty("x-partner").GetString().ShouldBe("p");
        headers.GetProperty("x-whole").GetString().ShouldBe("acme|a", "no delimiter is written: it is the whole value, as in Ocelot");
    }

    [Theory]
    [InlineData("acme", "r", "no second part")]
    [InlineData("acme|", "r", "an empty one")]
    [InlineData("acme|..", "r", "one that climbs")]
    [InlineData("acme|a\r\nX-Admin: 1", "r", "one that breaks the line")]
    [InlineData("acme|a", null, "no role")]
    [InlineData("other|a", "r", "another tenant")]
    public async Task A_token_that_lacks_what_is_sent_on_is_403(string sub, string? role, string why)
    {
        object claims = role is null ? new { sub } : new { sub, role };

        await (await _gateway.GetAsync("/claims/9", Tokens.Bearer(claims))).ShouldBeProblemAsync(403, "insufficient-scope");
        _upstream.Seen.ShouldBeEmpty(why);
    }

    [Fact]
    public async Task A_preflight_carries_nothing_that_only_a_token_may_say()
    {
        var seen = await ReadAsync(await _gateway.SendAsync(HttpMethod.Options, "/claims/9?user=forged", ("X-User", "forged")));

        seen.GetProperty("headers").TryGetProperty("x-user", out _).ShouldBeFalse();
        seen.GetProperty("target").GetString().ShouldBe("//9");
    }

    [Theory]
    [InlineData("\"AddQueriesToRequest\": { \"user\": \"Claims[sub]\" }", "AddQueriesToRequest.user")]
    [InlineData("\"ChangeDownstreamPathTemplate\": { \"a\": \"Claims[sub] > value[x] > |\" }", "ChangeDownstreamPathTemplate.a")]
    [InlineData("\"UpstreamHeaderTransform\": { \"X A\": \"b\" }", "UpstreamHeaderTransform.X A")]
    [InlineData("\"DownstreamHeaderTransform\": { \"X-A\": \"b\\r\\nX-B: c\" }", "DownstreamHeaderTransform.X-A")]
    [InlineData("\"DownstreamHttpMethod\": \"G ET\"", "DownstreamHttpMethod")]
    public async Task What_cannot_be_read_stops_the_start(string property, string path)
    {
        await using var gateway = GatewayProcess.Launch("--config", _folder.Write("bad.json", Routes.File(Route("/a", property))), "--urls", "http://127.0.0.1:0");

        (await gateway.WaitForExitAsync()).ShouldBe(1);

        gateway.Output.ShouldContain($"Routes[0].{path}: ");
    }

    private string Route(string upstream, string more, string downstream = "/") => Routes.Route(upstream, downstream, _upstream.Port, more);

    private async Task Echo(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers["X-Own"] = "service";
        headers["X-List"] = new[] { "one", "one" };
        headers.Location = $"http://127.0.0.1:{http.Connection.LocalPort}/items/5";
        if (http.Request.QueryString.Value == "?fail") http.Response.StatusCode = StatusCodes.Status500InternalServerError;
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync();
        await http.Response.WriteAsJsonAsync(new
        {
            method = http.Request.Method,
            target = http.Features.Get<IHttpRequestFeature>()!.RawTarget,
            headers = http.Request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString()),
            body,
        });
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement.Clone();
    }
}
