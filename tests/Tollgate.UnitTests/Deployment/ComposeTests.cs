using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Tollgate.Host;
using Tollgate.Testing;
using YamlDotNet.RepresentationModel;

namespace Tollgate.UnitTests.Deployment;

/// <summary>Holds docker-compose.yml and the Dockerfile against the code, for machines that have no engine to try them on.</summary>
public sealed class ComposeTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Programs.Root, "docker-compose.yml"));
    private static readonly YamlMappingNode Compose = Load();

    public static TheoryData<string> OurServices => [.. Services().Where(s => Scalar(s.Value, "image") == "tollgate").Select(s => s.Key)];

    [Fact]
    public void The_cluster_has_its_parts()
    {
        Services().Keys.ShouldBe(["postgres", "redis", "control-plane", "gateway-1", "gateway-2", "weather", "balancer"], ignoreOrder: true);
        Services().ShouldAllBe(s => Child(s.Value, "healthcheck") != null);
        Services().Where(s => Child(s.Value, "depends_on") is not null)
            .SelectMany(s => ((YamlMappingNode)Child(s.Value, "depends_on")!).Children.Keys.Select(k => k.ToString()))
            .ShouldAllBe(name => Services().ContainsKey(name));
        var mounted = Services().SelectMany(s => Items(s.Value, "volumes")).Select(v => v.Split(':')[0]).ToList();
        mounted.Where(source => source.StartsWith("./", StringComparison.Ordinal)).ShouldAllBe(path => Path.Exists(Path.Combine(Programs.Root, path)));
        mounted.Where(source => !source.StartsWith("./", StringComparison.Ordinal)).Distinct()
            .ShouldBe(((YamlMappingNode)Compose["volumes"]).Children.Keys.Select(k => k.ToString()), ignoreOrder: true);
    }

    [Theory, MemberData(nameof(OurServices))]
    public void Every_variable_is_an_option_that_exists(string service)
    {
        foreach (var variable in Environment(service).Keys)
        {
            var option = variable.StartsWith("TOLLGATE_", StringComparison.Ordinal) ? variable["TOLLGATE_".Length..] : variable;
            (Settings.Known.IsKnown(option.Replace("__", ":")) || IsUsedByRoutes(variable)).ShouldBeTrue($"{service}: {variable} is no option and no variable of deploy/routes");
        }
    }

    [Fact]
    public void Every_variable_of_the_routes_is_given_to_the_gateways()
    {
        foreach (var gateway in new[] { "gateway-1", "gateway-2" })
            RouteVariables().ShouldAllBe(variable => Environment(gateway).ContainsKey(variable));
    }

    [Theory]
    [InlineData("control-plane", (int)Roles.ControlPlane)]
    [InlineData("gateway-1", (int)Roles.Gateway)]
    [InlineData("gateway-2", (int)Roles.Gateway)]
    public void The_roles_are_what_the_host_understands_and_doors_are_where_others_knock(string service, int roles)
    {
        using var data = new TempFolder();
        var command = Items(Services()[service], "command").ToArray();
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(Environment(service).Select(v => KeyValuePair.Create(v.Key.Replace("__", ":"), (string?)v.Value)))
            .AddCommandLine([.. command.Select(word => word.StartsWith("/etc/tollgate/routes", StringComparison.Ordinal) ? Path.Combine(Programs.Root, "deploy/routes") : word)])
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Data"] = data.Path })
            .Build();
        var options = HostOptions.Read(configuration);
        options.Roles.ShouldBe((Roles)roles);
        Scalar(Child(Services()[service], "healthcheck")!, "test", 4).ShouldBe($"http://127.0.0.1:{ListenAddress.Ports(options.InternalUrl).Single()}/health/ready");
        if (options.Has(Roles.Gateway))
        {
            configuration["Gateway:ControlPlane"].ShouldBe("http://control-plane:8099");
            File.ReadAllText(Path.Combine(Programs.Root, "deploy/balancer.conf")).ShouldContain($"server {service}:{ListenAddress.Ports(options.GatewayUrls).Single()} ");
        }
        else
        {
            Items(Services()[service], "ports").ShouldBe([$"{ListenAddress.Ports(options.PortalUrls).Single()}:{ListenAddress.Ports(options.PortalUrls).Single()}"]);
            ListenAddress.Ports(options.InternalUrl).Single().ShouldBe(8099);
        }
    }

    [Fact]
    public void Gateways_believe_their_balancer_who_calls_and_it_passes_on_nobody_elses_word()
    {
        var subnet = Scalar(((YamlSequenceNode)Child(Child(Child(Compose["networks"], "default")!, "ipam")!, "config")!)[0], "subnet");
        var balancer = File.ReadAllText(Path.Combine(Programs.Root, "deploy/balancer.conf"));
        foreach (var gateway in new[] { "gateway-1", "gateway-2" })
        {
            Environment(gateway)["Gateway__TrustedProxies"].ShouldBe(subnet);
            Items(Services()[gateway], "ports").ShouldBeEmpty();
            balancer.ShouldContain($"server {gateway}:8080 resolve ", customMessage: "a gateway that is made anew has another address");
        }

        foreach (var header in new[] { "X-Forwarded-For $remote_addr", "X-Forwarded-Proto $scheme", "X-Forwarded-Host $http_host", "Forwarded \"\"", "X-Real-IP \"\"" })
            balancer.ShouldContain($"proxy_set_header {header};");
    }

    [Theory]
    [InlineData("control-plane")]
    [InlineData("gateway-1")]
    [InlineData("gateway-2")]
    public void A_part_that_stops_is_given_the_time_that_the_manual_asks_for(string service)
    {
        var grace = Scalar(Services()[service], "stop_grace_period")!;
        File.ReadAllText(Path.Combine(Programs.Root, "docs/operations.md")).ShouldContain($"Give the orchestrator {grace.TrimEnd('s')} s");
    }

    [Fact]
    public void No_secret_has_a_default_and_every_one_is_in_the_example()
    {
        var example = File.ReadAllText(Path.Combine(Programs.Root, "deploy/env.example"));
        var variables = Regex.Matches(Text, @"\$\{(?<name>\w+)(?<rest>[^}]*)\}").Select(m => (Name: m.Groups["name"].Value, After: m.Groups["rest"].Value)).Distinct().ToList();
        foreach (var (name, after) in variables)
        {
            example.ShouldContain($"{name}=");
            if (Regex.IsMatch(name, "PASSWORD|TOKEN|SECRET")) after.ShouldStartWith(":?", customMessage: $"{name} must be given");
        }

        Regex.Matches(example, "^(?<name>\\w*(PASSWORD|TOKEN)\\w*)=(?<value>.*)$", RegexOptions.Multiline).ShouldAllBe(m => m.Groups["value"].Value.Trim().Length == 0);
    }

    [Fact]
    public void The_image_is_built_from_what_is_there_and_runs_without_privileges()
    {
        var dockerfile = File.ReadAllText(Path.Combine(Programs.Root, "Dockerfile"));
        Scalar(Child(Services()["control-plane"], "build")!, "target").ShouldBe("final");
        dockerfile.ShouldContain(" AS final");
        dockerfile.ShouldContain("USER $APP_UID");
        dockerfile.ShouldContain($"ENTRYPOINT [\"dotnet\", \"{typeof(HostOptions).Assembly.GetName().Name}.dll\"]");
        foreach (Match copy in Regex.Matches(dockerfile, @"^COPY (?!--from)(?<sources>.+) \S+$", RegexOptions.Multiline))
        {
            foreach (var source in copy.Groups["sources"].Value.Split(' '))
            {
                var folder = Path.Combine(Programs.Root, Path.GetDirectoryName(source) ?? "");
                Directory.EnumerateFileSystemEntries(folder, Path.GetFileName(source) is { Length: > 0 } name ? name : "*").ShouldNotBeEmpty(source);
            }
        }

        // Each project of the product is restored in the cached layer, with what it imports: a restore says nothing of an import that is missing, and fetches less.
        var restored = dockerfile[..dockerfile.IndexOf("RUN dotnet restore", StringComparison.Ordinal)];
        foreach (var file in new[] { "*.csproj", "*.targets", "*.props" }.SelectMany(kind => Directory.EnumerateFiles(Programs.Root, kind, SearchOption.AllDirectories))
            .Select(p => Path.GetRelativePath(Programs.Root, p)).Where(IsOfTheProduct))
        {
            var (folder, name) = (Path.GetDirectoryName(file)!, Path.GetFileName(file));
            if (folder.Length == 0) restored.ShouldContain($" {name} ", customMessage: $"{name} is not there when the restore runs");
            else restored.ShouldContain($"COPY {folder}/*{Path.GetExtension(name)} {folder}/");
        }

        static bool IsOfTheProduct(string file) => !file.Split('/')[..^1].Any(folder => folder is "tests" or "deploy" or "docs" or "obj" or "bin" or "artifacts");
    }

    private static YamlMappingNode Load()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Text));
        return (YamlMappingNode)yaml.Documents[0].RootNode;
    }

    private static Dictionary<string, YamlMappingNode> Services() =>
        ((YamlMappingNode)Compose["services"]).Children.ToDictionary(s => s.Key.ToString(), s => (YamlMappingNode)s.Value);

    /// <summary>A member, its own or merged in by <c>&lt;&lt;</c>.</summary>
    private static YamlNode? Child(YamlNode node, string name)
    {
        var members = ((YamlMappingNode)node).Children;
        if (members.TryGetValue(new YamlScalarNode(name), out var own)) return own;
        return members.TryGetValue(new YamlScalarNode("<<"), out var merged) ? Child(merged, name) : null;
    }

    private static string? Scalar(YamlNode node, string name) => (Child(node, name) as YamlScalarNode)?.Value;

    private static string? Scalar(YamlNode node, string name, int index) => ((YamlSequenceNode)Child(node, name)!)[index].ToString();

    private static IEnumerable<string> Items(YamlNode node, string name) => (Child(node, name) as YamlSequenceNode)?.Select(item => item.ToString()) ?? [];

    private static Dictionary<string, string> Environment(string service) =>
        (Child(Services()[service], "environment") as YamlMappingNode)?.Children.ToDictionary(v => v.Key.ToString(), v => v.Value.ToString()) ?? [];

    private static bool IsUsedByRoutes(string variable) => RouteVariables().Contains(variable);

    private static IReadOnlyCollection<string> RouteVariables() => [.. Directory.EnumerateFiles(Path.Combine(Programs.Root, "deploy/routes"))
        .SelectMany(file => Regex.Matches(File.ReadAllText(file), @"\$\{(?<name>\w+)\}").Select(m => m.Groups["name"].Value)).Distinct()];
}
