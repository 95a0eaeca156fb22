using System.Reflection;
using System.Xml.Linq;
using Tollgate.Testing;

namespace Tollgate.UnitTests.Architecture;

/// <summary>The references of docs/architecture.md §2, held against what is written in the projects and what the compiler put into the assemblies.</summary>
public sealed class ReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Tollgate.Contracts"] = [],
        ["Tollgate.ServiceDefaults"] = ["Tollgate.Contracts"],
        ["Tollgate.Storage"] = ["Tollgate.Contracts", "Tollgate.ServiceDefaults"],
        ["Tollgate.Gateway"] = ["Tollgate.Contracts", "Tollgate.ServiceDefaults"],
        ["Tollgate.Identity"] = ["Tollgate.Contracts", "Tollgate.ServiceDefaults", "Tollgate.Storage"],
        ["Tollgate.Billing"] = ["Tollgate.Contracts", "Tollgate.ServiceDefaults", "Tollgate.Storage"],
        ["Tollgate.Publishing"] = ["Tollgate.Contracts", "Tollgate.ServiceDefaults", "Tollgate.Storage"],
        ["Tollgate.Portal"] = ["Tollgate.Contracts", "Tollgate.ServiceDefaults", "Tollgate.Storage", "Tollgate.Identity", "Tollgate.Billing", "Tollgate.Publishing"],
    };

    public static TheoryData<string> Modules => [.. Allowed.Keys];

    [Theory, MemberData(nameof(Modules))]
    public void A_module_references_what_the_architecture_allows(string module)
    {
        var references = Assembly.Load(module).GetReferencedAssemblies().Select(a => a.Name!).Where(name => name.StartsWith("Tollgate.", StringComparison.Ordinal));
        references.Except(Allowed[module]).ShouldBeEmpty();
    }

    [Fact]
    public void Contracts_need_no_package_and_no_framework_beyond_the_base()
    {
        var project = Project("shared/Tollgate.Contracts/Tollgate.Contracts.csproj");
        project.Descendants().Where(e => e.Name.LocalName is "PackageReference" or "FrameworkReference" or "ProjectReference").ShouldBeEmpty();
    }

    [Fact]
    public void The_gateway_knows_no_database_and_no_pages()
    {
        string[] banned = ["Microsoft.EntityFrameworkCore", "Npgsql", "Microsoft.Data.Sqlite", "Microsoft.AspNetCore.Identity", "Radzen", "Tollgate.Storage",
            "Tollgate.Identity", "Tollgate.Billing", "Tollgate.Publishing", "Tollgate.Portal"];
        var reached = new HashSet<string>();
        Visit(Assembly.Load("Tollgate.Gateway"));
        reached.Where(name => banned.Any(ban => name.StartsWith(ban, StringComparison.Ordinal))).ShouldBeEmpty();

        void Visit(Assembly assembly)
        {
            foreach (var reference in assembly.GetReferencedAssemblies())
            {
                if (!reached.Add(reference.Name!)) continue;
                if (reference.Name!.StartsWith("Tollgate.", StringComparison.Ordinal)) Visit(Assembly.Load(reference));
            }
        }
    }

    [Fact]
    public void The_command_line_knows_the_gateway_for_its_files_and_the_rest_by_its_api()
    {
        Project("host/Tollgate.Cli/Tollgate.Cli.csproj").Descendants().Where(e => e.Name.LocalName == "ProjectReference")
            .Select(e => Path.GetFileNameWithoutExtension(e.Attribute("Include")!.Value.Replace('\\', '/'))).ShouldBe(["Tollgate.Gateway"]);
    }

    [Fact]
    public void The_policy_core_knows_no_web_server()
    {
        var policy = Assembly.Load("Tollgate.Gateway").GetTypes()
            .Where(type => type.Namespace?.StartsWith("Tollgate.Gateway.Policy", StringComparison.Ordinal) == true).ToList();
        policy.Count.ShouldBeGreaterThan(20);
        const BindingFlags all = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var named = policy.SelectMany(type => type.GetFields(all).Select(f => (type, f.FieldType))
            .Concat(type.GetMethods(all).SelectMany(m => m.GetParameters().Select(p => (type, p.ParameterType)).Append((type, m.ReturnType))))
            .Concat(type.GetMethods(all).SelectMany(m => m.GetMethodBody()?.LocalVariables.Select(v => (type, v.LocalType)) ?? []))
            .Concat(type.GetConstructors(all).SelectMany(c => c.GetParameters().Select(p => (type, p.ParameterType)))));
        named.Where(use => Parts(use.Item2).Any(IsWeb)).Select(use => $"{use.type} uses {use.Item2}").Distinct().ShouldBeEmpty();

        static bool IsWeb(Type type) => type.Namespace?.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) == true
            || type.Namespace?.StartsWith("Yarp", StringComparison.Ordinal) == true;
        static IEnumerable<Type> Parts(Type type) =>
            (type.HasElementType ? Parts(type.GetElementType()!) : [type]).Concat(type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts) : []);
    }

    [Fact]
    public void Every_project_of_the_product_is_in_the_solution_and_takes_its_versions_from_one_place()
    {
        var solution = File.ReadAllText(Path.Combine(Programs.Root, "Gateway.sln"));
        foreach (var file in Directory.EnumerateFiles(Programs.Root, "*.csproj", SearchOption.AllDirectories))
        {
            Project(Path.GetRelativePath(Programs.Root, file)).Descendants().Where(e => e.Name.LocalName == "PackageReference")
                .ShouldAllBe(package => package.Attribute("Version") == null, file);
            if (!file.Contains("DesignTime", StringComparison.Ordinal)) solution.ShouldContain(Path.GetFileName(file));
        }
    }

    private static XDocument Project(string path) => XDocument.Load(Path.Combine(Programs.Root, path));
}
