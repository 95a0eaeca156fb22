using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>What a route's <c>Tollgate</c> block gives to browsers: CORS, compression, security headers, files.</summary>
public sealed class EdgeTests : IClassFixture<EdgeTests.Fixture>
{
    private static readonly string Large = string.Concat(Enumerable.Repeat("{\"word\":\"tollgate\"}", 500));

    private readonly TempFolder _folder;
    private readonly StubUpstream _upstream;
    private readonly GatewayProcess _gateway;
    private readonly TaskCompletionSource _release;

    public EdgeTests(Fixture fixture)
    {
        (_folder, _upstream, _gateway, _release) = (fixture.Folder, fixture.Upstream, fixture.Gateway, fixture.Release);
        _upstream.Seen.Clear();
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal TempFolder Folder { get; } = new();
        internal StubUpstream Upstream { get; private set; } = null!;
        internal GatewayProcess Gateway { get; private set; } = null!;
        internal TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task InitializeAsync()
        {
            Upstream = await StubUpstream.StartAsync(AnswerAsync);
            Directory.CreateDirectory(Folder.File("site/docs"));
            Folder.Write("site/index.html", "<h1>home</h1>");
            Folder.Write("site/docs/index.html", "<h1>docs</h1>");
            Folder.Write("site/app.js", "let a = 1;");
            Folder.Write("site/.secret", "hidden");
            Directory.CreateDirectory(Folder.File("site/.git"));
            Directory.CreateDirectory(Folder.File("site/.well-known"));
            Folder.Write("site/.git/config", "hidden");
            Folder.Write("site/.well-known/security.txt", "Contact: us");
            var outside = Folder.Write("outside.txt", "outside");
            File.CreateSymbolicLink(Folder.File("site/way-out.txt"), outside);
            File.CreateSymbolicLink(Folder.File("site/inside.js"), "app.js");
            var key = Convert.ToHexStringLower(SHA256.HashData("edge-key-of-a-customer"u8));
            var consumers = Folder.Write("consumers.json", $$"""
                { "plans": [ { "name": "gold", "products": [ "sold" ], "limits": [ { "name": "minute", "calls": 1000, "window": "60s" } ] } ],
                  "applications": [ { "name": "app", "organisation": "acme", "subscriptions": [ { "plan": "gold" } ], "keys": [ { "sha256": "{{key}}" } ] } ] }
                """);
            const string cors = "\"Cors\": { \"Origins\": [ \"https://app.example.com\", \"https://*.trusted.example\" ], \"Methods\": [ \"GET\", \"PUT\" ], \"Headers\": [ \"X-Api-Key\", \"Content-Type\" ], \"ExposedHeaders\": [ \"X-Own\" ], \"Credentials\": true, \"MaxAgeSeconds\": 300 }";
            Gateway = await GatewayProcess.StartAsync(
                Folder.Write("ocelot.json", $$"""
                    { "Routes": [
                        {{Routes.Route("/cors/{rest}", "/{rest}", Upstream.Port, $"\"UpstreamHttpMethod\": [ \"Get\", \"Put\", \"Delete\" ], \"Tollgate\": {{ \"Product\": \"sold\", {cors} }}")}},
                        {{Routes.Route("/open", "/cors", Upstream.Port, "\"Tollgate\": { \"Cors\": { \"Origins\": \"*\" } }")}},
                        {{Routes.Route("/own/{rest}", "/{rest}", Upstream.Port)}},
                        {{Routes.Route("/small/{rest}", "/{rest}", Upstream.Port, "\"Tollgate\": { \"Compression\": true, \"SecurityHeaders\": false }")}},
                        {{Routes.Route("/safe/{rest}", "/{rest}", Upstream.Port, "\"Tollgate\": { \"SecurityHeaders\": { \"X-Frame-Options\": \"SAMEORIGIN\", \"Content-Security-Policy\": \"default-src 'none'\", \"Referrer-Policy\": \"\" } }")}},
                        { "UpstreamPathTemplate": "/site/{file}", "Tollgate": { "StaticFiles": { "Folder": "site", "CacheSeconds": 60 }, "Compression": { "MinBytes": 1 } } },
                        { "UpstreamPathTemplate": "/spa/{file}", "Tollgate": { "StaticFiles": { "Folder": "site", "Fallback": "index.html" } } },
                        { "UpstreamPathTemplate": "/sold/{file}", "Tollgate": { "Product": "sold", "StaticFiles": { "Folder": "site" } } }
                      ],
                      "GlobalConfiguration": { "Tollgate": { "SecurityHeaders": true } } }
                    """),
                "--consumers", consumers);
        }

        public async Task DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await Upstream.DisposeAsync();
            Folder.Dispose();
        }

