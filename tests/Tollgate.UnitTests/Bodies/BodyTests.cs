using System.Text.Json.Nodes;
using Tollgate.Gateway.Bodies;

namespace Tollgate.UnitTests.Bodies;

public sealed class BodyTests
{
    [Theory]
    [InlineData("""{"a":1,"b":2,"c":3}""", """{"a":1,"x":2,"c":3}""", "/b", "x")]
    [InlineData("""{"o":{"b":2}}""", """{"o":{"x":2}}""", "/o/b", "x")]
    [InlineData("""{"l":[{"b":1},{"b":2},{"c":3}]}""", """{"l":[{"x":1},{"x":2},{"c":3}]}""", "/l/*/b", "x")]
    [InlineData("""{"a/b":1}""", """{"x":1}""", "/a~1b", "x")]
    [InlineData("""[1]""", """[1]""", "/b", "x")]
    [InlineData("""{"b":1,"x":2}""", """{"x":1}""", "/b", "x")]
    public void A_member_is_called_by_another_name(string before, string after, string path, string to) =>
        Apply(before, new BodyChange.Rename(BodyPath.Parse(path)!, to)).ShouldBe(after);

    [Fact]
    public void Members_come_and_go_and_bodies_are_wrapped_and_unwrapped()
    {
        Apply("""{"a":1}""", new BodyChange.Add(BodyPath.Parse("/a")!, 9, false), new BodyChange.Add(BodyPath.Parse("/b")!, JsonNode.Parse("[1]"), false)).ShouldBe("""{"a":1,"b":[1]}""");
        Apply("""{"a":1}""", new BodyChange.Add(BodyPath.Parse("/a")!, null, true)).ShouldBe("""{"a":null}""");
        Apply("""{"a":{"s":1,"t":2},"b":{"s":3}}""", new BodyChange.Remove(BodyPath.Parse("/*/s")!)).ShouldBe("""{"a":{"t":2},"b":{}}""");
        Apply("""[1,2]""", new BodyChange.Wrap("data")).ShouldBe("""{"data":[1,2]}""");
        Apply("""{"data":{"a":1},"more":2}""", new BodyChange.Unwrap("data")).ShouldBe("""{"a":1}""");
        Apply("null", new BodyChange.Wrap("data")).ShouldBe("""{"data":null}""");
        BodyPath.Parse("a").ShouldBeNull();
        BodyPath.Parse("/").ShouldBeNull();
    }

    [Theory]
    [InlineData("""{"name":"x","items":[{"price":1}]}""", "")]
    [InlineData("""{"items":[]}""", "/name")]
    [InlineData("""{"name":1}""", "/name")]
    [InlineData("""{"name":"x","items":[{"price":1},{"price":"2"}]}""", "/items/1/price")]
    [InlineData("""{"name":"x","un.known":1}""", "/un.known")]
    [InlineData("""{"name":"x","kind":"c"}""", "/kind")]
    [InlineData("""{"name":"xxxxxx"}""", "/name")]
    [InlineData("""[]""", "")]
    public void A_violation_names_its_place(string body, string pointer)
    {
        var mistakes = new List<string>();
        var schema = BodySchema.Compile(JsonNode.Parse("""
            { "type": "object", "required": [ "name" ], "additionalProperties": false,
              "properties": { "name": { "type": "string", "maxLength": 5 }, "kind": { "enum": [ "a", "b" ] }, "items": { "type": "array", "items": { "$ref": "#/$defs/item" } } },
              "$defs": { "item": { "type": "object", "properties": { "price": { "type": "number" } } } } }
            """)!, mistakes);
        mistakes.ShouldBeEmpty();
        var violations = new List<Violation>();
        schema!.Validate(body, "", violations);
        if (pointer.Length == 0 && body[0] == '{') violations.ShouldBeEmpty();
        else violations[0].Pointer.ShouldBe(pointer);
        violations.ShouldAllBe(violation => violation.Detail.EndsWith('.'));
    }

    [Fact]
    public void An_OpenApi_document_gives_schemas_and_examples()
    {
        var mistakes = new List<string>();
        var book = OpenApiBook.Read(JsonNode.Parse("""
            { "openapi": "3.0.3", "servers": [ { "url": "https://api.example/v1" } ], "paths": {
                "/orders/{id}": { "get": { "parameters": [ { "in": "path", "name": "id", "required": true, "schema": { "type": "integer" } } ],
                   "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Order" } } } }, "4XX": { "description": "no" } } } },
                "/orders/mine": { "get": { "responses": { "200": { "content": { "application/json": { "examples": { "one": { "value": { "n": 1 } }, "two": { "value": { "n": 2 } } } } } } } } } },
              "components": { "schemas": { "Order": { "type": "object", "required": [ "id" ], "properties": { "id": { "type": "integer", "minimum": 5 }, "note": { "type": "string", "nullable": true }, "at": { "type": "string", "format": "date-time" } } } } } }
            """)!, mistakes)!;
        mistakes.ShouldBeEmpty();
        var order = book.Find("GET", ["/v1/orders/7"], out var values)!;
        values["id"].ShouldBe("7");
        order.AnswerOf(200)!.Examples.Single().Value!.ToJsonString().ShouldBe("""{"id":5,"note":"text","at":"2026-01-01T00:00:00Z"}""");
        var violations = new List<Violation>();
        order.AnswerOf(200)!.Schema!.Validate("""{"id":5,"note":null}""", "", violations);
        violations.ShouldBeEmpty();
        order.AnswerOf(404).ShouldNotBeNull();
        book.Find("GET", ["/orders/mine"], out _)!.AnswerOf(200)!.Examples.Select(example => example.Key).ShouldBe(["one", "two"]);
        book.Find("POST", ["/v1/orders/7"], out _).ShouldBeNull();
        book.Find("GET", ["/v1/orders/7/lines"], out _).ShouldBeNull();
    }

    private static string Apply(string body, params BodyChange[] changes) => RouteBodies.Apply(JsonNode.Parse(body), changes)?.ToJsonString() ?? "null";
}
