using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Tollgate.Gateway.Bodies;

namespace Tollgate.UnitTests.Bodies;

public sealed class OpenApiBookTests
{
    [Theory]
    [InlineData("/v2/files/report.json", "name=report")]
    [InlineData("/v2/routes/a-b-to-c", "from=a-b,to=c")]
    [InlineData("/v2/files/.json", null)]
    [InlineData("/files/report.xml", null)]
    public void Paths_are_found_below_servers_with_variables_and_with_text_around_placeholders(string path, string? values)
    {
        var book = Book("""
            { "openapi": "3.0.0", "servers": [ { "url": "https://{region}.example.com/{version}", "variables": { "region": { "default": "eu" }, "version": { "default": "v2" } } } ],
              "paths": { "/files/{name}.json": { "get": { "responses": {} } }, "/routes/{from}-to-{to}": { "get": { "responses": {} } } } }
            """);
        var found = book.Find("GET", [path], out var taken);
        if (values is null) found.ShouldBeNull();
        else string.Join(',', taken.Select(one => $"{one.Key}={one.Value}")).ShouldBe(values);
    }

    [Fact]
    public void An_operations_own_parameter_takes_the_place_of_its_paths()
    {
        var operation = Operation("""[ { "in": "query", "name": "limit", "required": true, "schema": { "type": "integer" } } ]""", """[ { "in": "query", "name": "limit", "schema": { "type": "string" } } ]""");
        var parameter = operation.Parameters.ShouldHaveSingleItem();
        (parameter.Required, parameter.Of(QueryHelpers.ParseQuery("?limit=x"), new Dictionary<string, string>(), new HeaderDictionary())!.ToJsonString()).ShouldBe((false, "\"x\""));
    }

    [Theory]
    [InlineData("""{ "schema": { "type": "array", "items": { "type": "integer" } } }""", "?p=1&p=2", "[1,2]")]
    [InlineData("""{ "schema": { "type": "array", "items": { "type": "string" } } }""", "?p=a,b", """["a,b"]""")]
    [InlineData("""{ "explode": false, "schema": { "type": "array", "items": { "type": "string" } } }""", "?p=a,b", """["a","b"]""")]
    [InlineData("""{ "style": "pipeDelimited", "explode": false, "schema": { "type": "array", "items": { "type": "number" } } }""", "?p=1.5|2", "[1.5,2]")]
    [InlineData("""{ "style": "deepObject", "schema": { "type": "object", "properties": { "min": { "type": "integer" }, "name": { "type": "string" } } } }""", "?p[min]=1&p[name]=2&q=3", """{"min":1,"name":"2"}""")]
    [InlineData("""{ "schema": { "type": "object", "properties": { "min": { "type": "integer" }, "max": { "type": "integer" } } } }""", "?min=1&other=2", """{"min":1}""")]
    [InlineData("""{ "schema": { "allOf": [ { "$ref": "#/components/schemas/Whole" } ] } }""", "?p=5", "5")]
    [InlineData("""{ "schema": { "enum": [ 1, 2 ] } }""", "?p=2", "2")]
    [InlineData("""{ "schema": { "type": [ "null", "boolean" ] } }""", "?p=true", "true")]
    [InlineData("""{ "schema": { "type": [ "integer", "string" ] } }""", "?p=5", "\"5\"")]
    [InlineData("""{ "content": { "application/json": { "schema": { "type": "object" } } } }""", "?p=%7B%22a%22%3A1%7D", """{"a":1}""")]
    [InlineData("""{ "schema": { "type": "integer" } }""", "?q=5", null)]
    public void A_parameter_is_read_as_its_style_says(string described, string query, string? value)
    {
        var parameter = Operation($$"""[ { "in": "query", "name": "p", {{described.TrimStart('{', ' ')}} ]""", "[]").Parameters.Single();
        parameter.Of(QueryHelpers.ParseQuery(query), new Dictionary<string, string>(), new HeaderDictionary())?.ToJsonString().ShouldBe(value);
    }

    [Theory]
    [InlineData("""{ "/a": 5 }""", "/a: an object with operations is expected here.")]
    [InlineData("""{ "/a": { "get": true } }""", "GET /a: is not written as OpenAPI says")]
    [InlineData("""{ "/a": { "get": { "responses": { "200": [] } } } }""", "GET /a: is not written as OpenAPI says")]
    [InlineData("""{ "/a": { "post": { "requestBody": { "content": { "application/json": 1 } } } } }""", "POST /a: is not written as OpenAPI says")]
    public void What_is_mistaken_is_said_with_its_place(string paths, string said)
    {
        List<string> mistakes = [];
        OpenApiBook.Read(JsonNode.Parse($$"""{ "openapi": "3.1.0", "paths": {{paths}} }""")!, mistakes);
        mistakes.ShouldHaveSingleItem().ShouldStartWith(said);
    }

    [Fact]
    public void A_body_is_held_against_the_schema_of_its_own_media_type()
    {
        var operation = Book("""
            { "openapi": "3.1.0", "paths": { "/": { "patch": { "requestBody": { "required": "yes", "content": {
              "application/json": { "schema": { "type": "object" } }, "application/json-patch+json": { "schema": { "type": "array" } } } }, "responses": {} } } } }
            """).Find("PATCH", ["/"], out _)!;
        List<Violation> violations = [];
        operation.BodyOf("application/json-patch+json")!.Validate("[]"u8.ToArray(), violations);
        operation.BodyOf("application/json; charset=utf-8")!.Validate("{}"u8.ToArray(), violations);
        violations.ShouldBeEmpty();
    }

    private static Operation Operation(string ofPath, string ofOperation) => Book($$"""
        { "openapi": "3.1.0", "paths": { "/": { "parameters": {{ofPath}}, "get": { "parameters": {{ofOperation}}, "responses": {} } } }, "components": { "schemas": { "Whole": { "type": "integer" } } } }
        """).Find("GET", ["/"], out _)!;

    private static OpenApiBook Book(string json)
    {
        List<string> mistakes = [];
        var book = OpenApiBook.Read(JsonNode.Parse(json)!, mistakes);
        mistakes.ShouldBeEmpty();
        return book!;
    }
}
