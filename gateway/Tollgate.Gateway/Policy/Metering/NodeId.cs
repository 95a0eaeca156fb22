using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>The name a gateway node has for itself, kept in <c>node-id</c> of its data folder.</summary>
internal static class NodeId
{
    private const int MaxLength = 64;
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    /// <summary>The given name, which is then kept; else the kept one; else a new one.</summary>
    public static string LoadOrCreate(string dataFolder, string? given = null)
    {
        Directory.CreateDirectory(dataFolder);
        var path = Path.Combine(dataFolder, "node-id");
        var kept = File.Exists(path) ? File.ReadAllText(path).Trim() : "";
        var id = given ?? (kept.Length > 0 ? kept : "gw-" + RandomNumberGenerator.GetHexString(12, lowercase: true));
        if (id.Length is 0 or > MaxLength || id.AsSpan().ContainsAnyExcept(Allowed))
            throw new JournalException($"The node id '{id}' is not usable: 1 to {MaxLength} letters, digits, '-', '_' and '.', please{(given is null ? $" (see '{path}')" : "")}.");
        if (id != kept) DurableFile.Replace(path, Encoding.UTF8.GetBytes(id + "\n"));
        return id;
    }
}
