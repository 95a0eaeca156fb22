using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>
/// One metered call as it lies on disk: 64 bytes, little-endian, never across two sectors. The first 48 bytes are written once and never
/// change, and are what the hash chain covers; the rest is completed when the answer has ended.
/// </summary>
/// <remarks>
/// <code>
///  0  int32   account      who called what; 0 = nothing written here. Stored last: the commit mark
///  4  uint16  status       HTTP status of the answer
///  6  uint16  reserved     0
///  8  int64   arrived      milliseconds since 1970 UTC
/// 16  int64   units        what the call weighs
/// 24  uint64  request id   high half, then low half
/// 40  uint32  check        CRC-32C over bytes 0 to 39
/// 44  uint32  reserved     0
/// 48  int64   bytes out    of the response body
/// 56  int64   duration     microseconds + 1; 0 = the answer had not ended. Stored last of the two
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal struct JournalRecord
{
    public const int SizeBytes = 64;

    /// <summary>How much of a record never changes once it is written.</summary>
    public const int SealedBytes = 48;

    [FieldOffset(0)] public int Account;
    [FieldOffset(4)] public ushort Status;
    [FieldOffset(8)] public long ArrivedUnixMs;
    [FieldOffset(16)] public long Units;
    [FieldOffset(24)] public ulong RequestIdHigh;
    [FieldOffset(32)] public ulong RequestIdLow;
    [FieldOffset(40)] public uint Check;
    [FieldOffset(48)] public long BytesOut;
    [FieldOffset(56)] public long DurationUsPlusOne;

    public readonly UInt128 RequestId => new(RequestIdHigh, RequestIdLow);
    public readonly bool HasEnded => DurationUsPlusOne != 0;
    public readonly long DurationUs => Math.Max(0, DurationUsPlusOne - 1);
    public readonly long MinuteUnixMs => ArrivedUnixMs - Modulo(ArrivedUnixMs, 60_000);

    /// <summary>Whether the record was written whole. One without its commit mark, or with a wrong check, never was.</summary>
    public readonly bool IsWhole => Account != 0 && Check == CheckOf(Account, Status, ArrivedUnixMs, Units, RequestIdHigh, RequestIdLow);

    /// <summary>A commit mark without its record: what a power failure can leave.</summary>
    public readonly bool IsTorn => Account != 0 && !IsWhole;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint CheckOf(int account, ushort status, long arrivedUnixMs, long units, ulong requestIdHigh, ulong requestIdLow)
    {
        var crc = BitOperations.Crc32C(uint.MaxValue, (uint)account | ((ulong)status << 32));
        crc = BitOperations.Crc32C(crc, (ulong)arrivedUnixMs);
        crc = BitOperations.Crc32C(crc, (ulong)units);
        crc = BitOperations.Crc32C(crc, requestIdHigh);
        return ~BitOperations.Crc32C(crc, requestIdLow);
    }

    private static long Modulo(long value, long by) => ((value % by) + by) % by;
}
