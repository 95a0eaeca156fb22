using Tollgate.Gateway.Compatibility;
using Tollgate.Gateway.Ocelot;
using Tollgate.Testing;

namespace Tollgate.UnitTests.Compatibility;

public sealed class CompatibilityTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_property_has_its_fate()
    {
        var report = Read("""
            { "Routes": [
                { "UpstreamPathTemplate": "/a", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h", "Port": 80 } ],
                  "RateLimitOptions": { "Limit": 1, "Period": "1s" }, "HttpHandlerOptions": { "UseTracing": true }, "Metadata": { "whatever": "x" },
                  "RouteClaimsRequirement": { "http://x/role": "admin" }, "AuthenticationOptions": { "AuthenticationProviderKey": "P" },
                  "Tollgate": { "Retry": { "Attempts": 2 } } } ],
              "GlobalConfiguration": { "BaseUrl": "http://x", "AdministrationPath": "/admin", "RateLimitOptions": { "QuotaMessage": "no" } },
              "Tollgate": { "Authentication": { "Providers": { "P": { "HS256Secret": "01234567890123456789012345678901" } } } } }
            """);
        report.Errors.ShouldBeEmpty();
        Fate("Routes[0].RateLimitOptions").ShouldBe(PropertyFate.Better);
        Fate("Routes[0].RateLimitOptions.Limit").ShouldBe(PropertyFate.Same);
        Fate("GlobalConfiguration.AdministrationPath").ShouldBe(PropertyFate.Ignored);
        Fate("Routes[0].DownstreamHostAndPorts[0].Host").ShouldBe(PropertyFate.Same);
        Fate("Routes[0].Tollgate.Retry").ShouldBe(PropertyFate.Ours);
        Fate("GlobalConfiguration.BaseUrl").ShouldBe(PropertyFate.Same);
        report.Properties.ShouldAllBe(property => property.Fate != PropertyFate.Unknown);
        report.Properties.ShouldAllBe(property => property.Reason.Length > 0 || property.Fate != PropertyFate.Better && property.Fate != PropertyFate.Ignored);

        PropertyFate Fate(string property) => report.Properties.Single(found => found.Property == property).Fate;
    }

    [Theory]
    [InlineData("\"UpstreamHttpMethods\": [ \"GET\" ]", "Routes[0].UpstreamHttpMethods", "UpstreamHttpMethod")]
    [InlineData("\"LoadBalancerOption\": { }", "Routes[0].LoadBalancerOption", "LoadBalancerOptions")]
    [InlineData("\"QoSOptions\": { \"TimeoutValeu\": 1 }", "Routes[0].QoSOptions.TimeoutValeu", "TimeoutValue")]
    [InlineData("\"SomethingElse\": 1", "Routes[0].SomethingElse", null)]
    [InlineData("\"LoadBalancer\": \"RoundRobin\"", "Routes[0].LoadBalancer", "LoadBalancerOptions")]
    [InlineData("\"ServiceDiscoveryProvider\": { }", "Routes[0].ServiceDiscoveryProvider", "GlobalConfiguration.ServiceDiscoveryProvider")]
    public void An_unknown_property_is_said_with_what_was_probably_meant(string written, string property, string? meant)
    {
        var report = Read($$"""{ "Routes": [ { "UpstreamPathTemplate": "/a", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h" } ], {{written}} } ] }""");
        var unknown = report.Properties.Single(found => found.Fate == PropertyFate.Unknown);
        (unknown.Property, unknown.Suggestion).ShouldBe((property, meant));
    }

    [Fact]
    public void Warnings_and_hidden_routes_are_said_beside_the_errors()
    {
        var report = Read("""
            { "Routes": [
              { "UpstreamPathTemplate": "/a/{x}", "DownstreamPathTemplate": "/{y}", "DownstreamHostAndPorts": [ { "Host": "h" } ], "AuthenticationOptions": { "AuthenticationProviderKey": "Bearer" } },
              { "UpstreamPathTemplate": "/a/b", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h" } ] } ] }
            """);
        report.Errors.ShouldHaveSingleItem().Sentence.ShouldContain("there is no provider \"Bearer\"");
        report.Warnings.ShouldHaveSingleItem().Sentence.ShouldContain("nothing fills {y}");
        report.Hidden.ShouldHaveSingleItem().Template.ShouldBe("/a/b");
    }

    [Fact]
    public void What_others_write_beside_and_remarks_are_no_strangers()
    {
        var report = Read("""
            { "Routes": [ { "//": "orders", "_RateLimitOptions": { }, "SwaggerKey": "a", "UseServiceDiscovery": false, "UpstreamPathTemplate": "/a", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h" } ] } ],
              "SwaggerEndPoints": [ { "Key": "a", "Config": [ ] } ], "Logging": { }, "AllowedHosts": "*" }
            """);
        report.Properties.ShouldAllBe(property => property.Fate != PropertyFate.Unknown);
        report.Properties.Count(property => property.Fate == PropertyFate.Ignored).ShouldBe(5);
        report.TakesCalls.ShouldBeTrue();
        Read("""{ "ReRoutes": [ { } ] }""").TakesCalls.ShouldBeFalse();
    }

    [Fact]
    public void Routes_whose_calls_others_have_are_found_with_both_lines()
    {
        var report = Read($$"""
            { "Routes": [
              {{Route("/a/{x}")}},
              {{Route("/a/b")}},
              {{Route("/c/{x}", "\"UpstreamHttpMethod\": [ \"GET\", \"POST\" ]")}},
              {{Route("/c/{y}", "\"UpstreamHttpMethod\": [ \"GET\" ], \"Priority\": 2")}},
              {{Route("/d/{x}")}},
              {{Route("/d/e", "\"Priority\": 9")}},
              {{Route("/f", "\"UpstreamHost\": \"one.example\"")}},
              {{Route("/f")}},
              {{Route("/g", "\"UpstreamHeaderTemplates\": { \"X-Version\": \"2\" }, \"Priority\": 2")}},
              {{Route("/g")}},
              {{Route("/{everything}")}} ] }
            """);
        report.Errors.ShouldBeEmpty();
        report.Hidden.Select(hidden => (hidden.Line, hidden.ByLine, hidden.Completely)).ShouldBe([(3, 2, true), (4, 5, false)]);
        report.Hidden[0].Sentence.ShouldContain("is never reached");
        report.Hidden[1].Sentence.ShouldContain("has no GET");
    }

    [Fact]
    public void What_would_not_start_is_said_and_still_looked_through()
    {
        var report = Read("""{ "Routes": [ { "UpstreamPathTemplate": "a", "Unknwon": 1 } ] }""");
        report.Errors.ShouldNotBeEmpty();
        report.Properties.ShouldContain(property => property.Property == "Routes[0].Unknwon");
    }

    [Fact]
    public void Everything_that_the_gateway_reads_of_a_Tollgate_block_is_in_the_book()
    {
        foreach (var name in TollgateDelivery.Names) PropertyBook.Of($"Routes.Tollgate.{name}").Fate.ShouldBe(PropertyFate.Ours, name);
    }

    private CompatibilityReport Read(string json) => CompatibilityReport.Read(_folder.Write("ocelot.json", json));

    private static string Route(string template, string more = "") =>
        $$"""{ "UpstreamPathTemplate": "{{template}}", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h", "Port": 80 } ]{{(more.Length > 0 ? ", " + more : "")}} }""";
}
