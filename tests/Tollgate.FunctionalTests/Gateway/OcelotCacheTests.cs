using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Answers that are kept as an <c>ocelot.json</c> says it: every method and status, for a fixed time, told apart by address, header and body.</summary>
public sealed class OcelotCacheTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private int _served;
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(async http =>
        {
            var number = Interlocked.Increment(ref _served);
            http.Response.StatusCode = http.Request.Query.TryGetValue("status", out var status) ? int.Parse(status!) : 200;
            http.Response.Headers["X-Number"] = $"{number}";
            if (http.Request.Query.ContainsKey("cookie")) http.Response.Headers.SetCookie = $"session={number}";
            if (http.Request.Query.ContainsKey("gzip") && http.Request.Headers.AcceptEncoding == "gzip") http.Response.Headers.ContentEncoding = "gzip";
            await http.Response.WriteAsync($"{number}");
        });
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{string.Join(",\n",
                Route("/old/{rest}", "\"FileCacheOptions\": { \"TtlSeconds\": 60, \"Region\": \"old\" }, \"CacheOptions\": { \"TtlSeconds\": 0 }"),
                Route("/new/{rest}", "\"CacheOptions\": { \"TtlSeconds\": 60, \"Region\": \"new\", \"Header\": \"X-Mode\" }, \"DownstreamHeaderTransform\": { \"X-Added\": \"{TraceId}\" }"),
                Route("/body", "\"CacheOptions\": { \"TtlSeconds\": 60, \"EnableContentHashing\": true }"),
                Route("/short", "\"CacheOptions\": { \"TtlSeconds\": 1 }"),
                Route("/private", $"\"CacheOptions\": {{ \"TtlSeconds\": 60 }}, {Tokens.Demanded}"),
                Route("/global", "\"Key\": \"global\""),
                Route("/named", "\"Key\": \"named\", \"CacheOptions\": { \"Region\": \"own\" }"),
                Route("/never", "\"Key\": \"never\""))}} ],
              "GlobalConfiguration": { "CacheOptions": { "TtlSeconds": 60, "Region": "all", "RouteKeys": [ "global", "named" ] } },
              {{Tokens.Provider}} }
            """), "--internal", "http://127.0.0.1:0");
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task An_answer_is_given_again_for_the_same_address_method_and_header()
    {
        var first = await TextAsync("/old/a?x=1");
        (await TextAsync("/old/a?x=1")).ShouldBe(first);
        (await TextAsync("/old/a?x=2")).ShouldNotBe(first);
        (await TextAsync("/old/b?x=1")).ShouldNotBe(first);
        (await TextAsync("/old/a?x=1", null, ("Host", "other.example"))).ShouldNotBe(first, "another host is another address");

        var posted = await TextAsync("/old/a?x=1", HttpMethod.Post);
        posted.ShouldNotBe(first);
        (await TextAsync("/old/a?x=1", HttpMethod.Post)).ShouldBe(posted);

        var mode = await TextAsync("/new/a", null, ("X-Mode", "1"));
        (await TextAsync("/new/a", null, ("X-Mode", "1"))).ShouldBe(mode);
        (await TextAsync("/new/a", null, ("X-Mode", "2"))).ShouldNotBe(mode);
    }

    [Fact]
    public async Task Every_status_is_kept_and_headers_are_changed_on_kept_answers_too()
    {
        var first = await _gateway.GetAsync("/new/e?status=500");
        var second = await _gateway.GetAsync("/new/e?status=500");

        second.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        second.Headers.GetValues("X-Number").ShouldBe(first.Headers.GetValues("X-Number"));
        second.Headers.GetValues("X-Added").Single().ShouldNotBe(first.Headers.GetValues("X-Added").Single());
        second.Headers.GetValues("X-Added").ShouldBe(second.Headers.GetValues("X-Request-Id"));
    }

    [Fact]
    public async Task A_kept_answer_ends_with_its_time()
    {
        var first = await TextAsync("/short");
        await Deadline.UntilAsync("the answer is fetched again", async () => await TextAsync("/short") != first);
    }

    [Fact]
    public async Task The_body_tells_answers_apart_where_the_file_says_so()
    {
        var first = await PostAsync("one");
        (await PostAsync("one")).ShouldBe(first);
        (await PostAsync("two")).ShouldNotBe(first);

        async Task<string> PostAsync(string body) => await (await _gateway.Client.PostAsync("/body", new StringContent(body))).Content.ReadAsStringAsync();
    }

    [Fact]
    public async Task A_kept_answer_is_never_given_to_another_caller()
    {
        var ann = Tokens.Of(new { sub = "ann" });
        var bob = Tokens.Of(new { sub = "bob" });
        var first = await TextAsync("/private", null, ("Authorization", $"Bearer {ann}"));

        (await TextAsync("/private", null, ("Authorization", $"Bearer {ann}"))).ShouldBe(first);
        (await TextAsync("/private", null, ("Authorization", $"Bearer {bob}"))).ShouldNotBe(first);
        (await _gateway.GetAsync("/private")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        var open = await TextAsync("/new/who", null, ("Authorization", "Basic YTpi"));
        (await TextAsync("/new/who", null, ("Authorization", "Basic YTpj"))).ShouldNotBe(open);
        (await TextAsync("/new/c?cookie")).ShouldNotBe(await TextAsync("/new/c?cookie"));
    }

    [Fact]
    public async Task Who_takes_no_gzip_gets_none()
    {
        await _gateway.GetAsync("/new/z?gzip", ("Accept-Encoding", "gzip"));
        (await _gateway.GetAsync("/new/z?gzip")).Content.Headers.ContentEncoding.ShouldBeEmpty();
    }

    [Fact]
    public async Task Global_options_are_for_the_routes_that_they_name()
    {
        (await TextAsync("/global")).ShouldBe(await TextAsync("/global"));
        (await TextAsync("/named")).ShouldBe(await TextAsync("/named"));
        (await TextAsync("/never")).ShouldNotBe(await TextAsync("/never"));
    }

    [Fact]
    public async Task A_region_is_cleared_on_the_internal_port()
    {
        using var admin = new HttpClient { BaseAddress = await _gateway.InternalAddressAsync() };
        var old = await TextAsync("/old/r");
        var named = await TextAsync("/named");

        (await admin.DeleteAsync("/administration/outputcache/own")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await TextAsync("/old/r")).ShouldBe(old);
        (await TextAsync("/named")).ShouldNotBe(named);

        (await admin.DeleteAsync("/api/v1/cache/regions/OLD")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await TextAsync("/old/r")).ShouldNotBe(old);

        var last = await TextAsync("/old/r");
        (await admin.DeleteAsync("/api/v1/cache")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await TextAsync("/old/r")).ShouldNotBe(last);
    }

    private string Route(string template, string more) => Routes.Route(template, template, _upstream.Port, more);

    private async Task<string> TextAsync(string target, HttpMethod? method = null, params (string, string)[] headers)
    {
        var answer = await _gateway.SendAsync(method ?? HttpMethod.Get, target, headers);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await answer.Content.ReadAsStringAsync();
    }
}
