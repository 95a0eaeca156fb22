using System.Reflection;
using System.Runtime.Loader;
using Tollgate.Contracts.Plugins;

namespace Tollgate.Gateway.Plugins;

/// <summary>
/// Loads the assemblies of a folder and asks their plug-ins what they offer. What they need beside the framework lies in the same folder. An assembly that
/// speaks to databases, or to what the gateway must not know, is refused: a gateway holds no business rule.
/// </summary>
internal static class PluginLoader
{
    private static readonly string[] Refused =
    [
        "Npgsql", "Microsoft.EntityFrameworkCore", "Microsoft.Data.SqlClient", "System.Data.SqlClient", "Microsoft.Data.Sqlite", "System.Data.SQLite", "SQLitePCLRaw", "MySql", "MySqlConnector",
        "Oracle.ManagedDataAccess", "MongoDB", "Dapper", "StackExchange.Redis", "Cassandra", "System.Data.Common", "System.Data.Odbc", "System.Data.OleDb",
        "Tollgate.Identity", "Tollgate.Billing", "Tollgate.Storage", "Tollgate.Portal",
    ];

    // Types; a name that ends with a dot is a namespace.
    private static readonly string[] Outbound =
    [
        "System.Net.Http.HttpClient", "System.Net.Http.HttpMessageInvoker", "System.Net.Http.SocketsHttpHandler", "System.Net.Http.HttpClientHandler", "System.Net.Http.IHttpClientFactory",
        "System.Net.WebClient", "System.Net.WebRequest", "System.Net.HttpWebRequest", "System.Net.WebSockets.ClientWebSocket", "System.Net.Sockets.", "System.Net.Mail.", "System.Net.Quic.", "System.Diagnostics.Process",
    ];

    /// <summary>Throws an <see cref="InvalidOperationException"/> with a sentence when a plug-in cannot be used: a gateway without it would not do what its file says.</summary>
    public static PluginSet Load(string? folder, PluginBudget? budget = null, int generation = 0)
    {
        var plugins = new PluginSet(budget, generation);
        if (folder is null) return plugins;
        if (!Directory.Exists(folder)) throw new InvalidOperationException($"The plug-in folder {folder} does not exist.");

        var files = Directory.EnumerateFiles(folder, "*.dll").Order(StringComparer.Ordinal).ToArray();
        var context = new FolderContext(folder);
        foreach (var file in files)
        {
            if (!IsPlugin(file, files)) continue;
            foreach (var type in TypesOf(context, file))
            {
                if (!type.IsPublic || type.IsAbstract || !typeof(ITollgatePlugin).IsAssignableFrom(type)) continue;
                try
                {
                    ((ITollgatePlugin)Activator.CreateInstance(type)!).Register(plugins);
                }
                catch (Exception unusable)
                {
                    var cause = unusable is TargetInvocationException { InnerException: { } inner } ? inner : unusable;
                    throw new InvalidOperationException($"The plug-in {type.FullName} of {file} cannot be used: {cause.Message}");
                }
            }
        }

        return plugins;
    }

    // Read without running any of it: only what names the contract is loaded, and only what reaches neither a database nor another machine.
    private static bool IsPlugin(string file, string[] files)
    {
        if (PluginImage.Read(file) is not { } image || !image.References.Contains("Tollgate.Contracts") || image.Name is "Tollgate.ServiceDefaults" or "Tollgate.Gateway") return false;
        if (image.References.FirstOrDefault(IsRefused) is { } refused)
            throw new InvalidOperationException($"The plug-in {file} is refused: it uses {refused}. Plug-ins of a gateway reach no database and no other part of the product.");
        if (image.Types.FirstOrDefault(type => Array.Exists(Outbound, name => type == name || name.EndsWith('.') && type.StartsWith(name, StringComparison.Ordinal))) is { } caller)
            throw new InvalidOperationException($"The plug-in {file} is refused: it uses {caller}. Plug-ins of a gateway call nobody: a handler sends its message on, and what must ask others belongs into a service.");

        // What a plug-in brings along may be anything but a driver.
        var seen = new HashSet<string>(image.References, StringComparer.OrdinalIgnoreCase);
        var left = new Queue<string>(seen);
        while (left.TryDequeue(out var reference))
        {
            if (files.FirstOrDefault(beside => Path.GetFileNameWithoutExtension(beside).Equals(reference, StringComparison.OrdinalIgnoreCase)) is not { } beside || PluginImage.Read(beside) is not { } helper) continue;
            if (helper.References.FirstOrDefault(name => IsRefused(name) && !name.StartsWith("System.Data.", StringComparison.OrdinalIgnoreCase)) is { } driver)
                throw new InvalidOperationException($"The plug-in {file} is refused: {reference} beside it uses {driver}. Plug-ins of a gateway reach no database and no other part of the product.");
            foreach (var more in helper.References)
                if (seen.Add(more))
                    left.Enqueue(more);
        }

        return true;
    }

    private static bool IsRefused(string reference) =>
        Array.Exists(Refused, name => reference.Equals(name, StringComparison.OrdinalIgnoreCase) || reference.StartsWith(name + ".", StringComparison.OrdinalIgnoreCase));

    private static Type[] TypesOf(FolderContext context, string file)
    {
        try
        {
            return context.LoadCopy(file).GetExportedTypes();
        }
        catch (Exception unusable) when (unusable is BadImageFormatException or IOException or ReflectionTypeLoadException or TypeLoadException)
        {
            throw new InvalidOperationException($"The plug-in {file} cannot be loaded: {unusable.Message}");
        }
    }

    // The contract is the gateway's own, whatever copy of it lies beside a plug-in.
    private sealed class FolderContext(string folder) : AssemblyLoadContext("plug-ins", isCollectible: true)
    {
        // Read into memory: the file may be written over while the code of it runs.
        public Assembly LoadCopy(string file) => LoadFromStream(new MemoryStream(File.ReadAllBytes(file)));

        protected override Assembly? Load(AssemblyName name)
        {
            if (name.Name == typeof(ITollgatePlugin).Assembly.GetName().Name) return typeof(ITollgatePlugin).Assembly;
            var file = Path.Combine(folder, name.Name + ".dll");
            return name.Name is not null && File.Exists(file) ? LoadCopy(file) : null;
        }
    }
}
