using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Bodies that are checked, changed and made up, as the <c>Tollgate</c> block of a route says it.</summary>
public sealed class BodyTests : IAsyncLifetime
{
    private const string OpenApi = """
        { "openapi": "3.0.3", "info": { "title": "Orders", "version": "1" }, "paths": {
          "/orders": {
            "post": { "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Order" } } } },
              "responses": { "201": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Order" }, "examples": { "first": { "value": { "item": "tea", "count": 1 } }, "second": { "value": { "item": "mate", "count": 2 } } } } } },
                             "422": { "content": { "application/problem+json": { "example": { "title": "no" } } } } } },
            "get": { "parameters": [ { "in": "query", "name": "limit", "required": true, "schema": { "type": "integer", "maximum": 10 } } ],
              "responses": { "200": { "content": { "application/json": { "schema": { "type": "array", "items": { "$ref": "#/components/schemas/Order" } } } } } } } } },
          "components": { "schemas": { "Order": { "type": "object", "required": [ "item", "count" ], "additionalProperties": false, "properties": { "item": { "type": "string" }, "count": { "type": "integer", "minimum": 1 } } } } } }
        """;

    private readonly TempFolder _folder = new();
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;
    private volatile Func<HttpContext, Task> _answer = EchoAsync;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(http => _answer(http));
        _folder.Write("orders.openapi.json", OpenApi);
        string Tollgate(string block) => $"\"Tollgate\": {{ {block} }}";
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", Routes.File(
            Routes.Route("/changed", "/", _upstream.Port, Tollgate("""
                "Request": { "Body": [ { "Rename": "/customer/name", "To": "fullName" }, { "Add": "/source", "Value": "gateway" }, { "Remove": "/secret" }, { "Wrap": "order" } ] },
                "Answer": { "Body": [ { "Unwrap": "order" }, { "Rename": "/customer/fullName", "To": "name" }, { "Set": "/version", "Value": 2 } ], "Statuses": { "404": 410 } }
                """)),
            Routes.Route("/schema", "/", _upstream.Port, Tollgate("""
                "Validation": { "Request": { "type": "object", "required": [ "a" ], "properties": { "a": { "type": "integer" } } }, "Answer": { "type": "object", "required": [ "ok" ] }, "MaxBytes": 1000 }
                """)),
            Routes.Route("/api/{rest}", "/{rest}", _upstream.Port, Tollgate("\"Validation\": { \"OpenApiFile\": \"orders.openapi.json\", \"Answers\": true }")),
            Routes.Route("/mock/{rest}", "/{rest}", _upstream.Port, Tollgate("\"Mock\": { \"OpenApiFile\": \"orders.openapi.json\" }")),
            """{ "UpstreamPathTemplate": "/orders", "Tollgate": { "Mock": { "OpenApiFile": "orders.openapi.json" } } }""",
            Routes.Route("/fixed", "/", _upstream.Port, Tollgate("\"Mock\": { \"Status\": 202, \"Body\": { \"done\": true, \"n\": 1 } }")))));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Bodies_are_changed_on_the_way_there_and_back()
    {
        string seen = "";
        _answer = async http =>
        {
            seen = await BodyOf(http.Request);
            http.Response.StatusCode = http.Request.Headers.ContainsKey("X-Gone") ? 404 : 200;
            http.Response.ContentType = "application/json; charset=utf-8";
            await http.Response.WriteAsync(seen);
        };
        using var answer = await PostAsync("/changed", """{ "customer": { "name": "Ada" }, "secret": 1 }""");
        seen.ShouldBe("""{"order":{"customer":{"fullName":"Ada"},"source":"gateway"}}""");
        (await answer.Content.ReadAsStringAsync()).ShouldBe("""{"customer":{"name":"Ada"},"source":"gateway","version":2}""");
        answer.Content.Headers.ContentLength.ShouldNotBeNull();

        using var gone = await PostAsync("/changed", "{}", ("X-Gone", "1"));
        gone.StatusCode.ShouldBe(HttpStatusCode.Gone);

        _answer = http => http.Response.WriteAsync("plain text passes");
        (await (await _gateway.GetAsync("/changed")).Content.ReadAsStringAsync()).ShouldBe("plain text passes");

        _answer = http =>
        {
            http.Response.ContentType = "application/json";
            return http.Response.WriteAsync("{ broken");
        };
        await (await _gateway.GetAsync("/changed")).ShouldBeProblemAsync(502, "upstream-unreachable");
    }

    [Fact]
    public async Task Who_asks_for_an_upgrade_walks_around_no_check_and_no_change()
    {
        _answer = http =>
        {
            http.Response.ContentType = "application/json";
            return http.Response.WriteAsync("""{"order":{"ok":true}}""");
        };
        const string upgrade = " HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

        (await RawClient.AskAsync(_gateway.Address, "GET /changed" + upgrade)).ShouldEndWith("""{"ok":true,"version":2}""");
        (await RawClient.AskAsync(_gateway.Address, "GET /api/orders?limit=11" + upgrade)).ShouldStartWith("HTTP/1.1 422 ");
        (await RawClient.AskAsync(_gateway.Address, "GET /schema" + upgrade)).ShouldStartWith("HTTP/1.1 502 ");
        (await RawClient.AskAsync(_gateway.Address, "GET /fixed" + upgrade)).ShouldStartWith("HTTP/1.1 404 ");
        (await RawClient.AskAsync(_gateway.Address, "GET /fixed" + upgrade.Replace("websocket", "h2c"))).ShouldStartWith("HTTP/1.1 202 ");
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_WebSocket_opens_on_a_route_that_changes_answers(string version)
    {
        _answer = async http =>
        {
            using var opened = await http.WebSockets.AcceptWebSocketAsync();
            await opened.SendAsync("""{"order":1}"""u8.ToArray(), WebSocketMessageType.Text, true, http.RequestAborted);
            await opened.CloseAsync(WebSocketCloseStatus.NormalClosure, "", http.RequestAborted);
        };
        using var handler = new SocketsHttpHandler();
        using var socket = new ClientWebSocket();
        (socket.Options.HttpVersion, socket.Options.HttpVersionPolicy) = (Version.Parse(version), HttpVersionPolicy.RequestVersionExact);
        await socket.ConnectAsync(new Uri($"ws://{_gateway.Address.Authority}/changed"), new HttpMessageInvoker(handler), CancellationToken.None);

        var buffer = new byte[100];
        var received = await socket.ReceiveAsync(buffer, CancellationToken.None);

        Encoding.ASCII.GetString(buffer, 0, received.Count).ShouldBe("""{"order":1}""", "what flows in it is the two ends' own");
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
    }

    [Theory]
    [InlineData("""{ "a": "x" }""", "/a")]
    [InlineData("""{ }""", "/a")]
    [InlineData("""{ "a": 1, "a": 2 }""", "")]
    [InlineData("not json", "")]
    public async Task A_body_that_breaks_its_schema_is_refused_with_the_place(string body, string pointer)
    {
        using var refused = await PostAsync("/schema", body);
        refused.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        var problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement;
        problem.GetProperty("type").GetString()!.ShouldEndWith("schema-violation");
        problem.GetProperty("errors")[0].GetProperty("pointer").GetString().ShouldBe(pointer);
        problem.GetProperty("errors")[0].GetProperty("detail").GetString().ShouldNotBeNullOrEmpty();
        problem.GetProperty("requestId").GetString().ShouldNotBeNullOrEmpty();
        _upstream.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task Sizes_types_and_answers_are_held_to_the_schema_too()
    {
        _answer = http => Json(http, """{ "ok": true }""");
        (await PostAsync("/schema", """{ "a": 1 }""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await PostAsync("/schema", $$"""{ "a": 1, "b": "{{new string('x', 2000)}}" }""")).ShouldBeProblemAsync(413, "content-too-large");
        using var text = await _gateway.Client.PostAsync("/schema", new StringContent("a"));
        await text.ShouldBeProblemAsync(415, "unsupported-media-type");
        _answer = http => Json(http, """{ "other": "secret-of-the-service" }""");
        using var wrong = await PostAsync("/schema", """{ "a": 1 }""");
        await wrong.ShouldBeProblemAsync(502, "upstream-unreachable");
        (await wrong.Content.ReadAsStringAsync()).ShouldNotContain("secret-of-the-service");
    }

    [Fact]
    public async Task The_OpenApi_document_says_what_calls_and_answers_must_be()
    {
        _answer = http => Json(http, http.Request.Method == "GET" ? "[]" : """{ "item": "tea", "count": 1 }""", http.Request.Method == "GET" ? 200 : 201);
        (await PostAsync("/api/orders", """{ "item": "tea", "count": 1 }""")).StatusCode.ShouldBe(HttpStatusCode.Created);
        foreach (var (body, pointer) in new[] { ("""{ "item": "tea", "count": 0 }""", "/count"), ("""{ "item": "tea", "count": 1, "more": 1 }""", "/more") })
            (await PointersAsync(await PostAsync("/api/orders", body))).ShouldBe([pointer]);
        (await PointersAsync(await _gateway.Client.PostAsync("/api/orders", null))).ShouldBe([""]);
        (await PointersAsync(await _gateway.GetAsync("/api/orders"))).ShouldBe(["/query/limit"]);
        (await PointersAsync(await _gateway.GetAsync("/api/orders?limit=11"))).ShouldBe(["/query/limit"]);
        (await PointersAsync(await _gateway.GetAsync("/api/orders?limit=many"))).ShouldBe(["/query/limit"]);
        (await _gateway.GetAsync("/api/orders?limit=3")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.GetAsync("/api/elsewhere")).StatusCode.ShouldBe(HttpStatusCode.OK, "what the document does not describe passes");

        _answer = http => Json(http, """[ { "item": 1 } ]""");
        await (await _gateway.GetAsync("/api/orders?limit=3")).ShouldBeProblemAsync(502, "upstream-unreachable");
    }

    [Fact]
    public async Task A_document_in_YAML_is_read_watched_and_refused_with_its_line()
    {
        const string document = """
            openapi: 3.1.0
            info: { title: Teas, version: "1.0" }
            paths:
              /teas/{id}:
                get:
                  parameters:
                    - { name: id, in: path, required: true, schema: { type: integer, maximum: 9 } }
                  responses:
                    '200':
                      description: one tea
                      content: { application/json: { example: { name: Assam, cups: 2 } } }
            """;
        using var folder = new TempFolder();
        folder.Write("teas.yaml", document);
        await using var gateway = await GatewayProcess.StartAsync(folder.Write("ocelot.json", Routes.File(
            Routes.Route("/checked/{rest}", "/{rest}", _upstream.Port, "\"Tollgate\": { \"Validation\": { \"OpenApiFile\": \"teas.yaml\" } }"),
            """{ "UpstreamPathTemplate": "/teas/{id}", "Tollgate": { "Mock": { "OpenApiFile": "teas.yaml" } } }""")));

        (await (await gateway.GetAsync("/teas/3")).Content.ReadAsStringAsync()).ShouldBe("""{"name":"Assam","cups":2}""");
        (await PointersAsync(await gateway.GetAsync("/checked/teas/10"))).ShouldBe(["/path/id"]);

        folder.Write("teas.yaml", document.Replace("maximum: 9", "maximum: 99"));
        await gateway.WaitForLineAsync(line => line.Contains("Configuration 2 is in force"));
        (await gateway.GetAsync("/checked/teas/10")).StatusCode.ShouldBe(HttpStatusCode.OK);

        folder.Write("teas.yaml", document.Replace("info: { title: Teas, version: \"1.0\" }", "info: { title: Teas"));
        (await gateway.WaitForLineAsync(line => line.Contains("stays in force"))).ShouldContain("teas.yaml:");
        (await gateway.GetAsync("/checked/teas/10")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Examples_stand_in_for_a_service_that_is_not_there_yet()
    {
        using var first = await PostAsync("/mock/orders", "{}");
        first.StatusCode.ShouldBe(HttpStatusCode.Created);
        (await first.Content.ReadAsStringAsync()).ShouldBe("""{"item":"tea","count":1}""");
        (await (await PostAsync("/mock/orders", "{}", ("Prefer", "example=second"))).Content.ReadAsStringAsync()).ShouldContain("mate");
        using var refused = await PostAsync("/mock/orders", "{}", ("Prefer", "code=422"));
        ((int)refused.StatusCode).ShouldBe(422);
        refused.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        (await (await _gateway.GetAsync("/mock/orders")).Content.ReadAsStringAsync()).ShouldBe("""[{"item":"text","count":1}]""");
        await (await _gateway.GetAsync("/mock/unknown")).ShouldBeProblemAsync(404, "unknown-route");
        (await (await _gateway.GetAsync("/orders")).Content.ReadAsStringAsync()).ShouldBe("""[{"item":"text","count":1}]""", "no host and no path downstream are needed");
        using var made = await _gateway.GetAsync("/fixed");
        made.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await made.Content.ReadAsStringAsync()).ShouldBe("""{"done":true,"n":1}""");
        _upstream.Seen.ShouldBeEmpty();
    }

    private Task<HttpResponseMessage> PostAsync(string target, string body, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return _gateway.Client.SendAsync(request);
    }

    private static async Task<string[]> PointersAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        ((int)answer.StatusCode).ShouldBe(422, text);
        return [.. JsonDocument.Parse(text).RootElement.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("pointer").GetString()!)];
    }

    private static Task Json(HttpContext http, string body, int status = 200)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(body);
    }

    private static async Task EchoAsync(HttpContext http) => await Json(http, await BodyOf(http.Request));

    private static async Task<string> BodyOf(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body);
        return await reader.ReadToEndAsync();
    }
}
