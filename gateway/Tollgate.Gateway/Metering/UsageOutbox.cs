using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// The batch that is on its way, <c>outbox/&lt;sequence&gt;.json</c>: one line that says where the journal goes on after it, then the body exactly as it is sent.
/// A batch is on the disk before it is first sent, so that every repetition has the same number and the same bytes.
/// </summary>
internal sealed class UsageOutbox
{
    private readonly string _folder;

    public UsageOutbox(string journalFolder)
    {
        _folder = Path.Combine(journalFolder, "outbox");
        Directory.CreateDirectory(_folder);
    }

    public SealedBatch Store(UsageStretch stretch)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(stretch.Batch, ContractJson.Default.UsageBatch);
        var head = JsonSerializer.SerializeToUtf8Bytes(
            new OutboxHead(stretch.Next.Sequence, stretch.Next.Hash, stretch.Next.Cursor.Segment, stretch.Next.Cursor.Index, stretch.Records),
            OutboxJson.Default.OutboxHead);
        DurableFile.Replace(PathOf(stretch.Next.Sequence), [.. head, (byte)'\n', .. body]);
        return new(stretch.Next, body);
    }

    /// <summary>The batch that was sealed and not acknowledged, when there is one. Leftovers of acknowledged ones are deleted.</summary>
    public SealedBatch? Pending(long acknowledged)
    {
        foreach (var path in Directory.EnumerateFiles(_folder).ToArray())
        {
            var isBatch = long.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) && path.EndsWith(".json", StringComparison.Ordinal);
            if (!isBatch || sequence <= acknowledged) File.Delete(path);
        }

        var next = PathOf(acknowledged + 1);
        if (!File.Exists(next)) return null;
        var content = File.ReadAllBytes(next);
        var cut = content.AsSpan().IndexOf((byte)'\n');
        var head = cut < 0 ? null : JsonSerializer.Deserialize(content.AsSpan(0, cut), OutboxJson.Default.OutboxHead);
        if (head is null || head.Sequence != acknowledged + 1)
            throw new InvalidDataException($"'{next}' is not a sealed usage batch. It may have been counted already: ask for help before deleting it.");
        return new(new(head.Sequence, head.Hash, new(head.Segment, head.Index)), content[(cut + 1)..]);
    }

    public void Delete(long sequence) => File.Delete(PathOf(sequence));

    private string PathOf(long sequence) => Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{sequence:D12}.json"));
}

/// <summary>A batch as it is sent, and the position that holds once it has been counted.</summary>
internal sealed record SealedBatch(JournalPosition Next, byte[] Body);

internal sealed record OutboxHead(long Sequence, string Hash, long Segment, int Index, int Records);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OutboxHead))]
internal sealed partial class OutboxJson : JsonSerializerContext;
