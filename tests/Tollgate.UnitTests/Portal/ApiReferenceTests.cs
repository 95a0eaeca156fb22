using Tollgate.Portal.Wording;

namespace Tollgate.UnitTests.Portal;

public sealed class ApiReferenceTests
{
    private const string Json = """
        {"openapi":"3.0.3","info":{"title":"Weather","version":"1.2"},
         "paths":{"/current/{city}":{"parameters":[{"name":"city","in":"path","required":true,"schema":{"type":"string","example":"São Paulo"}}],
           "get":{"summary":"Now","tags":["now"],
             "parameters":[{"name":"units","in":"query","required":true,"schema":{"type":"string","enum":["metric","imperial"]}},{"name":"lang","in":"query","schema":{"type":"string"}}],
             "responses":{"200":{"description":"The weather"},"404":{"description":"No such city"}}},
           "post":{"deprecated":true,"requestBody":{"content":{"application/json":{"example":{"a":1}}}},"responses":{"204":{"description":"Done"}}}}}}
        """;

    [Fact]
    public void Operations_are_read_with_what_a_caller_needs()
    {
        var (reference, error) = ApiReference.Read(Json);
        error.ShouldBeNull();
        reference!.Title.ShouldBe("Weather");
        reference.Version.ShouldBe("1.2");
        var get = reference.Operations.Single(o => o.Method == "GET");
        get.Summary.ShouldBe("Now");
        get.Group.ShouldBe("now");
        get.Parameters.Select(p => (p.Name, p.In, p.Required)).ShouldBe([("units", "query", true), ("lang", "query", false), ("city", "path", true)]);
        get.Parameters[0].Type.ShouldBe("string: metric, imperial");
        get.Responses.ShouldBe([("200", "The weather"), ("404", "No such city")]);
        var post = reference.Operations.Single(o => o.Method == "POST");
        post.Deprecated.ShouldBeTrue();
        post.Body.ShouldBe("""{"a":1}""");
    }

    [Theory]
    [InlineData("/weather/v1", "/weather/v1/current/S%C3%A3o%20Paulo?units=metric")]
    [InlineData("/", "/current/S%C3%A3o%20Paulo?units=metric")]
    [InlineData("/current", "/current/S%C3%A3o%20Paulo?units=metric")]
    public void An_example_path_has_what_must_be_there_and_the_base_path_once(string basePath, string expected) =>
        ApiReference.Read(Json).Reference!.Operations[0].ExamplePath(basePath).ShouldBe(expected);

    [Fact]
    public void Yaml_reads_like_json()
    {
        var (reference, error) = ApiReference.Read("openapi: 3.1.0\ninfo: {title: Tides, version: '2'}\npaths:\n  /tides:\n    get:\n      responses: {'200': {description: ok}}\n");
        error.ShouldBeNull();
        reference!.Title.ShouldBe("Tides");
        reference.Version.ShouldBe("2");
        reference.Operations.Single().Path.ShouldBe("/tides");
    }

    [Theory]
    [InlineData("")]
    [InlineData("  \n ")]
    public void No_document_is_no_error(string document) => ApiReference.Read(document).ShouldBe((null, null));

    [Theory]
    [InlineData("{ \"openapi\": oops }", "line 1")]
    [InlineData("{ \"openapi\": \"3.0.0\",\n \"info\": ", "line 2")]
    [InlineData("a: b: c", "line 1")]
    [InlineData("just words", "cannot be read")]
    [InlineData("[1, 2]", "cannot be read")]
    [InlineData("{}", "cannot be read")]
    [InlineData("{\"openapi\":\"9.9\",\"paths\":7}", "cannot be read")]
    [InlineData("a: &a [x]\nb: *a", "aliases")]
    public void What_cannot_be_read_is_said_in_a_sentence(string document, string part)
    {
        var (reference, error) = ApiReference.Read(document);
        reference.ShouldBeNull();
        error.ShouldNotBeNull().ShouldContain(part);
    }

    [Fact]
    public void A_small_document_that_would_unfold_into_a_huge_one_is_refused()
    {
        var yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 12).Select(i => $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 9))}]\n"));
        ApiReference.Read(yaml).Error.ShouldNotBeNull().ShouldContain("aliases");
    }
}