        private async Task AnswerAsync(HttpContext http)
        {
            var response = http.Response;
            response.Headers["X-Powered-By"] = "service";
            response.Headers.ETag = "\"1\"";
            switch (http.Request.Path.Value)
            {
                case "/cors":
                    response.Headers.AccessControlAllowOrigin = "https://service.example";
                    return;
                case "/large": await SendAsync("application/json; charset=utf-8", Large); return;
                case "/short": await SendAsync("application/json", "{}"); return;
                case "/image": await SendAsync("image/png", Large); return;
                case "/encoded":
                    response.Headers.ContentEncoding = "x-own";
                    await SendAsync("application/json", Large);
                    return;
                case "/kept":
                    response.Headers.CacheControl = "public, no-transform";
                    await SendAsync("application/json", Large);
                    return;
                case "/part":
                    response.StatusCode = 206;
                    response.Headers.ContentRange = $"bytes 0-{Large.Length - 1}/{Large.Length * 2}";
                    await SendAsync("application/json", Large);
                    return;
                case "/events" or "/lines":
                    var events = http.Request.Path == "/events";
                    response.ContentType = events ? "text/event-stream" : "application/x-ndjson";
                    await response.WriteAsync(events ? "data: 1\n\n" : "{\"line\":1}\n");
                    await response.Body.FlushAsync();
                    await Release.Task.WaitAsync(Deadline.Default, http.RequestAborted);
                    await response.WriteAsync(events ? "data: 2\n\n" : "{\"line\":2}\n");
                    return;
            }

            Task SendAsync(string type, string text)
            {
                response.ContentType = type;
                response.ContentLength = text.Length;
                return response.WriteAsync(text);
            }
        }
    }

    [Fact]
    public async Task A_preflight_is_answered_without_a_key_and_never_reaches_the_service()
    {
        var answer = await PreflightAsync("/cors/x", "https://app.example.com", "PUT", "x-api-key, content-type");

        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        One(answer, "Access-Control-Allow-Origin").ShouldBe("https://app.example.com");
        One(answer, "Access-Control-Allow-Methods").ShouldBe("PUT");
        One(answer, "Access-Control-Allow-Headers").ShouldBe("x-api-key, content-type");
        One(answer, "Access-Control-Allow-Credentials").ShouldBe("true");
        One(answer, "Access-Control-Max-Age").ShouldBe("300");
        answer.Headers.Vary.ShouldContain("Origin");
        _upstream.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("https://evil.example", "PUT", "")]
    [InlineData("https://app.example.com.evil.example", "PUT", "")]
    [InlineData("http://app.example.com", "PUT", "")]
    [InlineData("https://trusted.example", "PUT", "")]
    [InlineData("https://evil.example/.trusted.example", "PUT", "")]
    [InlineData("null", "PUT", "")]
    [InlineData("https://app.example.com", "DELETE", "")]
    [InlineData("https://app.example.com", "PUT", "x-other")]
    public async Task A_preflight_for_what_is_not_allowed_is_refused(string origin, string method, string headers)
    {
        var answer = await PreflightAsync("/cors/x", origin, method, headers);

        await answer.ShouldBeProblemAsync(403, "origin-not-allowed");
        answer.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
    }

    [Fact]
    public async Task Answers_and_refusals_can_be_read_by_the_pages_that_may_call()
    {
        (await PreflightAsync("/cors/x", "https://a.trusted.example", "GET", "")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        var good = await _gateway.GetAsync("/cors/cors", ("Origin", "https://a.trusted.example"), ("X-Api-Key", "edge-key-of-a-customer"));
        var refused = await _gateway.GetAsync("/cors/cors", ("Origin", "https://app.example.com"));
        var foreign = await _gateway.GetAsync("/cors/cors", ("Origin", "https://evil.example"), ("X-Api-Key", "edge-key-of-a-customer"));

        good.StatusCode.ShouldBe(HttpStatusCode.OK);
        One(good, "Access-Control-Allow-Origin").ShouldBe("https://a.trusted.example");
        One(good, "Access-Control-Expose-Headers").ShouldContain("X-Own");
        One(good, "Access-Control-Expose-Headers").ShouldContain("RateLimit");
        refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        One(refused, "Access-Control-Allow-Origin").ShouldBe("https://app.example.com");
        foreign.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
        One(await _gateway.GetAsync("/open", ("Origin", "https://anybody.example")), "Access-Control-Allow-Origin").ShouldBe("*");
    }

    [Fact]
    public async Task A_route_without_CORS_leaves_preflights_to_its_service()
    {
        var answer = await PreflightAsync("/own/cors", "https://app.example.com", "PUT", "");

        One(answer, "Access-Control-Allow-Origin").ShouldBe("https://service.example");
        _upstream.Seen.ShouldHaveSingleItem().Method.ShouldBe("OPTIONS");
    }

    [Theory]
    [InlineData("br", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip;q=1.0, br;q=0.5", "gzip")]
    [InlineData("deflate, gzip, br", "br")]
    [InlineData("*", "br")]
    [InlineData("br;q=0, gzip", "gzip")]
    [InlineData("identity", null)]
    [InlineData("identity, gzip;q=0.5", null)]
    [InlineData("identity;q=0.5, br;q=0.7", "br")]
    [InlineData("identity, gzip", "gzip")]
    [InlineData("identity, *;q=0.1", null)]
    [InlineData("*, br;q=0", "gzip")]
    [InlineData("zstd", null)]
    public async Task An_answer_is_compressed_as_its_caller_asks(string accept, string? coding)
    {
        var answer = await _gateway.GetAsync("/small/large", ("Accept-Encoding", accept));

        answer.Content.Headers.ContentEncoding.SingleOrDefault().ShouldBe(coding);
        answer.Headers.Vary.ShouldContain("Accept-Encoding");
        var head = await _gateway.SendAsync(HttpMethod.Head, "/small/large", ("Accept-Encoding", accept));
        (head.Content.Headers.ContentEncoding.SingleOrDefault(), head.Headers.ETag).ShouldBe((coding, answer.Headers.ETag), "HEAD says what GET would");
        var bytes = await answer.Content.ReadAsByteArrayAsync();
        if (coding is not null) bytes.Length.ShouldBeLessThan(1000);
        Decode(bytes, coding).ShouldBe(Large);
        if (coding is not null) answer.Headers.ETag!.IsWeak.ShouldBeTrue();
    }

    [Theory]
    [InlineData("/small/short", "short ones are not worth it")]
    [InlineData("/small/image", "images are compressed already")]
    [InlineData("/small/encoded", "what is encoded stays as it is")]
    [InlineData("/small/kept", "no-transform")]
    [InlineData("/small/part", "parts of a whole")]
    [InlineData("/own/large", "routes that do not say so")]
    public async Task What_must_not_be_compressed_is_not(string path, string why)
    {
        var answer = await _gateway.GetAsync(path, ("Accept-Encoding", "br, gzip"));

        answer.Content.Headers.ContentEncoding.ShouldBe(path == "/small/encoded" ? ["x-own"] : [], why);
        answer.Content.Headers.ContentLength.ShouldNotBeNull(why);
    }

    [Fact]
    public async Task Events_leave_at_once_on_a_route_that_compresses_and_so_does_what_has_no_length()
    {
        var events = await _gateway.GetAsync("/small/events", ("Accept-Encoding", "br"));
        events.Content.Headers.ContentEncoding.ShouldBeEmpty();
        var first = new byte["data: 1\n\n".Length];
        await (await events.Content.ReadAsStreamAsync()).ReadExactlyAsync(first);
        Encoding.ASCII.GetString(first).ShouldBe("data: 1\n\n");

        var lines = await _gateway.GetAsync("/small/lines", ("Accept-Encoding", "gzip"));
        lines.Content.Headers.ContentEncoding.ShouldBe(["gzip"]);
        using var unzipped = new StreamReader(new GZipStream(await lines.Content.ReadAsStreamAsync(), CompressionMode.Decompress));
        (await unzipped.ReadLineAsync()).ShouldBe("{\"line\":1}");
        _release.SetResult();
        (await unzipped.ReadLineAsync()).ShouldBe("{\"line\":2}");
    }

    [Fact]
    public async Task Security_headers_stand_on_answers_and_refusals_and_strangers_learn_less()
    {
        var answer = await _gateway.GetAsync("/safe/large");
        One(answer, "X-Content-Type-Options").ShouldBe("nosniff");
        One(answer, "X-Frame-Options").ShouldBe("SAMEORIGIN");
        One(answer, "Content-Security-Policy").ShouldBe("default-src 'none'");
        answer.Headers.Contains("Referrer-Policy").ShouldBeFalse();
        answer.Headers.Contains("X-Powered-By").ShouldBeFalse();

        One(await _gateway.GetAsync("/cors/x"), "X-Frame-Options").ShouldBe("DENY");
        (await _gateway.GetAsync("/small/large")).Headers.Contains("X-Frame-Options").ShouldBeFalse();
    }

    [Fact]
    public async Task Files_are_served_with_types_validators_and_ranges()
    {
        var home = await _gateway.GetAsync("/site/");
        (await home.Content.ReadAsStringAsync()).ShouldBe("<h1>home</h1>");
        home.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        home.Headers.CacheControl!.MaxAge.ShouldBe(TimeSpan.FromSeconds(60));
        home.Headers.Contains("X-Request-Id").ShouldBeTrue();

        (await _gateway.GetAsync("/site/", ("If-None-Match", home.Headers.ETag!.ToString()))).StatusCode.ShouldBe(HttpStatusCode.NotModified);
        var part = await _gateway.GetAsync("/site/app.js", ("Range", "bytes=4-4"));
        part.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        (await part.Content.ReadAsStringAsync()).ShouldBe("a");
        (await _gateway.SendAsync(HttpMethod.Head, "/site/app.js")).Content.Headers.ContentLength.ShouldBe(10);
        (await _gateway.GetAsync("/site/app.js", ("Accept-Encoding", "gzip"))).Content.Headers.ContentEncoding.ShouldBe(["gzip"]);
        (await _gateway.GetAsync("/site/docs?x=1")).Headers.Location!.OriginalString.ShouldBe("/site/docs/?x=1");
        (await (await _gateway.GetAsync("/site/docs/")).Content.ReadAsStringAsync()).ShouldBe("<h1>docs</h1>");
        (await (await _gateway.GetAsync("/site/inside.js")).Content.ReadAsStringAsync()).ShouldBe("let a = 1;");
        (await (await _gateway.GetAsync("/spa/some/page", ("Accept", "text/html"))).Content.ReadAsStringAsync()).ShouldBe("<h1>home</h1>");
        (await (await _gateway.GetAsync("/site/.well-known/security.txt")).Content.ReadAsStringAsync()).ShouldBe("Contact: us");
    }

    [Theory]
    [InlineData("/site/nothing.txt")]
    [InlineData("/site/way-out.txt")]
    [InlineData("/site/.secret")]
    [InlineData("/site/.git/config")]
    [InlineData("/site/%2egit/config")]
    [InlineData("/site/docs/..%2f.git/config")]
    [InlineData("/spa/.git/config")]
    [InlineData("/site/..%2foutside.txt")]
    [InlineData("/site/%2e%2e%2foutside.txt")]
    [InlineData("/site/docs/..%2f..%2foutside.txt")]
    [InlineData("/site/..%5coutside.txt")]
    [InlineData("/site/%2fetc/passwd")]
    [InlineData("/spa/missing.js")]
    public async Task Nothing_outside_the_folder_and_nothing_hidden_is_served(string path) =>
        await (await _gateway.GetAsync(path, ("Accept", "text/html,*/*"))).ShouldBeProblemAsync(404, "not-found");

    [Fact]
    public async Task Files_of_a_product_need_a_key_like_every_call_of_it()
    {
        await (await _gateway.GetAsync("/sold/app.js")).ShouldBeProblemAsync(401, "missing-credentials");
        var answer = await _gateway.GetAsync("/sold/app.js", ("X-Api-Key", "edge-key-of-a-customer"));
        (await answer.Content.ReadAsStringAsync()).ShouldBe("let a = 1;");
        answer.Headers.Contains("RateLimit").ShouldBeTrue();
    }

    [Theory]
    [InlineData("\"Cors\": { \"Origins\": [ \"app.example.com\" ] }", "Tollgate.Cors.Origins")]
    [InlineData("\"Cors\": { \"Origins\": [ \"*\" ], \"Credentials\": true }", "Tollgate.Cors.Credentials")]
    [InlineData("\"Cors\": {}", "Tollgate.Cors.Origins")]
    [InlineData("\"Compression\": { \"Encodings\": [ \"zip\" ] }", "Tollgate.Compression.Encodings")]
    [InlineData("\"Compression\": { \"Types\": [ \"json\" ] }", "Tollgate.Compression.Types")]
    [InlineData("\"SecurityHeaders\": { \"X Y\": \"1\" }", "Tollgate.SecurityHeaders")]
    [InlineData("\"StaticFiles\": { \"Folder\": \"nowhere\" }", "Tollgate.StaticFiles.Folder")]
    [InlineData("\"MaxBodyBytes\": -1", "Tollgate.MaxBodyBytes")]
    public async Task A_mistake_in_the_block_stops_the_start_with_its_place(string block, string property)
    {
        await using var gateway = GatewayProcess.Launch("--config", _folder.Write("wrong.json", Routes.File(Routes.Route("/a", "/a", 1, $"\"Tollgate\": {{ {block} }}"))), "--urls", "http://127.0.0.1:0");

        (await gateway.WaitForExitAsync()).ShouldBe(1);
        gateway.Output.ShouldContain($"Routes[0].{property}");
    }

    private Task<HttpResponseMessage> PreflightAsync(string path, string origin, string method, string headers) =>
        _gateway.SendAsync(HttpMethod.Options, path, [("Origin", origin), ("Access-Control-Request-Method", method), .. headers.Length > 0 ? [("Access-Control-Request-Headers", headers)] : Array.Empty<(string, string)>()]);

    private static string One(HttpResponseMessage answer, string name) => answer.Headers.GetValues(name).ShouldHaveSingleItem();

    private static string Decode(byte[] bytes, string? coding)
    {
        Stream stream = new MemoryStream(bytes);
        if (coding == "br") stream = new BrotliStream(stream, CompressionMode.Decompress);
        if (coding == "gzip") stream = new GZipStream(stream, CompressionMode.Decompress);
        return new StreamReader(stream).ReadToEnd();
    }
}
