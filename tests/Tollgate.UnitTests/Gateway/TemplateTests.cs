namespace Tollgate.UnitTests.Gateway;

public sealed class TemplateTests
{
    [Theory]
    [InlineData("/a/{v}/items", "/a/1/items", true)]
    [InlineData("/a/{v}/items", "/a/items", false)]
    [InlineData("/a/{v}/items", "/a//items", false)]
    [InlineData("/a/{v}/items", "/a/1/2/items", false)]
    [InlineData("/t/{everything}", "/t/a/b/", true)]
    [InlineData("/t/{everything}", "/t/", true)]
    [InlineData("/t/{everything}", "/t", true)]
    [InlineData("/t/{everything}", "/t123", false)]
    [InlineData("/data/{v}/s/{rest}", "/data/1/s/a/b", true)]
    [InlineData("/data/{v}/s/{rest}", "/data/1/2/s/a", false)]
    [InlineData("/t/{id}/", "/t/5", true)]
    [InlineData("/t/{id}/", "/t/5/", true)]
    [InlineData("/t/{id}/", "/t/5/6", false)]
    [InlineData("/items", "/items/", false)]
    [InlineData("/items/", "/items", true)]
    [InlineData("/items/", "/items/", true)]
    [InlineData("/", "/", true)]
    [InlineData("/", "/a", false)]
    [InlineData("/{x}", "/", true)]
    [InlineData("/{x}", "/a/b?c=d", true)]
    [InlineData("/inv_{a}/{b}-{c}_end/{d}", "/inv_1/2-3_end/4/5", true)]
    [InlineData("/inv_{a}/{b}-{c}_end/{d}", "/inv_/2-3_end/4", false)]
    [InlineData("/a.b/c(1)/d++", "/a.b/c(1)/d++", true)]
    [InlineData("/a.b", "/axb", false)]
    [InlineData("/a%20b", "/a%20b", true)]
    [InlineData("/Case", "/cASE", true)]
    [InlineData("/admin", "/%61dmin", true)]
    [InlineData("/admin", "/x/../admin", true)]
    [InlineData("/admin", "/x/%2E%2e/admin", true)]
    [InlineData("/x/{rest}", "/x/../admin", false)]
    [InlineData("/u?id={id}", "/u?id=5", true)]
    [InlineData("/u?id={id}", "/u?id=5&more=1", true)]
    [InlineData("/u?id={id}", "/u?more=1&id=5", false)]
    [InlineData("/u?id={id}", "/u", false)]
    [InlineData("/u?{all}", "/u", true)]
    [InlineData("/u?{all}", "/u?", true)]
    [InlineData("/u?{all}", "/u?a=b", true)]
    public void A_template_takes_what_Ocelot_documents(string template, string target, bool taken) =>
        (Routing.Send(template, "/", target) is not null).ShouldBe(taken);

    [Theory]
    [InlineData("/a/{id}/items", "/x/{id}", "/a/1/items", "/x/1")]
    [InlineData("/t/{everything}", "/base/{everything}", "/t/a/b/", "/base/a/b/")]
    [InlineData("/t/{everything}", "/base/{everything}", "/t", "/base")]
    [InlineData("/t/{everything}", "/base/{everything}", "/t/", "/base/")]
    [InlineData("/items", "/things/", "/items", "/things")]
    [InlineData("/items/", "/things/", "/items/", "/things/")]
    [InlineData("/inv_{a}/{b}-{c}_end/{d}", "/{d}/{c}/{b}/{a}", "/inv_1/2-3_end/4/5", "/4/5/3/2/1")]
    [InlineData("/{tenant}/{rest}", "/{rest}", "/acme/a/b", "/a/b")]
    [InlineData("/v/{id}", "/v/{Id}", "/v/5", "/v/%7BId%7D")]
    [InlineData("/t/{x}", "/{x}", "/t/a%2Fb/%20/%C3%A9/%25/%3F/%23", "/a%2Fb/%20/%C3%A9/%25/%3F/%23")]
    [InlineData("/t/{x}", "/{x}", "/t/a\\b", "/a%5Cb")]
    [InlineData("/t/{x}", "/{x}", "/t/100%", "/100%25")]
    public void Values_reach_the_downstream_path_as_they_were_escaped(string upstream, string downstream, string target, string sent) =>
        Routing.Send(upstream, downstream, target).ShouldBe(sent);

