using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Answers that are kept as their own headers say (RFC 9111), where a route asks for it.</summary>
public sealed class HttpCacheTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly SemaphoreSlim _gate = new(0);
    private int _served;
    private volatile int _status = 200;
    private volatile string _etag = "\"1\"";
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(async http =>
        {
            if (http.Request.Path == "/slow") await _gate.WaitAsync(Deadline.Default);
            var number = Interlocked.Increment(ref _served);
            foreach (var (name, value) in http.Request.Query) http.Response.Headers[name] = value;
            if (http.Request.Path == "/tagged") http.Response.Headers.ETag = _etag;
            if (http.Request.Path == "/tagged" && http.Request.Headers.IfNoneMatch == _etag)
            {
                http.Response.StatusCode = 304;
                return;
            }

            http.Response.StatusCode = _status;
            if (http.Request.Method != "HEAD") await http.Response.WriteAsync(http.Request.Path == "/long" ? "0123456789" : $"{number}");
        });
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", Routes.File(
            Routes.Route("/{rest}", "/{rest}", _upstream.Port, "\"Tollgate\": { \"Cache\": { \"Region\": \"all\", \"Tags\": [ \"site\" ] } }"))), "--internal", "http://127.0.0.1:0");
    }

    public async Task DisposeAsync()
    {
        _gate.Release(1000);
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("bytes=2-4", null, 206, "bytes 2-4/10", "234")]
    [InlineData("bytes=7-", null, 206, "bytes 7-9/10", "789")]
    [InlineData("bytes=7-99", null, 206, "bytes 7-9/10", "789")]
    [InlineData("bytes=-3", null, 206, "bytes 7-9/10", "789")]
    [InlineData("bytes=-30", null, 206, "bytes 0-9/10", "0123456789")]
    [InlineData("bytes=10-", null, 416, "bytes */10", "")]
    [InlineData("bytes=0-1,4-5", null, 200, null, "0123456789")]
    [InlineData("bytes=4-2", null, 200, null, "0123456789")]
    [InlineData("lines=1-2", null, 200, null, "0123456789")]
    [InlineData("bytes=2-4", "\"x\"", 206, "bytes 2-4/10", "234")]
    [InlineData("bytes=2-4", "\"other\"", 200, null, "0123456789")]
    [InlineData("bytes=2-4", "W/\"x\"", 200, null, "0123456789")]
    public async Task A_part_is_given_of_what_is_kept_whole(string range, string? held, int status, string? part, string body)
    {
        const string Target = "/long?Cache-Control=max-age=60&ETag=%22x%22";
        await TextAsync(Target);
        (string, string)[] asked = held is null ? [("Range", range)] : [("Range", range), ("If-Range", held)];
        using var answer = await _gateway.GetAsync(Target, asked);
        ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync()).ShouldBe((status, body));
        (answer.Content.Headers.TryGetValues("Content-Range", out var said) ? said.Single() : null).ShouldBe(part);
        answer.Headers.GetValues("Cache-Status").Single().ShouldContain("hit");
        Volatile.Read(ref _served).ShouldBe(1);
    }

    [Fact]
    public async Task A_part_of_what_is_not_kept_is_the_services_and_not_kept()
    {
        await _gateway.GetAsync("/long?Cache-Control=max-age=60", ("Range", "bytes=2-4"));
        await TextAsync("/long?Cache-Control=max-age=60");
        Volatile.Read(ref _served).ShouldBe(2);
    }

    [Theory]
    [InlineData("Cache-Control=max-age=60", true)]
    [InlineData("Cache-Control=public,s-maxage=60,max-age=0", true)]
    [InlineData("Cache-Control=no-store,max-age=60", false)]
    [InlineData("Cache-Control=private,max-age=60", false)]
    [InlineData("Cache-Control=max-age=0", false)]
    [InlineData("Cache-Control=max-age=60&Age=61", false)]
    [InlineData("Cache-Control=max-age=60&Set-Cookie=a%3Db", false)]
    [InlineData("Cache-Control=max-age=60&Vary=*", false)]
    [InlineData("Expires=Fri,%2001%20Jan%202100%2000:00:00%20GMT", true)]
    [InlineData("X-Nothing=1", false)]
    public async Task The_answers_own_headers_say_whether_it_is_kept(string said, bool kept)
    {
        var first = await TextAsync($"/a?{said}");
        (await TextAsync($"/a?{said}") == first).ShouldBe(kept);
    }

    [Fact]
    public async Task A_kept_answer_tells_its_age_and_where_it_comes_from()
    {
        const string target = "/age?Cache-Control=max-age=60&Age=5";
        (await _gateway.GetAsync(target)).Headers.GetValues("Cache-Status").Single().ShouldContain("fwd=miss; stored");

        var kept = await _gateway.GetAsync(target);
        kept.Headers.Age!.Value.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(5));
        kept.Headers.GetValues("Cache-Status").Single().ShouldBe("Tollgate; hit");
    }

    [Fact]
    public async Task Answers_vary_by_the_headers_that_they_name()
    {
        const string target = "/vary?Cache-Control=max-age=60&Vary=Accept-Language";
        var english = await TextAsync(target, ("Accept-Language", "en"));
        var german = await TextAsync(target, ("Accept-Language", "de"));

        german.ShouldNotBe(english);
        (await TextAsync(target, ("Accept-Language", "en"))).ShouldBe(english);
        (await TextAsync(target, ("Accept-Language", "de"))).ShouldBe(german);
    }

    [Fact]
    public async Task An_old_answer_is_asked_after_and_given_again_while_it_holds()
    {
        const string target = "/tagged?Cache-Control=max-age=0";
        var first = await TextAsync(target);
        var again = await _gateway.GetAsync(target);
        (await again.Content.ReadAsStringAsync()).ShouldBe(first);
        again.Headers.GetValues("Cache-Status").Single().ShouldContain("fwd-status=304");
        _upstream.Seen.Last().Headers["If-None-Match"].ShouldBe("\"1\"");

        (await _gateway.GetAsync(target, ("If-None-Match", "\"1\""))).StatusCode.ShouldBe(HttpStatusCode.NotModified);

        _etag = "\"2\"";
        (await TextAsync(target)).ShouldNotBe(first);
    }

    [Fact]
    public async Task A_caller_that_holds_the_answer_is_told_so()
    {
        const string target = "/held?Cache-Control=max-age=60&ETag=W/%22x%22";
        await TextAsync(target);

        var held = await _gateway.GetAsync(target, ("If-None-Match", "\"y\", \"x\""));
        held.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        (await held.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
        (await _gateway.GetAsync(target, ("If-None-Match", "\"y\""))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.SendAsync(HttpMethod.Head, target)).Headers.GetValues("Cache-Status").Single().ShouldBe("Tollgate; hit");
    }

    [Fact]
    public async Task A_caller_may_refuse_what_is_kept_or_anything_else()
    {
        const string target = "/wish?Cache-Control=max-age=60";
        await (await _gateway.GetAsync(target, ("Cache-Control", "only-if-cached"))).ShouldBeProblemAsync(504, "upstream-timeout");
        var first = await TextAsync(target);
        (await TextAsync(target, ("Cache-Control", "only-if-cached"))).ShouldBe(first);
        (await TextAsync(target, ("Cache-Control", "no-store"))).ShouldNotBe(first);
        var second = await TextAsync(target, ("Cache-Control", "no-cache"));
        second.ShouldNotBe(first);
        (await TextAsync(target)).ShouldBe(second);
    }

    [Fact]
    public async Task An_old_answer_is_given_while_a_newer_one_is_fetched()
    {
        const string target = "/swr?Cache-Control=max-age=0,stale-while-revalidate=600";
        var first = await TextAsync(target);
        (await TextAsync(target)).ShouldBe(first);
        await Deadline.UntilAsync("the newer one is there", async () => await TextAsync(target) != first);
    }

    [Fact]
    public async Task An_old_answer_is_given_when_the_service_fails()
    {
        const string target = "/sie?Cache-Control=max-age=0,stale-if-error=600";
        var first = await TextAsync(target);
        _status = 503;
        (await TextAsync(target)).ShouldBe(first);
        await _upstream.DisposeAsync();
        (await TextAsync(target)).ShouldBe(first);
        (await _gateway.GetAsync("/other")).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
    }

    [Fact]
    public async Task Many_callers_of_one_answer_cost_the_service_one_call()
    {
        var calls = Enumerable.Range(0, 20).Select(_ => TextAsync("/slow?Cache-Control=max-age=60")).ToArray();
        await Deadline.UntilAsync("one call is under way", () => Task.FromResult(!_upstream.Seen.IsEmpty));
        _gate.Release();

        (await Task.WhenAll(calls)).Distinct().ShouldHaveSingleItem();
        _upstream.Seen.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_change_throws_away_what_is_kept_and_so_do_tags()
    {
        const string target = "/changed?Cache-Control=max-age=60&Cache-Tag=orders,%20o-7";
        using var admin = new HttpClient { BaseAddress = await _gateway.InternalAddressAsync() };
        var first = await TextAsync(target);
        (await _gateway.SendAsync(HttpMethod.Post, target)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var second = await TextAsync(target);
        second.ShouldNotBe(first);

        (await (await admin.DeleteAsync("/api/v1/cache/tags/o-7")).Content.ReadAsStringAsync()).ShouldBe("""{"removed":1}""");
        var third = await TextAsync(target);
        third.ShouldNotBe(second);
        await admin.DeleteAsync("/api/v1/cache/tags/site");
        (await TextAsync(target)).ShouldNotBe(third);
    }

    private async Task<string> TextAsync(string target, params (string, string)[] headers)
    {
        var answer = await _gateway.GetAsync(target, headers);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await answer.Content.ReadAsStringAsync();
    }
}
