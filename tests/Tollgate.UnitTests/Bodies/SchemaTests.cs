using System.Text.Json.Nodes;
using Tollgate.Gateway.Bodies;

namespace Tollgate.UnitTests.Bodies;

/// <summary>JSON Schema, of all drafts in use, and what OpenAPI adds.</summary>
public sealed class SchemaTests
{
    [Theory]
    [InlineData("""{ "iban": 1 }""", "/pay", "/pay/iban")]                                    // nothing but a value keeps this one from fitting
    [InlineData("""{ "card": "12" }""", "/pay", "/pay/card")]
    [InlineData("""{ "kind": "voucher", "codes": [ "a", 1 ] }""", "/pay", "/pay/codes/1")]
    [InlineData("""{ "kind": "voucher" }""", "/pay", "/pay/codes")]                             // the others lack more
    [InlineData("{}", "/pay")]
    [InlineData("5", "/pay")]
    public void Of_alternatives_the_one_that_was_meant_says_what_is_wrong(string value, params string[] pointers)
    {
        foreach (var word in new[] { "oneOf", "anyOf" })
        {
            var schema = Compile($$"""
                { "properties": { "pay": { "{{word}}": [
                  { "type": "object", "required": [ "iban" ], "properties": { "iban": { "type": "string" } }, "additionalProperties": false },
                  { "type": "object", "required": [ "card" ], "properties": { "card": { "type": "string", "minLength": 4 } }, "additionalProperties": false },
                  { "type": "object", "required": [ "kind", "codes" ], "properties": { "kind": { "const": "voucher" }, "codes": { "items": { "type": "string" } } } } ] } } }
                """);

            Violations(schema, $$"""{ "pay": {{value}} }""").Select(violation => violation.Pointer).ShouldBe(pointers);
        }
    }

