using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>What the journal must remember besides its records, in <c>journal.json</c>: its identity and how far it has been shipped.</summary>
internal sealed record JournalState(int Version, string Epoch, long Sequence, string Hash, long Segment, int Index)
{
    public const string FileName = "journal.json";
    private const int CurrentVersion = 1;

    [JsonIgnore]
    public JournalPosition Position => new(Sequence, Hash, new JournalCursor(Segment, Index));

    public JournalState At(JournalPosition position) => this with
    {
        Sequence = position.Sequence,
        Hash = position.Hash,
        Segment = position.Cursor.Segment,
        Index = position.Cursor.Index,
    };

    public static JournalState LoadOrCreate(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            // Without it nobody knows which records were shipped already: guessing would count them twice or never.
            if (Directory.EnumerateFiles(folder, JournalSegment.FilePattern).Any())
                throw new JournalException($"'{path}' is missing although the folder holds journal segments. Restore it, or move the folder away to begin a new journal.");
            var made = new JournalState(CurrentVersion, Guid.CreateVersion7().ToString("N"), 0, "", 0, 0).At(JournalPosition.Start);
            made.Save(folder);
            return made;
        }

        JournalState? read;
        try
        {
            read = JsonSerializer.Deserialize(File.ReadAllBytes(path), JournalStateJson.Default.JournalState);
        }
        catch (JsonException broken)
        {
            throw new JournalException($"'{path}' cannot be read: {broken.Message} Restore it, or move the folder away to begin a new journal.", broken);
        }

        if (read is not { Version: CurrentVersion, Epoch.Length: 32, Hash.Length: 64 })
            throw new JournalException($"'{path}' was written by another version of Tollgate, which this one cannot read.");
        return read;
    }

    public void Save(string folder) =>
        DurableFile.Replace(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, JournalStateJson.Default.JournalState));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(JournalState))]
internal sealed partial class JournalStateJson : JsonSerializerContext;
