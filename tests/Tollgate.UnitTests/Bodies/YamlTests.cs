using Tollgate.Gateway.Bodies;
using YamlDotNet.Core;

namespace Tollgate.UnitTests.Bodies;

/// <summary>YAML as the JSON that it stands for.</summary>
public sealed class YamlTests
{
    [Theory]
    [InlineData("a: 1\nb: -2.50\nc: +7\nd: 007\ne: .5\nf: 1.\ng: 1e3\nh: 0x1F", """{"a":1,"b":-2.50,"c":7,"d":7,"e":0.5,"f":1,"g":1e3,"h":31}""")]
    [InlineData("a: yes\nb: \"1\"\nc: '2'\nd: true\ne: ~\nf: !!str 3\ng: 2020-01-01\nh: 12:30\ni: 1.2.3\nk:", """{"a":"yes","b":"1","c":"2","d":true,"e":null,"f":"3","g":"2020-01-01","h":"12:30","i":"1.2.3","k":null}""")]
    [InlineData("# a comment\nlist:\n  - x\n  - { y: 1, z: [ 2, 3 ] }\ntext: |\n  two\n  lines\n'200': ok", """{"list":["x",{"y":1,"z":[2,3]}],"text":"two\nlines\n","200":"ok"}""")]
    [InlineData("{ \"json\": [ 1, null ] }", """{"json":[1,null]}""")]
    [InlineData("", "null")]
    public void It_is_read_by_the_core_schema(string yaml, string json) =>
        (YamlDocument.Read(yaml)?.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) ?? "null").ShouldBe(json);

    [Theory]
    [InlineData("a: &x [ 1 ]\nb: *x", 2, "aliases")]
    [InlineData("a: 1\na: 2", 2, "twice")]
    [InlineData("a: 1\n---\nb: 2", 2, "second document")]
    [InlineData("a: [ 1", 2, "")]
    public void What_is_doubtful_is_refused_with_its_line(string yaml, int line, string word)
    {
        var refused = Should.Throw<YamlException>(() => YamlDocument.Read(yaml));
        refused.Start.Line.ShouldBe(line);
        refused.Message.ShouldContain(word);
    }

    [Fact]
    public void A_document_that_ends_or_breaks_anywhere_is_refused_and_nothing_worse()
    {
        const string document = "openapi: 3.1.0\ninfo: { title: \"T\", version: '1' }\nlist:\n  - a: [ 1, { b: c } ]\n    d: |\n      text\n  - &x y\n";
        for (var i = 0; i <= document.Length; i++)
            foreach (var broken in new[] { document[..i], document.Insert(i, "}"), document.Insert(i, "\t"), document.Insert(i, ": "), document.Insert(i, "\u0001"), document.Insert(i, "%") })
                try
                {
                    YamlDocument.Read(broken);
                }
                catch (YamlException refused)
                {
                    refused.Message.ShouldNotBeEmpty();
                }
    }

    [Fact]
    public void Depth_is_bounded() => Should.Throw<YamlException>(() => YamlDocument.Read(new string('[', 2000) + new string(']', 2000)));
}
