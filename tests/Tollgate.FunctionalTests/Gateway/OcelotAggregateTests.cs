using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Answers that are made of several, as an <c>ocelot.json</c> says it.</summary>
public sealed class OcelotAggregateTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly TaskCompletionSource _both = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _waiting;
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(AnswerAsync);
        var dead = FreePort.Next();
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{string.Join(",\n",
                Member("users", "/users/{id}", "/users/{id}"),
                Member("orders", "/orders/{id}", "/orders?user={id}"),
                Member("text", "/text", "/text"),
                Member("empty", "/empty", "/empty"),
                Member("missing", "/missing", "/missing"),
                Member("broken", "/broken", "/broken"),
                Member("echo", "/echo", "/echo"),
                Member("echo2", "/echo2", "/echo"),
                Member("meet1", "/meet1", "/meet"),
                Member("meet2", "/meet2", "/meet"),
                Member("comments", "/comments", "/comments"),
                Member("author", "/author/{userId}", "/users/{userId}"),
                Member("nobody", "/nobody/{userId}", "/users/{userId}"),
                Member("gzip", "/gzip", "/gzip"),
                Member("private", "/private", "/text", Tokens.Demanded),
                Member("limited", "/limited", "/text", "\"RateLimitOptions\": { \"Limit\": 1, \"Period\": \"1h\" }"),
                Routes.Route("/dead", "/", dead, "\"Key\": \"dead\""))}} ],
              "Aggregates": [
                { "UpstreamPathTemplate": "/page/{id}", "RouteKeys": [ "users", "orders" ] },
                { "UpstreamPathTemplate": "/odd", "RouteKeys": [ "text", "empty", "missing", "broken", "gzip" ] },
                { "UpstreamPathTemplate": "/posted", "UpstreamHttpMethod": [ "POST" ], "RouteKeys": [ "echo", "echo2" ] },
                { "UpstreamPathTemplate": "/meet", "RouteKeys": [ "meet1", "meet2" ] },
                { "UpstreamPathTemplate": "/blog", "RouteKeys": [ "comments", "author", "nobody", "text" ],
                  "RouteKeysConfig": [ { "RouteKey": "author", "JsonPath": "$[*].authorId", "Parameter": "userId" }, { "RouteKey": "nobody", "JsonPath": "$[*].none", "Parameter": "userId" } ] },
                { "UpstreamPathTemplate": "/one", "RouteKeys": [ "comments", "author" ], "RouteKeysConfig": [ { "RouteKey": "author", "JsonPath": "$[?(@.authorId == 2)].authorId", "Parameter": "userId" } ] },
                { "UpstreamPathTemplate": "/withdead", "RouteKeys": [ "text", "dead" ] },
                { "UpstreamPathTemplate": "/withprivate", "RouteKeys": [ "text", "private" ] },
                { "UpstreamPathTemplate": "/withlimited", "RouteKeys": [ "text", "limited" ] },
                { "UpstreamPathTemplate": "/byheader", "UpstreamHeaderTemplates": { "X-User": "{header:id}" }, "RouteKeys": [ "users" ] },
                { "UpstreamPathTemplate": "/byhost", "UpstreamHost": "other.example", "RouteKeys": [ "text" ] },
                { "UpstreamPathTemplate": "/Strict/{id}", "RouteIsCaseSensitive": true, "RouteKeys": [ "users" ] },
                { "UpstreamPathTemplate": "/ranked/{id}", "RouteKeys": [ "text" ] },
                { "UpstreamPathTemplate": "/ranked/{key}", "Priority": 2, "RouteKeys": [ "orders" ] },
                { "UpstreamPathTemplate": "/asked?user={id}", "RouteKeys": [ "users" ] },
                { "UpstreamPathTemplate": "/special", "RouteKeys": [ "text" ], "Aggregator": "NobodyHasIt" } ],
              {{Tokens.Provider}} }
            """));
    }

    public async Task DisposeAsync()
    {
        _both.TrySetResult();
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_members_answers_stand_under_their_keys_in_order()
    {
        var answer = await _gateway.GetAsync("/page/7?x=y");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        (await answer.Content.ReadAsStringAsync()).ShouldBe("""{"users":{"target":"/users/7?x=y"},"orders":{"target":"/orders?user=7&x=y"}}""");
        (await (await _gateway.GetAsync("/users/3")).Content.ReadAsStringAsync()).ShouldBe("""{"target":"/users/3"}""");
        (await _gateway.SendAsync(HttpMethod.Post, "/page/7")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_whole_is_json_whatever_the_members_say_and_their_status_is_lost() =>
        (await TextAsync("/odd")).ShouldBe("""{"text":"plain \"text\"","empty":null,"missing":{"error":"none"},"broken":"{\"a\":","gzip":{"packed":true}}""");

    [Fact]
    public async Task Members_are_called_at_the_same_time() => (await TextAsync("/meet")).ShouldBe("""{"meet1":{"met":true},"meet2":{"met":true}}""");

    [Fact]
    public async Task Headers_and_body_reach_every_member()
    {
        var content = new StreamContent(new LateStream("{\"a\":1}"));
        content.Headers.ContentType = new("application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, "/posted") { Content = content };
        request.Headers.Add("X-Mine", "yes");

        (await (await _gateway.Client.SendAsync(request)).Content.ReadAsStringAsync()).ShouldBe("""{"echo":["POST","yes",{"a":1}],"echo2":["POST","yes",{"a":1}]}""");
    }

    [Fact]
    public async Task The_first_answer_says_what_the_others_are_asked()
    {
        (await TextAsync("/blog")).ShouldBe("""{"comments":[{"authorId":1},{"authorId":2},{"authorId":1}],"author":[{"target":"/users/1"},{"target":"/users/2"}],"text":"plain \"text\""}""");
        (await TextAsync("/one")).ShouldBe("""{"comments":[{"authorId":1},{"authorId":2},{"authorId":1}],"author":{"target":"/users/2"}}""");
    }

    [Fact]
    public async Task What_the_gateway_refuses_of_a_member_it_refuses_of_the_whole()
    {
        await (await _gateway.GetAsync("/withdead")).ShouldBeProblemAsync(502, "upstream-unreachable");
        await (await _gateway.GetAsync("/withprivate")).ShouldBeProblemAsync(401, "missing-credentials");
        (await _gateway.GetAsync("/withprivate", ("Authorization", $"Bearer {Tokens.Of(new { sub = "ann" })}"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.GetAsync("/withlimited", ("Oc-Client", "a"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.GetAsync("/withlimited", ("Oc-Client", "a"))).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        await (await _gateway.GetAsync("/special")).ShouldBeProblemAsync(404, "unknown-route");
    }

    [Fact]
    public async Task An_aggregate_is_chosen_by_host_and_headers_like_a_route()
    {
        (await (await _gateway.GetAsync("/byheader", ("X-User", "9"))).Content.ReadAsStringAsync()).ShouldBe("""{"users":{"target":"/users/9"}}""");
        (await _gateway.GetAsync("/byheader")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await _gateway.GetAsync("/byhost")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await _gateway.GetAsync("/byhost", ("Host", "other.example"))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Case_priority_and_query_count_as_on_routes()
    {
        (await TextAsync("/Strict/5")).ShouldBe("""{"users":{"target":"/users/5"}}""");
        (await _gateway.GetAsync("/strict/5")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await TextAsync("/ranked/5")).ShouldStartWith("""{"orders":""");
        (await TextAsync("/asked?user=8")).ShouldStartWith("""{"users":{"target":"/users/8""");
    }

    [Fact]
    public async Task An_aggregate_is_no_WebSocket()
    {
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        await Should.ThrowAsync<System.Net.WebSockets.WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://{_gateway.Address.Authority}/page/7"), default));
        socket.HttpStatusCode.ShouldBe(HttpStatusCode.NotFound);

        // Over HTTP/2 an answer would say that it is open.
        using var handler = new SocketsHttpHandler();
        using var second = new System.Net.WebSockets.ClientWebSocket();
        (second.Options.HttpVersion, second.Options.HttpVersionPolicy, second.Options.CollectHttpResponseDetails) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact, true);
        await Should.ThrowAsync<System.Net.WebSockets.WebSocketException>(() => second.ConnectAsync(new Uri($"ws://{_gateway.Address.Authority}/page/7"), new HttpMessageInvoker(handler), default));
        second.HttpStatusCode.ShouldBe(HttpStatusCode.NotFound);

        _upstream.Seen.ShouldBeEmpty();
        (await TextAsync("/page/7")).ShouldStartWith("""{"users":""");
    }

    private string Member(string key, string upstream, string downstream, string more = "") =>
        Routes.Route(upstream, downstream, _upstream.Port, $"\"Key\": \"{key}\"" + (more.Length > 0 ? ", " + more : ""));

    private async Task<string> TextAsync(string target)
    {
        var answer = await _gateway.GetAsync(target);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await answer.Content.ReadAsStringAsync();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var response = http.Response;
        switch (http.Request.Path.Value)
        {
            case "/text": await response.WriteAsync("plain \"text\""); break;
            case "/empty": break;
            case "/broken": await response.WriteAsync("{\"a\":"); break;
            case "/missing":
                response.StatusCode = 404;
                await response.WriteAsync("""{"error":"none"}""");
                break;
            case "/gzip":
                response.Headers.ContentEncoding = "gzip";
                await using (var packed = new System.IO.Compression.GZipStream(response.Body, System.IO.Compression.CompressionLevel.Fastest))
                    await packed.WriteAsync(Encoding.UTF8.GetBytes("""{"packed":true}"""));
                break;
            case "/comments": await response.WriteAsync("""[{"authorId":1},{"authorId":2},{"authorId":1}]"""); break;
            case "/meet":
                if (Interlocked.Increment(ref _waiting) == 2) _both.TrySetResult();
                await _both.Task.WaitAsync(Deadline.Default);
                await response.WriteAsync("""{"met":true}""");
                break;
            case "/echo":
                using (var reader = new StreamReader(http.Request.Body))
                    await response.WriteAsync($"[\"{http.Request.Method}\",\"{http.Request.Headers["X-Mine"]}\",{await reader.ReadToEndAsync()}]");
                break;
            default: await response.WriteAsync($$"""{"target":"{{http.Request.Path}}{{http.Request.QueryString}}"}"""); break;
        }
    }

    // A body that comes after the head did.
    private sealed class LateStream(string text) : MemoryStream(Encoding.UTF8.GetBytes(text))
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancel = default)
        {
            await Task.Delay(100, cancel);
            return await base.ReadAsync(buffer, cancel);
        }
    }
}
