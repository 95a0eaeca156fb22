using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Text;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>The first page of a segment file: what it is, whose it is, and which one.</summary>
/// <remarks>
/// <code>
///   0  8 bytes  "TGJRNL\r\n"       8  int32  version      12  int32  record size    16  int32  records
///  24  int64    segment number    32  int64  made, unix ms
///  40  32 ASCII journal epoch     72  int32  length of the node id    76  up to 64 bytes of it
/// 140  uint32   CRC-32C over bytes 0 to 139; zeros to 4096
/// </code>
/// </remarks>
internal sealed record JournalSegmentHeader(string NodeId, string Epoch, long Number, int Records, long MadeUnixMs)
{
    private const int Version = 1;
    private const int CheckedBytes = 140;
    private static ReadOnlySpan<byte> Magic => "TGJRNL\r\n"u8;

    public byte[] ToBytes()
    {
        var page = new byte[JournalSegment.HeaderBytes];
        Magic.CopyTo(page);
        BinaryPrimitives.WriteInt32LittleEndian(page.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(page.AsSpan(12), JournalRecord.SizeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(page.AsSpan(16), Records);
        BinaryPrimitives.WriteInt64LittleEndian(page.AsSpan(24), Number);
        BinaryPrimitives.WriteInt64LittleEndian(page.AsSpan(32), MadeUnixMs);
        Encoding.ASCII.GetBytes(Epoch, page.AsSpan(40, 32));
        BinaryPrimitives.WriteInt32LittleEndian(page.AsSpan(72), Encoding.ASCII.GetBytes(NodeId, page.AsSpan(76, 64)));
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(CheckedBytes), Crc(page.AsSpan(0, CheckedBytes)));
        return page;
    }

    public static bool TryRead(ReadOnlySpan<byte> page, [NotNullWhen(true)] out JournalSegmentHeader? header)
    {
        header = null;
        if (page.Length < CheckedBytes + 4 || !page.StartsWith(Magic)) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(page[CheckedBytes..]) != Crc(page[..CheckedBytes])) return false;
        if (BinaryPrimitives.ReadInt32LittleEndian(page[8..]) != Version || BinaryPrimitives.ReadInt32LittleEndian(page[12..]) != JournalRecord.SizeBytes) return false;
        var nodeLength = BinaryPrimitives.ReadInt32LittleEndian(page[72..]);
        if (nodeLength is < 1 or > 64) return false;
        header = new(
            Encoding.ASCII.GetString(page.Slice(76, nodeLength)),
            Encoding.ASCII.GetString(page.Slice(40, 32)),
            BinaryPrimitives.ReadInt64LittleEndian(page[24..]),
            BinaryPrimitives.ReadInt32LittleEndian(page[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(page[32..]));
        return true;
    }

    public static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