    [Theory]
    [InlineData("/q", "/q", "/q?b=2&a=1&a=3&c", "/q?b=2&a=1&a=3&c")]
    [InlineData("/q", "/q", "/q?a=%20+%2B&b=é", "/q?a=%20+%2B&b=%C3%A9")]
    [InlineData("/x/{id}", "/y/{id}", "/x/3?id=3&keep=1", "/y/3?keep=1")]
    [InlineData("/x/{id}", "/y/{id}", "/x/3?ID=3", "/y/3")]
    [InlineData("/u/{id}", "/u?personId={id}", "/u/5?z=1&personId=9&z=2", "/u?personId=5&z=1&z=2")]
    [InlineData("/u?userId={uid}", "/p?personId={uid}", "/u?userId=5", "/p?personId=5&userId=5")]
    [InlineData("/u?{all}", "/p?{all}", "/u?a=1&a=2", "/p?a=1&a=2")]
    [InlineData("/u?{all}", "/p?{all}", "/u", "/p")]
    public void A_query_goes_through_untouched_save_for_what_a_template_names(string upstream, string downstream, string target, string sent) =>
        Routing.Send(upstream, downstream, target).ShouldBe(sent);

    [Fact]
    public void A_route_with_a_host_comes_before_any_without_whatever_the_priority()
    {
        var routes = new[] { Routing.Route("/a", "/any", priority: 100), Routing.Route("/{x}", "/host", host: "api.example.com") };

        Routing.Send(routes, "/a").ShouldBe("/host");
        Routing.Send(routes, "/a", host: "API.example.com:8080").ShouldBe("/host");
        Routing.Send(routes, "/a", host: "other.example.com").ShouldBe("/any");
    }

    [Fact]
    public void The_higher_priority_wins_then_the_order_of_the_file_and_a_bare_catch_all_is_last()
    {
        Routing.Send([Routing.Route("/a/{x}", "/1"), Routing.Route("/a/b", "/2")], "/a/b").ShouldBe("/1");
        Routing.Send([Routing.Route("/a/{x}", "/1"), Routing.Route("/a/b", "/2", priority: 2)], "/a/b").ShouldBe("/2");
        Routing.Send([Routing.Route("/{x}", "/1", priority: 9), Routing.Route("/a", "/2", priority: 1)], "/a").ShouldBe("/2");
        Routing.Send([Routing.Route("/a", "/2", priority: -1), Routing.Route("/{x}", "/1")], "/a").ShouldBe("/1");
    }

    [Fact]
    public void Case_counts_only_where_the_route_says_so_and_values_keep_theirs()
    {
        Routing.Send([Routing.Route("/Items/{id}", "/{id}", caseSensitive: true)], "/items/X").ShouldBeNull();
        Routing.Send([Routing.Route("/Items/{id}", "/{id}", caseSensitive: true)], "/Items/X").ShouldBe("/X");
        Routing.Send([Routing.Route("/Items/{id}", "/{id}")], "/iTEMS/aBc").ShouldBe("/aBc");
    }

    [Fact]
    public void A_method_that_no_route_names_is_a_miss()
    {
        var routes = new[] { Routing.Route("/a", "/get", methods: ["GET"]), Routing.Route("/a", "/purge", methods: ["PURGE"]) };

        Routing.Send(routes, "/a").ShouldBe("/get");
        Routing.Send(routes, "/a", method: "PURGE").ShouldBe("/purge");
        Routing.Send(routes, "/a", method: "POST").ShouldBeNull();
    }
}
