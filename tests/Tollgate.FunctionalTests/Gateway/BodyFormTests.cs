using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Bodies that are JSON, and come compressed, in another character set, or broken in ways that JSON itself does not see.</summary>
public sealed class BodyFormTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;
    private volatile Func<HttpContext, Task> _answer = http => Task.CompletedTask;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(http => _answer(http));
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", Routes.File(
            Routes.Route("/checked", "/", _upstream.Port, """
                "Tollgate": { "Validation": { "Request": { "type": "object", "properties": { "a": { "type": "string", "minLength": 2, "pattern": "^.+$" } } }, "MaxBytes": 1000 } }
                """),
            Routes.Route("/changed", "/", _upstream.Port, """
                "Tollgate": { "Request": { "Body": [ { "Rename": "/a", "To": "b" } ] }, "Answer": { "Body": [ { "Rename": "/b", "To": "a" }, { "Remove": "/list/0" } ] } }
                """),
            Routes.Route("/answers", "/", _upstream.Port, """
                "Tollgate": { "Validation": { "Answer": { "type": "object" } } }
                """),
            """
            { "UpstreamPathTemplate": "/mocked/{rest}", "Tollgate": { "Mock": { "OpenApi": { "openapi": "3.1.0", "paths": { "/orders": { "post": { "responses": { "201": {
              "headers": { "Location": { "schema": { "type": "string" }, "example": "/orders/7" } },
              "content": { "application/json": { "schema": { "type": "object", "properties": { "id": { "type": "integer", "example": 7 }, "secret": { "type": "string", "writeOnly": true } } } } } } } } } } } } } }
            """)));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task A_compressed_body_is_checked_and_goes_on_as_it_came(string coding)
    {
        byte[] seen = [];
        string seenCoding = "";
        _answer = async http =>
        {
            seenCoding = http.Request.Headers.ContentEncoding.ToString();
            var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            seen = body.ToArray();
        };
        var good = Compressed(coding, """{"a":"tea"}""");
        (await PostAsync("/checked", good, coding: coding)).StatusCode.ShouldBe(HttpStatusCode.OK);
        seen.ShouldBe(good);
        seenCoding.ShouldBe(coding);

        await (await PostAsync("/checked", Compressed(coding, """{"a":"t"}"""), coding: coding)).ShouldBeProblemAsync(422, "schema-violation");
        await (await PostAsync("/checked", Compressed(coding, $$"""{"a":"{{new string('t', 100_000)}}"}"""), coding: coding)).ShouldBeProblemAsync(413, "content-too-large");
        await (await PostAsync("/checked", "{\"a\":\"tea\"}"u8.ToArray(), coding: coding)).ShouldBeProblemAsync(422, "schema-violation");
    }

    [Fact]
    public async Task A_coding_that_nobody_knows_is_415_and_says_which_are_known()
    {
        var refused = await PostAsync("/checked", [1, 2, 3], coding: "zip");
        await refused.ShouldBeProblemAsync(415, "unsupported-media-type");
        refused.Headers.GetValues("Accept-Encoding").Single().ShouldBe("gzip, deflate, br");
    }

    [Fact]
    public async Task What_is_changed_goes_on_plain_and_as_utf_8()
    {
        string seen = "", coding = "none", type = "";
        _answer = async http =>
        {
            coding = http.Request.Headers.ContentEncoding.ToString();
            type = http.Request.ContentType!;
            seen = await new StreamReader(http.Request.Body).ReadToEndAsync();
            http.Request.Headers.AcceptEncoding.ToString().ShouldBe("identity");
            http.Request.Headers.ContainsKey("Range").ShouldBeFalse();
            http.Response.ContentType = "application/json; charset=iso-8859-1";
            http.Response.Headers.ContentEncoding = "gzip";    // whatever it was asked for
            http.Response.Headers["Digest"] = "sha-256=x";
            await http.Response.Body.WriteAsync(Compressed("gzip", "{\"b\":\"\u00e9\",\"list\":[1,2]}", Encoding.Latin1));
        };
        using var answer = await PostAsync("/changed", Compressed("gzip", "{\"a\":\"\u00e9\"}", Encoding.Latin1), "application/json; charset=iso-8859-1", "gzip", range: true);
        (seen, coding, type).ShouldBe(("{\"b\":\"\u00e9\"}", "", "application/json; charset=utf-8"));
        (await answer.Content.ReadAsByteArrayAsync()).ShouldBe(Encoding.UTF8.GetBytes("{\"a\":\"\u00e9\",\"list\":[2]}"));
        answer.Content.Headers.ContentType!.ToString().ShouldBe("application/json; charset=utf-8");
        answer.Content.Headers.ContentEncoding.ShouldBeEmpty();
        answer.Headers.Contains("Digest").ShouldBeFalse();
    }

    [Theory]
    [InlineData("7B2261223A22E9E9227D")]
    [InlineData("7B22E922317D")]
    [InlineData("7B22E9223A317D")]
    [InlineData("7B2261223A22EDA080227D")]
    [InlineData("7B2261223A225C7564383030227D")]
    [InlineData("7B225C7564383030223A317D")]
    public async Task Text_that_is_no_text_is_the_callers_mistake(string hex)
    {
        foreach (var path in new[] { "/checked", "/changed" })
            await (await PostAsync(path, Convert.FromHexString(hex))).ShouldBeProblemAsync(422, "schema-violation");
        _answer = http =>
        {
            http.Response.ContentType = "application/json";
            return http.Response.Body.WriteAsync(Convert.FromHexString(hex)).AsTask();
        };
        foreach (var path in new[] { "/answers", "/changed" }) (await _gateway.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
    }

    [Fact]
    public async Task A_mark_before_the_body_is_passed_over()
    {
        string seen = "";
        _answer = async http => seen = await new StreamReader(http.Request.Body, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false).ReadToEndAsync();
        (await PostAsync("/changed", [0xEF, 0xBB, 0xBF, .. "{\"a\":1}"u8])).StatusCode.ShouldBe(HttpStatusCode.OK);
        seen.ShouldBe("{\"b\":1}");
    }

    [Fact]
    public async Task An_answer_without_a_body_is_not_what_a_schema_asks_for()
    {
        _answer = http =>
        {
            http.Response.ContentType = "application/json";
            return Task.CompletedTask;
        };
        (await _gateway.GetAsync("/answers")).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        _answer = http =>
        {
            http.Response.StatusCode = 204;
            return Task.CompletedTask;
        };
        (await _gateway.GetAsync("/answers")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_mock_under_a_prefix_finds_its_operation_and_tells_what_callers_are_told()
    {
        using var answer = await PostAsync("/mocked/orders", "{}"u8.ToArray());
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        answer.Headers.Location!.ToString().ShouldBe("/orders/7");
        (await answer.Content.ReadAsStringAsync()).ShouldBe("{\"id\":7}");
    }

    private Task<HttpResponseMessage> PostAsync(string path, byte[] body, string type = "application/json", string? coding = null, bool range = false)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        if (coding is not null) request.Content.Headers.ContentEncoding.Add(coding);
        if (range) request.Headers.Range = new RangeHeaderValue(0, 1);
        return _gateway.Client.SendAsync(request);
    }

    private static byte[] Compressed(string coding, string text, Encoding? encoding = null)
    {
        var kept = new MemoryStream();
        using (Stream coder = coding switch { "br" => new BrotliStream(kept, CompressionMode.Compress), "deflate" => new ZLibStream(kept, CompressionMode.Compress), _ => new GZipStream(kept, CompressionMode.Compress) })
            coder.Write((encoding ?? Encoding.UTF8).GetBytes(text));
        return kept.ToArray();
    }
}
