using Tollgate.Gateway.Ocelot;
using Tollgate.Testing;

namespace Tollgate.UnitTests.Gateway;

public sealed class OcelotReaderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_host_with_a_port_is_said_to_be_nobodys()
    {
        string File(string host) => _folder.Write("ocelot.json", $$"""{ "Routes": [ { "UpstreamHost": "{{host}}", "UpstreamPathTemplate": "/", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h", "Port": 1 } ] } ] }""");

        OcelotReader.Read(File("shop.example:8443")).Warnings.Single().Sentence.ShouldContain("without its port");
        foreach (var plain in new[] { "shop.example", "[::1]", "2001:db8::1" }) OcelotReader.Read(File(plain)).Warnings.ShouldBeEmpty(plain);
    }

    [Fact]
    public void A_placeholder_that_nothing_fills_is_said()
    {
        string Route(string more) => $$"""{ "UpstreamPathTemplate": "/a/{x}", "DownstreamPathTemplate": "/{y}", "DownstreamHostAndPorts": [ { "Host": "h", "Port": 1 } ]{{more}} }""";
        OcelotConfiguration File(string route, string more = "") => OcelotReader.Read(_folder.Write("ocelot.json", $$"""{ "Routes": [ {{route}} ]{{more}} }"""));

        File(Route("")).Warnings.Single().Sentence.ShouldContain("nothing fills {y}");
        File(Route(""", "UpstreamHeaderTemplates": { "X": "{header:y}" }""")).Warnings.ShouldBeEmpty();
        File(Route(""", "ChangeDownstreamPathTemplate": { "y": "Claims[sub] > value" }""")).Warnings.ShouldBeEmpty();
        File(Route(""", "Key": "a" """), """, "Aggregates": [ { "UpstreamPathTemplate": "/all/{y}", "RouteKeys": [ "a" ] } ]""").Warnings.ShouldBeEmpty();
        File(Route(""", "Key": "a" """), """, "Aggregates": [ { "UpstreamPathTemplate": "/all/{x}", "RouteKeys": [ "a" ] } ]""").Warnings.Single().Sentence.ShouldContain("nothing of the aggregate fills {y} of the member \"a\"");
    }

    [Fact]
    public void Comments_trailing_commas_any_case_and_numbers_as_text_are_fine()
    {
        var read = Read("""
            {
              // a comment
              "ROUTES": [
                { "upstreampathtemplate": "/a", "DownstreamPathTemplate": "/b", "priority": "7", /* another */
                  "DownstreamHostAndPorts": [ { "Host": "h", "Port": "81" }, ], "UpstreamHttpMethod": [ "Get", "pOsT" ],
                  "RouteIsCaseSensitive": "True", "SomethingElse": { "a": [1, 2] }, },
              ],
            }
            """).Routes.ShouldHaveSingleItem();

        read.UpstreamPathTemplate.ShouldBe("/a");
        read.Priority.ShouldBe(7);
        read.RouteIsCaseSensitive.ShouldBeTrue();
        read.DownstreamHostAndPorts.ShouldBe([new OcelotHost("h", 81)]);
        read.UpstreamHttpMethod.ShouldBe(["GET", "POST"]);
    }

    [Fact]
    public void Variables_are_filled_in_and_a_missing_one_is_named()
    {
        var path = _folder.Write("ocelot.json", File("\"DownstreamHostAndPorts\": [ { \"Host\": \"${SERVICE_HOST}\", \"Port\": \"${SERVICE_PORT}\" } ]"));
        OcelotReader.Read(path, new Dictionary<string, string> { ["SERVICE_HOST"] = "orders", ["SERVICE_PORT"] = "5001" })
            .Routes[0].DownstreamHostAndPorts.ShouldBe([new OcelotHost("orders", 5001)]);

        Should.Throw<ConfigurationException>(() => OcelotReader.Read(path, new Dictionary<string, string> { ["SERVICE_PORT"] = "5001" }))
            .Errors.ShouldContain(error => error.Line == 5 && error.Property == "Routes[0].DownstreamHostAndPorts[0].Host" && error.Sentence.Contains("SERVICE_HOST"));
    }

    [Theory]
    [InlineData("\"UpstreamPathTemplate\": \"a\"", "Routes[0].UpstreamPathTemplate", "start with /")]
    [InlineData("\"UpstreamPathTemplate\": \"/a//b\"", "Routes[0].UpstreamPathTemplate", "//")]
    [InlineData("\"UpstreamPathTemplate\": \"http://x/a\"", "Routes[0].UpstreamPathTemplate", "scheme")]
    [InlineData("\"UpstreamPathTemplate\": \"\"", "Routes[0].UpstreamPathTemplate", "needed")]
    [InlineData("\"UpstreamPathTemplate\": \"/{a}/{a}\"", "Routes[0].UpstreamPathTemplate", "twice")]
    [InlineData("\"UpstreamPathTemplate\": \"/{a\"", "Routes[0].UpstreamPathTemplate", "partner")]
    [InlineData("\"UpstreamPathTemplate\": \"/a/{id?}\"", "Routes[0].UpstreamPathTemplate", "without ?")]
    [InlineData("\"DownstreamHostAndPorts\": []", "Routes[0].DownstreamHostAndPorts", "at least one host")]
    [InlineData("\"DownstreamHostAndPorts\": [ { \"Host\": \"\", \"Port\": 1 } ]", "Routes[0].DownstreamHostAndPorts[0].Host", "host name")]
    [InlineData("\"DownstreamHostAndPorts\": [ { \"Host\": \"x\", \"Port\": 70000 } ]", "Routes[0].DownstreamHostAndPorts[0].Port", "65535")]
    [InlineData("\"Priority\": \"high\"", "Routes[0].Priority", "whole number")]
    [InlineData("\"ServiceName\": \"orders\"", "Routes[0].ServiceName", "discovery")]
    [InlineData("\"UpstreamHttpMethod\": [ \"G ET\" ]", "Routes[0].UpstreamHttpMethod", "method")]
    [InlineData("\"AuthenticationOptions\": { \"AuthenticationProviderKey\": \"Nobody\" }", "Routes[0].AuthenticationOptions.AuthenticationProviderKey", "Nobody")]
    [InlineData("\"Tollgate\": { \"Product\": \"p\", \"Units\": -1 }", "Routes[0].Tollgate.Units", "whole number")]
    public void What_Ocelot_refuses_is_refused_with_line_and_property(string property, string path, string says)
    {
        var error = Should.Throw<ConfigurationException>(() => Read(File(property))).Errors.ShouldHaveSingleItem();

        error.Property.ShouldBe(path);
        error.Sentence.ShouldContain(says);
        error.Line.ShouldBe(5);
        error.ToString().ShouldStartWith($"{_folder.File("ocelot.json")}:5 {path}: ");
    }

    [Theory]
    [InlineData("\"DownstreamHostAndPorts\": [ { \"Host\": \"http://x\", \"Port\": 1 } ]", "Routes[0].DownstreamHostAndPorts[0].Host", "502")]
    [InlineData("\"DownstreamHostAndPorts\": [ { \"Host\": \"10.0.0.1/\", \"Port\": 1 } ]", "Routes[0].DownstreamHostAndPorts[0].Host", "502")]
    [InlineData("\"DownstreamHostAndPorts\": [ { \"Host\": \"__API_HOST__\", \"Port\": 443 } ]", "Routes[0].DownstreamHostAndPorts[0].Host", "502")]
    [InlineData("\"DownstreamScheme\": \"tcp\"", "Routes[0].DownstreamScheme", "502")]
    [InlineData("\"LoadBalancerOptions\": \"RoundRobin\"", "Routes[0].LoadBalancerOptions", "\"Type\": \"RoundRobin\"")]
    [InlineData("\"AddHeadersToRequest\": { \"Authorization\": \"Bearer {Token}\" }", "Routes[0].AddHeadersToRequest.Authorization", "UpstreamHeaderTransform")]
    [InlineData("\"AddHeadersToRequest\": { \"X-User\": \"Claims[sub]\" }", "Routes[0].AddHeadersToRequest.X-User", "not the caller's own")]
    [InlineData("\"AddClaimsToRequest\": { \"user\": \"Claims[sub]\" }", "Routes[0].AddClaimsToRequest.user", "no claim is read")]
    [InlineData("\"AddQueriesToRequest\": { \"tenant\": \"7\" }", "Routes[0].AddQueriesToRequest.tenant", "does nothing")]
    [InlineData("\"QoSOptions\": { \"ExceptionsAllowedBeforeBreaking\": 3, \"DurationOfBreak\": 5, \"TimeoutValue\": 5000 }", "Routes[0].QoSOptions.DurationOfBreak", "milliseconds")]
    [InlineData("\"RouteClaimsRequirement\": { \"http://x/role\": \"Doctor,Nurse\" }", "Routes[0].RouteClaimsRequirement.http://x/role", "[ \"Doctor\", \"Nurse\" ]")]
    public void What_Ocelot_starts_with_and_cannot_do_is_a_warning(string property, string path, string says)
    {
        var warning = Read(File(property)).Warnings.ShouldHaveSingleItem();
        (warning.Property, warning.Line).ShouldBe((path, 5));
        warning.Sentence.ShouldContain(says);
    }

    [Theory]
    [InlineData("AddQueriesToRequest")]
    [InlineData("ChangeDownstreamPathTemplate")]
    public void A_claim_that_cannot_be_read_never_leaves_the_choice_to_the_caller(string property) =>
        Should.Throw<ConfigurationException>(() => Read(File($$"""
            "{{property}}": { "user": "Claims[sub]" }
            """))).Errors.ShouldHaveSingleItem().Property.ShouldBe($"Routes[0].{property}.user");

    [Theory]
    [InlineData("http://*:5000")]
    [InlineData("{Scheme}://{ServiceHost}:{ServicePort}")]
    [InlineData("localhost:5000")]
    public void A_base_address_that_is_none_is_a_warning(string address)
    {
        var read = Read(File("\"Key\": \"a\"", more: $$"""
            "GlobalConfiguration": { "BaseUrl": "{{address}}" }
            """));
        (read.Global.BaseUrl, read.Warnings.ShouldHaveSingleItem().Property).ShouldBe((address, "GlobalConfiguration.BaseUrl"));
    }

    [Theory]
    [InlineData("http///schemas.example/role", "http://schemas.example/role")]
    [InlineData("https///schemas.example/role", "https://schemas.example/role")]
    [InlineData("http://schemas.example/role", "http://schemas.example/role")]
    public void A_claims_name_may_be_written_around_the_colon_that_configuration_would_cut_it_at(string written, string name) =>
        Read(File($$"""
            "RouteClaimsRequirement": { "{{written}}": "admin" }
            """)).Routes[0].RouteClaimsRequirement.ShouldHaveSingleItem().Key.ShouldBe(name);

    [Fact]
    public void What_follows_the_scheme_is_not_read() => Read(File("\"DownstreamScheme\": \"HTTPS://\"")).Routes[0].DownstreamScheme.ShouldBe("https");

    [Fact]
    public void A_variable_that_is_not_set_is_no_mistake_where_nobody_reads_it()
    {
        const string others = """
            "SwaggerEndPoints": [ { "Key": "a", "Config": [ { "Url": "${NOT_SET_ANYWHERE}/swagger.json" } ] } ], "Somebody": "${NOT_SET_ANYWHERE}"
            """;
        Read(File("\"SwaggerKey\": \"${NOT_SET_ANYWHERE}\"", more: others)).Warnings.ShouldBeEmpty();
        Should.Throw<ConfigurationException>(() => Read(File("\"Key\": \"${NOT_SET_ANYWHERE}\"", more: others))).Errors.ShouldHaveSingleItem().Property.ShouldBe("Routes[0].Key");
        Should.Throw<ConfigurationException>(() => Read("""{ "Routes": [], "Tollgate": { "Authentication": { "Providers": { "K": { "HS256Secret": "${NOT_SET_ANYWHERE}" } } } } }"""))
            .Errors.ShouldContain(error => error.Sentence.Contains("is not set"));
    }

    [Fact]
    public void A_file_is_read_by_its_mark_and_remarks_may_be_in_any_encoding()
    {
        var text = File("\"Key\": \"a\"");
        foreach (var encoding in new System.Text.Encoding[] { System.Text.Encoding.UTF8, System.Text.Encoding.Unicode, System.Text.Encoding.BigEndianUnicode })
        {
            System.IO.File.WriteAllText(_folder.File("ocelot.json"), text, encoding);
            OcelotReader.Read(_folder.File("ocelot.json")).Routes[0].Key.ShouldBe("a");
        }

        byte[] Latin(string what) => System.Text.Encoding.Latin1.GetBytes(what);
        System.IO.File.WriteAllBytes(_folder.File("ocelot.json"), Latin(text.Replace("\"Routes\"", "/* catálogo */ \"SwaggerEndPoints\": [ \"Catálogo\" ], \"Routes\"")));
        OcelotReader.Read(_folder.File("ocelot.json")).Routes[0].Key.ShouldBe("a");
        System.IO.File.WriteAllBytes(_folder.File("ocelot.json"), Latin(text.Replace("\"a\"", "\"catálogo\"")));
        Should.Throw<ConfigurationException>(() => OcelotReader.Read(_folder.File("ocelot.json"))).Errors.ShouldHaveSingleItem().Sentence.ShouldContain("UTF-8");
    }

    [Fact]
    public void Nothing_may_have_any_form()
    {
        var read = Read(File("\"RouteClaimsRequirement\": []", more: """
            "Aggregates": {}, "DynamicRoutes": "", "GlobalConfiguration": []
            """));
        (read.Routes.Count, read.Routes[0].RouteClaimsRequirement.Count, read.Warnings.Count).ShouldBe((1, 0, 0));
        Should.Throw<ConfigurationException>(() => Read(File("\"RouteClaimsRequirement\": [ \"admin\" ]")));
        Should.Throw<ConfigurationException>(() => Read(File("\"AuthenticationOptions\": \"Bearer\"")));
    }

    [Fact]
    public void Routes_under_their_old_name_do_not_open_every_service_by_its_name()
    {
        const string consul = """
            "GlobalConfiguration": { "ServiceDiscoveryProvider": { "Type": "Consul", "Host": "localhost", "Port": 8500 } }
            """;
        Read($$"""{ "ReRoutes": [ { } ], {{consul}} }""").IsDynamic.ShouldBeFalse();
        Read($$"""{ "ReRoutes": [], {{consul}} }""").IsDynamic.ShouldBeTrue();
    }

    [Fact]
    public void The_same_mistake_in_many_places_is_one_line()
    {
        ConfigurationError At(int line, string sentence = "wrong.") => new("ocelot.json", line, $"Routes[{line}].Key", sentence);
        ConfigurationError.Lines([At(1), At(2, "else."), At(3), At(4)]).ShouldBe([At(1).ToString(), At(3).ToString(), At(4).ToString(), At(2, "else.").ToString()]);
        ConfigurationError.Lines(Enumerable.Range(1, 40).Select(line => At(line))).ShouldHaveSingleItem()
            .ShouldBe("ocelot.json:1 Routes[1].Key: wrong. The same in 39 other places: lines 2, 3, 4, 5, 6, 7, 8, 9 and 31 more.");
    }

    [Fact]
    public void Broken_JSON_names_its_line() =>
        Should.Throw<ConfigurationException>(() => Read("{\n  \"Routes\": [\n    { \"a\" 1 }\n  ]\n}"))
            .Errors.ShouldHaveSingleItem().Line.ShouldBe(3);

    [Theory]
    [InlineData("GET", "GET", true)]
    [InlineData("", "GET", true)]
    [InlineData("POST", "GET", false)]
    public void Two_routes_for_the_same_call_are_refused(string first, string second, bool refused)
    {
        var text = $$"""
            { "Routes": [
            { "UpstreamPathTemplate": "/a", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h" } ], "UpstreamHttpMethod": [ "{{first}}" ] },
            { "UpstreamPathTemplate": "/a", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h" } ], "UpstreamHttpMethod": [ "{{second}}" ] } ] }
            """.Replace("[ \"\" ]", "[]");

        if (refused) Should.Throw<ConfigurationException>(() => Read(text)).Errors.ShouldHaveSingleItem().Sentence.ShouldContain("ocelot.json:2");
        else Read(text).Routes.Count.ShouldBe(2);
    }

    [Fact]
    public void A_folder_is_merged_in_the_order_of_names_with_the_global_part_of_one_file()
    {
        _folder.Write("ocelot.orders.json", File("\"Key\": \"orders\"", "/orders", "\"GlobalConfiguration\": { \"Timeout\": 1 }"));
        _folder.Write("ocelot.Billing.json", File("\"Key\": \"billing\"", "/billing"));
        _folder.Write("ocelot.global.json", "{ \"GlobalConfiguration\": { \"Timeout\": 7, \"RequestIdKey\": \"OcRequestId\" } }");
        _folder.Write("ocelot.json", "not read");

        var read = OcelotReader.Read(_folder.Path);

        read.Routes.Select(route => route.Key).ShouldBe(["billing", "orders"]);
        read.Global.Timeout.ShouldBe(7);
        read.Global.RequestIdKey.ShouldBe("OcRequestId");
    }

    [Fact]
    public void A_folder_with_one_whole_file_reads_that()
    {
        _folder.Write("ocelot.json", File("\"Key\": \"only\"", more: "\"GlobalConfiguration\": { \"Timeout\": 3 }"));

        OcelotReader.Read(_folder.Path).Global.Timeout.ShouldBe(3);
    }

    [Fact]
    public void What_is_not_read_any_more_is_a_warning() =>
        Read("""{ "ReRoutes": [ { } ], "Routes": [] }""").Warnings.Select(warning => warning.Property).ShouldBe(["ReRoutes"]);

    [Fact]
    public void Nothing_to_read_is_said() =>
        Should.Throw<ConfigurationException>(() => OcelotReader.Read(_folder.Path)).Errors.ShouldHaveSingleItem().Sentence.ShouldContain("neither");

    [Theory]
    [InlineData("{ }", "exactly one")]
    [InlineData("{ \"HS256Secret\": \"short\" }", "32 bytes")]
    [InlineData("{ \"Authority\": \"not a url\" }", "address")]
    [InlineData("{ \"JwksFile\": \"absent.json\" }", "no file")]
    public void A_token_provider_needs_one_usable_source_of_keys(string provider, string says) =>
        Should.Throw<ConfigurationException>(() => Read($$"""{ "Routes": [], "Tollgate": { "Authentication": { "Providers": { "Key1": {{provider}} } } } }"""))
            .Errors.ShouldContain(error => error.Property.StartsWith("Tollgate.Authentication.Providers.Key1") && error.Sentence.Contains(says));

    private OcelotConfiguration Read(string text) => OcelotReader.Read(_folder.Write("ocelot.json", text));

    // The property stands on line 5 and comes instead of the default of the same name.
    private static string File(string property, string template = "/a", string more = "")
    {
        var name = property.Split('"')[1];
        string Default(string of, string value) => of == name ? "" : $"\"{of}\": {value},";
        return $$"""
            { "Routes": [
              {
                {{Default("UpstreamPathTemplate", $"\"{template}\"")}}
                {{Default("DownstreamPathTemplate", "\"/\"")}} {{(name == "ServiceName" ? "" : Default("DownstreamHostAndPorts", "[ { \"Host\": \"h\" } ]"))}}
                {{property}}
              } ]{{(more.Length > 0 ? "," + more : "")}} }
            """;
    }
}
