using System.Text.Json;
using Tollgate.Gateway.Aggregates;

namespace Tollgate.UnitTests.Gateway;

public sealed class JsonPathTests
{
    private const string Document = """
        { "store": { "book": [ { "id": 1, "price": 8, "by": "a" }, { "id": 2, "price": 12, "by": "b", "isbn": "x" }, { "id": 3, "price": 22, "by": "a" } ], "bell": { "price": 19 } }, "odd name": [ [ 1, 2 ], [ 3 ] ] }
        """;

    [Theory]
    [InlineData("$.store.book[*].id", "1,2,3")]
    [InlineData("store.book[0].id", "1")]
    [InlineData("$['store']['book'][-1]['id']", "3")]
    [InlineData("$.store.book[0,2].id", "1,3")]
    [InlineData("$.store.book[0:2].id", "1,2")]
    [InlineData("$.store.book[::-1].id", "3,2,1")]
    [InlineData("$..price", "8,12,22,19")]
    [InlineData("$.store.*.price", "19")]
    [InlineData("$..book[?(@.price < 20)].id", "1,2")]
    [InlineData("$.store.book[?@.isbn].id", "2")]
    [InlineData("$.store.book[?(@.by == 'a' && @.price > 10)].id", "3")]
    [InlineData("$.store.book[?(!@.isbn || @.id == 2)].id", "1,2,3")]
    [InlineData("$.store.book[?(@.price == $.store.bell.price)].id", "")]
    [InlineData("$['odd name'][*][0]", "1,3")]
    [InlineData("$.none.at.all", "")]
    public void A_path_finds_what_it_names(string path, string values)
    {
        JsonPath.TryParse(path, out var parsed).ShouldBeTrue();
        using var document = JsonDocument.Parse(Document);
        string.Join(',', parsed.Select(document.RootElement).Select(value => value.ToString())).ShouldBe(values);
    }

    [Theory]
    [InlineData("$[")]
    [InlineData("$.a[?(@.b ==)]")]
    [InlineData("$.a b")]
    [InlineData("$['a]")]
    [InlineData("$.")]
    [InlineData("$[1 2]")]
    public void What_is_no_path_is_refused(string path) => JsonPath.TryParse(path, out _).ShouldBeFalse();
}
