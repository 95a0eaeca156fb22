using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Fragments;
using Tollgate.Gateway.Fragments;
using Tollgate.Gateway.Ocelot;
using Tollgate.Publishing.Fragments;
using Tollgate.Testing;

namespace Tollgate.UnitTests.Fragments;

public sealed class FragmentTests
{
    [Theory]
    [InlineData("/orders/{rest}", "/orders", true)]
    [InlineData("/orders/{rest}", "/orders/{id}/lines", true)]
    [InlineData("/orders", "/ORDERS/x", true)]
    [InlineData("/orders", "/orders-archive/{rest}", false)]
    [InlineData("/inv_{a}", "/inv_2/x", true)]
    [InlineData("/inv_{a}", "/invoices", false)]
    [InlineData("/{everything}", "/orders", false)]
    [InlineData("/{everything}", "/{else}", true)]
    [InlineData("/a?x={x}", "/a", true)]
    [InlineData("/{tenant}/orders", "/orders", true)]                // it takes /orders/orders
    [InlineData("/{tenant}/orders", "/{everything}", false)]
    [InlineData("/{a}_b", "/orders", true)]
    [InlineData("/", "/orders", false)]                              // the root is the root
    [InlineData("/", "/{everything}", false)]
    [InlineData("/", "/?q={q}", true)]
    public void Paths_below_one_prefix_have_one_owner(string one, string other, bool overlap)
    {
        var (a, b) = (PathClaim.Of(null, one, 1), PathClaim.Of(null, other, 1));
        a.Overlaps(b).ShouldBe(overlap);
        b.Overlaps(a).ShouldBe(overlap);
    }

