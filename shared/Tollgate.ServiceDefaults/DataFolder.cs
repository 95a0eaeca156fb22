using Microsoft.Extensions.Configuration;

namespace Tollgate.ServiceDefaults;

/// <summary>Where this process keeps its files: <c>--Data</c>, <c>./.tollgate</c> unless told otherwise. Readable by its owner alone.</summary>
public static class DataFolder
{
    public const string ConfigurationKey = "Data";

    /// <summary>The folder as a full path; made when it is not there.</summary>
    /// <exception cref="SettingsException">It cannot be made.</exception>
    public static string Of(IConfiguration configuration)
    {
        var path = Path.GetFullPath(configuration[ConfigurationKey] is { Length: > 0 } told ? told : ".tollgate");
        if (Directory.Exists(path)) return path;
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
            else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception impossible) when (impossible is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"--{ConfigurationKey} {path}: the folder cannot be made ({impossible.Message.TrimEnd('.')}). Name one that this process may write to.");
        }

        return path;
    }
}
