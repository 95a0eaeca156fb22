using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
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

    /// <summary>Throws an <see cref="InvalidOperationException"/> with a sentence when a plug-in cannot be used: a gateway without it would not do what its file says.</summary>
    public static PluginSet Load(string? folder)
    {
        var plugins = new PluginSet();
        if (folder is null) return plugins;
        if (!Directory.Exists(folder)) throw new InvalidOperationException($"The plug-in folder {folder} does not exist.");

        var files = Directory.EnumerateFiles(folder, "*.dll").Order(StringComparer.Ordinal).ToArray();
        var context = new FolderContext(folder);
        foreach (var file in files)
        {
            if (!IsPlugin(file)) continue;
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

    // Read without running any of it: only what names the contract is loaded, and only what names no database.
    private static bool IsPlugin(string file)
    {
        using var stream = File.OpenRead(file);
        using var image = new PEReader(stream);
        if (!image.HasMetadata) return false;
        var metadata = image.GetMetadataReader();
        if (!metadata.IsAssembly) return false;
        var references = metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name)).ToArray();
        if (!references.Contains("Tollgate.Contracts") || metadata.GetString(metadata.GetAssemblyDefinition().Name).StartsWith("Tollgate.ServiceDefaults", StringComparison.Ordinal)) return false;
        if (references.FirstOrDefault(reference => Array.Exists(Refused, name => reference.Equals(name, StringComparison.OrdinalIgnoreCase) || reference.StartsWith(name + ".", StringComparison.OrdinalIgnoreCase))) is { } refused)
            throw new InvalidOperationException($"The plug-in {file} is refused: it uses {refused}. Plug-ins of a gateway reach no database and no other part of the product.");
        return true;
    }

    private static Type[] TypesOf(FolderContext context, string file)
    {
        try
        {
            return context.LoadFromAssemblyPath(file).GetExportedTypes();
        }
        catch (Exception unusable) when (unusable is BadImageFormatException or IOException or ReflectionTypeLoadException or TypeLoadException)
        {
            throw new InvalidOperationException($"The plug-in {file} cannot be loaded: {unusable.Message}");
        }
    }

    // The contract is the gateway's own, whatever copy of it lies beside a plug-in.
    private sealed class FolderContext(string folder) : AssemblyLoadContext("plug-ins")
    {
        protected override Assembly? Load(AssemblyName name)
        {
            if (name.Name == typeof(ITollgatePlugin).Assembly.GetName().Name) return typeof(ITollgatePlugin).Assembly;
            var file = Path.Combine(folder, name.Name + ".dll");
            return name.Name is not null && File.Exists(file) ? LoadFromAssemblyPath(file) : null;
        }
    }
}