    [Theory]
    [InlineData("""{ "type": "integer" }""", "1.0", "1.5")]
    [InlineData("""{ "type": [ "string", "null" ] }""", "null", "1")]
    [InlineData("""{ "const": { "a": 1, "b": [ 2 ] } }""", """{ "b": [ 2.0 ], "a": 1 }""", """{ "a": 1 }""")]
    [InlineData("""{ "enum": [ "a", 1 ] }""", "1.0", "\"1\"")]
    [InlineData("""{ "exclusiveMinimum": 0, "exclusiveMaximum": 10 }""", "0.1", "10")]
    [InlineData("""{ "minimum": 0, "exclusiveMinimum": true }""", "1", "0")]
    [InlineData("""{ "multipleOf": 0.01 }""", "19.99", "19.999")]
    [InlineData("""{ "maximum": 9007199254740993 }""", "9007199254740993", "9007199254740994")]
    [InlineData("""{ "minLength": 2, "maxLength": 2 }""", "\"\ud83d\ude00\ud83d\ude00\"", "\"\ud83d\ude00\"")]
    [InlineData("""{ "pattern": "^\\d+$" }""", "\"12\"", "\"12\\n\"")]
    [InlineData("""{ "pattern": "^\\d+$" }""", "\"12\"", "\"\u0661\"")]
    [InlineData("""{ "pattern": "^(?=.*[A-Z])[\\w$[]+$" }""", "\"aB$[\"", "\"ab\"")]
    [InlineData("""{ "format": "date-time" }""", "\"2026-01-31T10:00:00+01:00\"", "\"2026-01-31\"")]
    [InlineData("""{ "format": "date" }""", "\"2024-02-29\"", "\"2026-02-29\"")]
    [InlineData("""{ "format": "email" }""", "\"a@b.example\"", "\"A <a@b.example>\"")]
    [InlineData("""{ "format": "uuid" }""", "\"00000000-0000-0000-0000-000000000000\"", "\"{00000000-0000-0000-0000-000000000000}\"")]
    [InlineData("""{ "format": "uri" }""", "\"https://example.com/a\"", "\"/a\"")]
    [InlineData("""{ "format": "int32" }""", "2147483647", "2147483648")]
    [InlineData("""{ "minItems": 1, "maxItems": 2, "uniqueItems": true }""", "[1,2]", "[1,1.0]")]
    [InlineData("""{ "prefixItems": [ { "type": "string" } ], "items": { "type": "number" } }""", """["a",1,2]""", """["a",1,"b"]""")]
    [InlineData("""{ "items": [ { "type": "string" } ], "additionalItems": false }""", """["a"]""", """["a",1]""")]
    [InlineData("""{ "contains": { "const": 1 }, "minContains": 2, "maxContains": 3 }""", "[1,0,1]", "[1,0]")]
    [InlineData("""{ "patternProperties": { "^x-": { "type": "number" } }, "additionalProperties": false }""", """{"x-a":1}""", """{"y":1}""")]
    [InlineData("""{ "propertyNames": { "maxLength": 2 } }""", """{"ab":1}""", """{"abc":1}""")]
    [InlineData("""{ "minProperties": 1, "maxProperties": 1 }""", """{"a":1}""", "{}")]
    [InlineData("""{ "dependentRequired": { "card": [ "address" ] } }""", """{"address":1}""", """{"card":1}""")]
    [InlineData("""{ "dependencies": { "a": [ "b" ], "c": { "required": [ "d" ] } } }""", """{"a":1,"b":1}""", """{"c":1}""")]
    [InlineData("""{ "dependentSchemas": { "a": { "properties": { "b": { "type": "number" } } } } }""", """{"b":"x"}""", """{"a":1,"b":"x"}""")]
    [InlineData("""{ "if": { "properties": { "kind": { "const": "card" } } }, "then": { "required": [ "number" ] }, "else": { "required": [ "iban" ] } }""", """{"kind":"card","number":1}""", """{"kind":"bank","number":1}""")]
    [InlineData("""{ "anyOf": [ { "type": "string" }, { "minimum": 5 } ] }""", "5", "4")]
    [InlineData("""{ "oneOf": [ { "multipleOf": 2 }, { "multipleOf": 3 } ] }""", "4", "6")]
    [InlineData("""{ "not": { "type": "null" } }""", "1", "null")]
    [InlineData("""{ "allOf": [ { "properties": { "a": true } }, { "properties": { "b": true } } ], "unevaluatedProperties": false }""", """{"a":1,"b":2}""", """{"a":1,"c":2}""")]
    [InlineData("""{ "anyOf": [ { "properties": { "a": { "const": 1 } } }, { "properties": { "b": true } } ], "unevaluatedProperties": false }""", """{"a":1,"b":2}""", """{"a":2,"b":2}""")]
    [InlineData("""{ "prefixItems": [ true ], "contains": { "const": 7 }, "unevaluatedItems": { "type": "string" } }""", """[1,7,"x"]""", "[1,7,8]")]
    [InlineData("""{ "$ref": "#/$defs/a", "$defs": { "a": { "type": "object", "properties": { "next": { "$ref": "#/$defs/a" } }, "additionalProperties": false } } }""", """{"next":{"next":{}}}""", """{"next":{"other":1}}""")]
    [InlineData("""{ "$ref": "#there", "$defs": { "a": { "$anchor": "there", "type": "null" } } }""", "null", "1")]
    [InlineData("""{ "$ref": "https://example.com/a.json", "$defs": { "a": { "$id": "https://example.com/a.json", "type": "null" } } }""", "null", "1")]
    [InlineData("""{ "$ref": "#/$defs/a", "minimum": 3, "$defs": { "a": { "type": "number" } } }""", "3", "2")]
    [InlineData("""{ "properties": { "a~/b": false } }""", """{"b":1}""", """{"a~/b":1}""")]
    [InlineData("""{ "$id": "https://a.example/root.json", "$ref": "sub/item.json#/$defs/n", "$defs": { "a": { "$id": "sub/item.json", "$defs": { "n": { "type": "number" } } } } }""", "1", "\"x\"")]
    [InlineData("""{ "$defs": { "no": { "const": { "$anchor": "here", "type": "null" } }, "yes": { "$anchor": "here", "type": "string" } }, "$ref": "#here" }""", "\"x\"", "null")]
    [InlineData("""{ "$id": "https://a.example/strict", "$dynamicAnchor": "node", "$ref": "tree", "unevaluatedProperties": false, "$defs": { "t": { "$id": "tree", "$dynamicAnchor": "node", "properties": { "data": true, "children": { "items": { "$dynamicRef": "#node" } } } } } }""", """{"children":[{"data":1}]}""", """{"children":[{"daat":1}]}""")]
    [InlineData("""{ "properties": { "foo": { "type": "string" }, "next": { "$recursiveRef": "#" } }, "additionalProperties": false }""", """{"next":{"foo":"x"}}""", """{"next":{"bar":1}}""")]
    [InlineData("""{ "pattern": "^\\p{Letter}\\s\ud83d\udc32*$" }""", "\"a\ufeff\ud83d\udc32\ud83d\udc32\"", "\"1 \"")]
    [InlineData("""{ "format": "date-time" }""", "\"1998-12-31T15:59:60-08:00\"", "\"1998-12-31T22:59:60Z\"")]
    [InlineData("""{ "format": "time" }""", "\"23:59:60Z\"", "\"22:60:00Z\"")]
    [InlineData("""{ "format": "email" }""", "\"\\\"a b\\\"@example.com\"", "\"te.st.@example.com\"")]
    [InlineData("""{ "format": "uri-reference" }""", "\"#fragment\"", "\"\\\\\\\\a\"")]
    [InlineData("true", "1", null)]
    [InlineData("false", null, "1")]
    public void A_rule_is_kept(string schema, string? keeps, string? breaks)
    {
        var compiled = Compile(schema);
        if (keeps is not null) Violations(compiled, keeps).ShouldBeEmpty();
        if (breaks is null) return;
        Violations(compiled, breaks).ShouldNotBeEmpty();
        Violations(compiled, breaks).ShouldAllBe(violation => violation.Detail.EndsWith('.'));
    }

