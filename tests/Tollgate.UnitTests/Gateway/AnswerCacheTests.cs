using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Cache;
using Tollgate.Testing;

namespace Tollgate.UnitTests.Gateway;

public sealed class AnswerCacheTests
{
    [Fact]
    public void It_never_holds_more_than_its_bytes_and_lets_go_of_what_was_not_asked_for()
    {
        var cache = new AnswerCache(1024 * 1024);
        var wanted = Key(0);
        cache.Keep(in wanted, Answer(10_000));
        for (var i = 1; i < 2000; i++)
        {
            var key = Key(i);
            cache.Keep(in key, Answer(10_000));
            cache.Find(in wanted);
        }

        cache.Bytes.ShouldBeLessThanOrEqualTo(1024 * 1024);
        cache.Count.ShouldBeGreaterThan(50);
        cache.Find(in wanted).ShouldNotBeNull();
    }

    [Fact]
    public void What_is_larger_than_its_share_is_not_kept()
    {
        var cache = new AnswerCache(1024 * 1024);
        var key = Key(1);
        cache.Keep(in key, Answer(1024 * 1024));

        cache.Find(in key).ShouldBeNull();
        cache.Bytes.ShouldBe(0);
    }

    [Fact]
    public void Answers_go_by_region_tag_and_address()
    {
        var cache = new AnswerCache(1024 * 1024);
        var (one, two, three) = (Key(1), Key(2), new CacheKey(Key(2).Address, 99));
        cache.Keep(in one, Answer(1) with { Region = "A" });
        cache.Keep(in two, Answer(1) with { Region = "B", Tags = ["x", "y"] });
        cache.Keep(in three, Answer(1) with { Region = "B" });

        cache.ForgetRegion("a").ShouldBe(1);
        cache.ForgetTag("Y").ShouldBe(1);
        cache.ForgetTag("Y").ShouldBe(0);
        cache.ForgetAddress(Key(2).Address);
        cache.Count.ShouldBe(0);
        cache.Bytes.ShouldBe(0);
    }

    [Fact]
    public void One_fetches_and_the_others_wait_for_it()
    {
        var cache = new AnswerCache(1024 * 1024);
        var key = Key(1);

        cache.TryFetch(in key, out _).ShouldBeTrue();
        cache.TryFetch(in key, out var fetched).ShouldBeFalse();
        fetched.IsCompleted.ShouldBeFalse();
        cache.Fetched(in key);
        fetched.IsCompleted.ShouldBeTrue();
        cache.TryFetch(in key, out _).ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_many_who_ask_at_once_one_fetches_however_soon_the_answer_is_there(bool byHeaders)
    {
        var cache = new AnswerCache(1024 * 1024);
        var rule = new CacheRule { TtlMs = 600_000, Http = byHeaders ? new HttpCacheRule(600_000, null, 0, 0, "", ObeysCallers: true) : null };
        for (var round = 0; round < 10_000; round++)
        {
            var fetches = 0;
            await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
            {
                var http = new DefaultHttpContext { Request = { Method = "GET" }, Response = { Body = Stream.Null } };
                using var visit = (await CacheVisit.StartAsync(cache, rule, http.Request, $"http://api/{round}", "", TimeProvider.System, Deadline.Default, default))!;
                if (visit.Answer is not null) return;
                Interlocked.Increment(ref fetches);
                using var message = new HttpResponseMessage { RequestMessage = new HttpRequestMessage(HttpMethod.Get, "http://service/") };
                visit.Record(http, message);
                visit.Finish(http.Request);
            })));
            fetches.ShouldBe(1, $"round {round}");
        }
    }

    [Theory]
    [InlineData("max-age=60", "max-age", 60L)]
    [InlineData("MAX-AGE=\"60\", private=\"a, b\"", "max-age", 60L)]
    [InlineData("max-age=soon", "max-age", 0L)]
    [InlineData("max-age=99999999999999999999", "max-age", 0L)]
    [InlineData("no-store", "max-age", null)]
    public void Directives_are_read_with_care(string header, string name, long? seconds) => new CacheDirectives(header).Seconds(name).ShouldBe(seconds);

    private static CacheKey Key(int number) => new(CacheKey.Digest($"{number}"), 1);

    private static CachedAnswer Answer(int bytes) => new() { Status = 200, Body = new byte[bytes] };
}
