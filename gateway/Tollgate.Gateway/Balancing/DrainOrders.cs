using System.Text.Json;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Balancing;

/// <summary>Which hosts have no more calls: by order to this gateway, kept on its disk where it has one, and by order to all.</summary>
/// <param name="folder">Of the gateway's data; null = orders end with the process.</param>
internal sealed partial class DrainOrders(string? folder, ILogger logger)
{
    private readonly string? _file = folder is null ? null : Path.Combine(folder, "drained.json");
    private readonly HashSet<string> _own = Load(folder, logger);
    private IReadOnlySet<string> _ofAll = new HashSet<string>();

    public bool Holds(string authority) => _own.Contains(authority) || _ofAll.Contains(authority);

    public bool Add(string authority) => _own.Add(authority) && Keep();

    /// <summary>False = there was none.</summary>
    public bool Remove(string authority) => _own.Remove(authority) && Keep();

    public void UseOfAll(IReadOnlySet<string> hosts) => _ofAll = hosts;

    private static HashSet<string> Load(string? folder, ILogger logger)
    {
        var own = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (folder is null || Path.Combine(folder, "drained.json") is var file && !File.Exists(file)) return own;
        try
        {
            own.UnionWith(JsonSerializer.Deserialize<string[]>(File.ReadAllBytes(file)) ?? []);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException)
        {
            Log.NotRead(logger, file, unreadable.Message);
        }

        return own;
    }

    private bool Keep()
    {
        if (_file is null) return true;
        try
        {
            Directory.CreateDirectory(folder!);
            DurableFile.Replace(_file, JsonSerializer.SerializeToUtf8Bytes(_own.Order(StringComparer.Ordinal).ToArray()));
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            Log.NotKept(logger, full.Message);
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(1013, LogLevel.Warning, "{File} cannot be read, and no host drains because of it: {Reason}")]
        public static partial void NotRead(ILogger logger, string file, string reason);

        [LoggerMessage(1014, LogLevel.Warning, "Which hosts drain cannot be kept on disk, and ends with this process: {Reason}")]
        public static partial void NotKept(ILogger logger, string reason);
    }
}
