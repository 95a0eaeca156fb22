namespace Tollgate.Testing;

/// <summary>Where the programs under test and the servers they need are found on this machine.</summary>
public static class Programs
{
    /// <summary>The repository's folder: the one that holds <c>Gateway.sln</c>.</summary>
    public static string Root { get; } = FindRoot();

    public static string Gateway { get; } = Built("gateway/Tollgate.Gateway", "Tollgate.Gateway.dll");
    public static string Cli { get; } = Built("host/Tollgate.Cli", "tollgate.dll");

    /// <summary>The folder of the sample plug-in.</summary>
    public static string SamplePlugin { get; } = Path.GetDirectoryName(Built("docs/samples/Tollgate.SamplePlugin", "Tollgate.SamplePlugin.dll"))!;

    public static string Host { get; } = Built("host/Tollgate.Host", "Tollgate.Host.dll");

    /// <summary>Finds a server on the PATH or in Debian's folders.</summary>
    public static string Find(string name, string debianPackage)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Concat(["/usr/sbin", "/usr/local/sbin"])
            .Concat(Directory.Exists("/usr/lib/postgresql")
                ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(version => Path.Combine(version, "bin"))
                : []);
        return folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"'{name}' is not on this machine. ./test.sh installs it, or: apt-get install {debianPackage}");
    }

    private static string Built(string project, string assembly)
    {
        // Tests run from tests/<project>/bin/<configuration>/net10.0: the programs are built in the same configuration.
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        return Path.Combine(Root, project, "bin", output.Parent!.Name, output.Name, assembly);
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Gateway.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException("Gateway.sln is in none of the folders above the tests.");
    }
}
