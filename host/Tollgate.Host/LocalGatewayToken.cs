using Tollgate.ServiceDefaults.Internal;

namespace Tollgate.Host;

/// <summary>The token with which the all-in-one's gateway meets its own control plane: made once, kept in the data folder, readable by its owner.</summary>
internal static class LocalGatewayToken
{
    public static string Of(string dataFolder)
    {
        var file = Path.Combine(dataFolder, "gateway-token");
        if (File.Exists(file)) return File.ReadAllText(file).Trim();
        var token = GatewayToken.New();
        OwnerFile.Write(file, token);
        return token;
    }
}

/// <summary>A small file that nobody but its owner may read, there whole or not at all.</summary>
internal static class OwnerFile
{
    public static void Write(string file, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var draft = file + ".new";
        using (var writer = new StreamWriter(draft, options)) writer.Write(text);
        File.Move(draft, file, overwrite: true);
    }
}