    [Fact]
    public void Hosts_keep_owners_apart_and_any_host_is_everybodys()
    {
        PathClaim.Of("a.example", "/x", 1).Overlaps(PathClaim.Of("b.example", "/x", 1)).ShouldBeFalse();
        PathClaim.Of("a.example", "/x", 1).Overlaps(PathClaim.Of("A.example", "/x/y", 1)).ShouldBeTrue();
        PathClaim.Of("a.example", "/x", 1).Overlaps(PathClaim.Of(null, "/x", 1)).ShouldBeTrue();

        // Who has all of a host has what others own on every host.
        PathClaim.Of("a.example", "/{all}", 1).Overlaps(PathClaim.Of(null, "/x", 1)).ShouldBeTrue();
        PathClaim.Of("a.example", "/{all}", 1).Overlaps(PathClaim.Of("a.example", "/x", 1)).ShouldBeFalse();
        PathClaim.Of("a.example", "/{all}", 1).Overlaps(PathClaim.Of(null, "/{all}", 1)).ShouldBeFalse();
        PathClaim.Of(null, "/{all}", 1).Overlaps(PathClaim.Of("a.example", "/x", 1)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("/%6frders/q", "/orders/q")]
    [InlineData("/a b/{x}", "/a%20b")]
    [InlineData("/%2Forders", "/%2Forders")]
    [InlineData("/é{x}?q={q}", "/%C3%A9…")]
    public void Another_spelling_of_a_path_is_no_other_path(string template, string claimed)
    {
        var reading = FragmentReader.Read("thief", $$"""{ "Routes": [ { "UpstreamPathTemplate": "{{template}}", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h", "Port": 1 } ] } ] }""");

        reading.Mistakes.ShouldBeEmpty();
        reading.Claims.Single().ToString().ShouldBe(claimed);
    }

    [Fact]
    public void A_fragment_is_read_with_its_lines_and_says_no_more_than_its_routes()
    {
        var reading = FragmentReader.Read("orders", """
            {
              // our routes
              "Routes": [
                { "UpstreamPathTemplate": "/orders/{rest}", "DownstreamPathTemplate": "/{rest}", "DownstreamHostAndPorts": [ { "Host": "${SECRET}.example", "Port": 80 } ],
                  "Tollgate": { "Validation": { "SchemaFile": "/etc/passwd" } } }
              ],
              "GlobalConfiguration": { "BaseUrl": "http://x" }
            }
            """);
        var said = reading.Mistakes.Select(mistake => $"{mistake.Line} {mistake.Property}: {mistake.Sentence}").ToArray();
        said.ShouldContain(line => line.Contains("${SECRET} is the gateway's"));
        said.ShouldContain(line => line.StartsWith("5 Routes[0].Tollgate.Validation.SchemaFile"));
        said.ShouldContain(line => line.StartsWith("7 GlobalConfiguration: a fragment holds Routes alone"));

        FragmentReader.Read("orders", "{ \"Routes\": [ }").Mistakes.ShouldNotBeEmpty();
        FragmentReader.Read("orders", "{}").Mistakes.Single().Sentence.ShouldContain("at least one route");
        FragmentReader.Read("orders", Fragment("/orders", "\"AuthenticationOptions\": { \"AuthenticationProviderKey\": \"theirs\" }")).Mistakes.ShouldBeEmpty();
    }

    [Fact]
    public void A_fragment_that_cannot_be_used_is_left_out_alone()
    {
        var files = new OcelotConfiguration { Routes = Routes("/files/{rest}"), Global = new OcelotGlobal(), Providers = new Dictionary<string, TokenProviderOptions>(), Files = [], Warnings = [] };
        var book = new FragmentBook();
        book.Take([new FragmentItem("a", 1, Fragment("/a")), new FragmentItem("b", 1, Fragment("/b")), new FragmentItem("c", 1, Fragment("/files/c"))]);
        Templates(book.Join(files)).ShouldBe(["/files/{rest}", "/a", "/b"]);
        book.Facts.Single(fact => fact.Service == "c").Errors.Single().ShouldBe("c:1: the service c claims /files/c, which ocelot.json:1 owns with /files.");

        book.Take([new FragmentItem("a", 2, "{ broken"), new FragmentItem("b", 2, Fragment("/b2"))]);
        Templates(book.Join(files)).ShouldBe(["/files/{rest}", "/a", "/b2"]);
        book.Facts[0].ShouldSatisfyAllConditions(fact => fact.InForce.ShouldBe(1), fact => fact.Version.ShouldBe(2), fact => fact.Errors.ShouldNotBeEmpty());

        book.Take([]);
        book.Join(files).ShouldBeSameAs(files);
    }

    [Fact]
    public void Aggregates_and_named_services_of_the_files_own_their_paths_too_and_dynamic_routes_go_on_beside_fragments()
    {
        using var folder = new TempFolder();
        var book = new FragmentBook();
        book.Take([new FragmentItem("a", 1, Fragment("/both/x")), new FragmentItem("b", 1, Fragment("/free"))]);
        book.Join(OcelotReader.Read(folder.Write("aggregates.json", """
            { "Routes": [ { "Key": "one", "UpstreamPathTemplate": "/one", "UpstreamHttpMethod": [ "Get" ], "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "service", "Port": 80 } ] } ],
              "Aggregates": [ { "UpstreamPathTemplate": "/both/{x}", "RouteKeys": [ "one" ] } ] }
            """)));
        book.Facts.Select(fact => fact.InForce).ShouldBe([null, 1]);

        book.Take([new FragmentItem("a", 2, Fragment("/orders/x")), new FragmentItem("b", 2, Fragment("/free"))]);
        var joined = book.Join(OcelotReader.Read(folder.Write("dynamic.json", """
            { "DynamicRoutes": [ { "ServiceName": "orders" } ], "GlobalConfiguration": { "ServiceDiscoveryProvider": { "Type": "Consul" } } }
            """)));
        book.Facts.Select(fact => fact.InForce).ShouldBe([null, 2]);
        (joined.Routes.Count, joined.IsDynamic).ShouldBe((1, true));
    }

    [Fact]
    public void Differences_are_shown_as_everybody_reads_them()
    {
        var before = string.Join('\n', Enumerable.Range(1, 20));
        var after = before.Replace("\n10\n", "\nten\n10b\n").Replace("\n20", "");
        LineDiff.Unified(before, after, "a", "b").ShouldBe("""
            --- a
            +++ b
            @@ -7,7 +7,8 @@
             7
             8
             9
            -10
            +ten
            +10b
             11
             12
             13
            @@ -17,4 +18,3 @@
             17
             18
             19
            -20

            """);
        LineDiff.Unified("x", "x", "a", "b").ShouldBeEmpty();
        LineDiff.Unified("", "x\n", "a", "b").ShouldBe("--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n");
    }

    private static IReadOnlyList<OcelotRoute> Routes(string template) =>
        FragmentReader.Read("ocelot.json", Fragment(template), null, [], []);

    private static string[] Templates(OcelotConfiguration configuration) => [.. configuration.Routes.Select(route => route.UpstreamPathTemplate)];

    private static string Fragment(string template, string more = "") =>
        $$"""{ "Routes": [ { "UpstreamPathTemplate": "{{template}}", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "service", "Port": 80 } ]{{(more.Length > 0 ? ", " + more : "")}} } ] }""";
}
