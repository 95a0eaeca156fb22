using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Tollgate.Gateway.Plugins;

/// <summary>What an assembly says of itself, read from its metadata without loading it.</summary>
/// <param name="References">Names of the assemblies that it uses.</param>
/// <param name="Types">Full names of others' types that it uses.</param>
internal sealed record PluginImage(string Name, IReadOnlyList<string> References, IReadOnlyList<string> Types)
{
    /// <summary>Null = the file is a library, and no assembly. Throws an <see cref="InvalidOperationException"/> with a sentence when it is not even that.</summary>
    public static PluginImage? Read(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            return Read(stream);
        }
        catch (BadImageFormatException broken)
        {
            throw new InvalidOperationException($"The assembly {file} of the plug-in folder cannot be read: {broken.Message}");
        }
    }

    private static PluginImage? Read(Stream stream)
    {
        using var image = new PEReader(stream);
        if (!image.HasMetadata) return null;
        var metadata = image.GetMetadataReader();
        if (!metadata.IsAssembly) return null;
        return new PluginImage(
            metadata.GetString(metadata.GetAssemblyDefinition().Name),
            [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))],
            [.. metadata.TypeReferences.Select(handle => metadata.GetTypeReference(handle)).Select(type => $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}")]);
    }
}