    [Theory]
    [InlineData("""{ "$ref": "http://10.0.0.1/secret" }""", "is another document")]
    [InlineData("""{ "items": { "$ref": "file:///etc/passwd" } }""", "is another document")]
    [InlineData("""{ "properties": { "a": { "$ref": "#/nowhere" } } }""", "at /properties/a/$ref \"#/nowhere\" leads nowhere.")]
    [InlineData("""{ "pattern": "(" }""", "is not a regular expression")]
    [InlineData("""{ "type": "text" }""", "at /type \"text\" is not a type.")]
    [InlineData("""{ "minimum": "1" }""", "at /minimum a number is expected here.")]
    [InlineData("""{ "allOf": {} }""", "at /allOf a list of schemas is expected here.")]
    [InlineData("""{ "items": 7 }""", "at /items a schema is expected here.")]
    public void A_schema_that_cannot_be_read_is_a_mistake_with_its_place(string schema, string said)
    {
        var mistakes = new List<string>();
        BodySchema.Compile(JsonNode.Parse(schema)!, mistakes).ShouldBeNull();
        mistakes.Single().ShouldContain(said);
    }

    [Fact]
    public void Every_violation_has_its_pointer_and_there_are_not_too_many()
    {
        var schema = Compile("""{ "items": { "properties": { "a/b": { "type": "integer" }, "c": { "items": { "maximum": 1 } } }, "required": [ "d" ] } }""");
        Violations(schema, """[ { "a/b": "x", "d": 1 }, { "c": [ 0, 2 ] } ]""").Select(violation => violation.Pointer).ShouldBe(["/0/a~1b", "/1/d", "/1/c/1"], ignoreOrder: true);
        Violations(schema, $"[{string.Join(',', Enumerable.Repeat("{}", 5000))}]").Count.ShouldBe(20);
    }

    [Fact]
    public void A_schema_without_end_ends()
    {
        Violations(Compile("""{ "$ref": "#" }"""), "1").Single().Detail.ShouldContain("nested too deeply");
        Violations(Compile("""{ "pattern": "^(a+)+$" }"""), $"\"{new string('a', 5000)}b\"").Count.ShouldBe(1);
        Violations(Compile("""{ "pattern": "^(?!x)(a+)+$" }"""), $"\"{new string('a', 5000)}b\"").Single().Detail.ShouldContain("takes too long");
        Violations(Compile("""{ "uniqueItems": true }"""), $"[{string.Join(',', Enumerable.Range(0, 200_000))}]").ShouldBeEmpty();
    }

    [Fact]
    public void OpenApi_knows_null_and_who_writes_what()
    {
        var mistakes = new List<string>();
        var book = OpenApiBook.Read(JsonNode.Parse("""
            { "openapi": "3.0.3", "paths": { "/a": { "post": {
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/A" } } } },
                "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/A" } } } } } } } },
              "components": { "schemas": {
                "Id": { "type": "string", "readOnly": true },
                "A": { "type": "object", "required": [ "id", "secret", "kind" ], "properties": {
                  "id": { "$ref": "#/components/schemas/Id" }, "secret": { "type": "string", "writeOnly": true }, "kind": { "type": "string", "nullable": true, "enum": [ "x" ] } } } } } }
            """)!, mistakes)!;
        mistakes.ShouldBeEmpty();
        var operation = book.Find("POST", ["/a"], out _)!;
        Violations(operation.BodyOf("application/json")!, """{ "secret": "s", "kind": null }""").ShouldBeEmpty();
        Violations(operation.BodyOf("application/json")!, """{ "id": "1", "kind": "y" }""").Select(violation => violation.Pointer).ShouldBe(["/secret", "/kind"], ignoreOrder: true);
        Violations(operation.AnswerOf(200)!.Schema!, """{ "id": "1", "kind": "x" }""", isAnswer: true).ShouldBeEmpty();
        Violations(operation.AnswerOf(200)!.Schema!, """{ "kind": "x" }""", isAnswer: true).Single().Pointer.ShouldBe("/id");
    }

    private static BodySchema Compile(string schema)
    {
        var mistakes = new List<string>();
        var compiled = BodySchema.Compile(JsonNode.Parse(schema)!, mistakes);
        mistakes.ShouldBeEmpty();
        return compiled!;
    }

    private static List<Violation> Violations(BodySchema schema, string body, bool isAnswer = false)
    {
        var violations = new List<Violation>();
        schema.Validate(body, "", violations, isAnswer);
        return violations;
    }
}
