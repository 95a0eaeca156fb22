using System.Text.Json;

namespace Tollgate.Cli;

/// <summary>
/// Keeps sign-ins in the user's configuration folder, one for each server, in a file that nobody else may read. One process at a time changes it:
/// a refresh token works once, and two that spend the same one would end the sign-in.
/// </summary>
internal sealed class SignInStore
{
    public const string FolderVariable = "TOLLGATE_CONFIG_DIR";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private readonly string _folder = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } told
        ? told
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "tollgate");

    public string File => Path.Combine(_folder, "sign-ins.json");

    public SignIn? Find(string server) => Read().GetValueOrDefault(server);

    /// <summary>Changes what is kept for a server; null = forget it. The change sees what others have written meanwhile.</summary>
    public async Task<SignIn?> ChangeAsync(string server, Func<SignIn?, Task<SignIn?>> change, CancellationToken cancel)
    {
        MakeFolder();
        await using var held = await LockAsync(cancel);
        var all = Read();
        var next = await change(all.GetValueOrDefault(server));
        if (next is null) all.Remove(server);
        else all[server] = next;
        Write(all);
        return next;
    }

    private Dictionary<string, SignIn> Read()
    {
        try
        {
            return System.IO.File.Exists(File) ? JsonSerializer.Deserialize<Dictionary<string, SignIn>>(System.IO.File.ReadAllBytes(File), Json) ?? [] : [];
        }
        catch (JsonException)
        {
            return [];   // not ours any more: sign in again
        }
    }

    private void Write(Dictionary<string, SignIn> all)
    {
        var next = File + ".new";
        var how = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(next, how)) JsonSerializer.Serialize(stream, all, Json);
        System.IO.File.Move(next, File, overwrite: true);
    }

    private void MakeFolder()
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(_folder);
        else Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private async Task<FileStream> LockAsync(CancellationToken cancel)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(Path.Combine(_folder, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (tries < 300)
            {
                await Task.Delay(100, cancel);   // another one refreshes at this moment
            }
        }
    }
}
