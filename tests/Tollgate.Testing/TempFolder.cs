namespace Tollgate.Testing;

/// <summary>A folder that is gone when the test is, or at the latest when the process is that runs the tests.</summary>
public sealed class TempFolder : IDisposable
{
    public TempFolder() => Reaper.Adopt(Path);

    public string Path { get; } = Directory.CreateTempSubdirectory("tollgate-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        var file = File(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        System.IO.File.WriteAllText(file, text);
        return file;
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A process that is still dying may hold a file; the reaper takes the rest.
        }
    }
}
