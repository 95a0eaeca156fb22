using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tollgate.Gateway.Explain;

/// <summary>One call as the call log keeps it: 128 bytes. Who, what and where are names, and stand once for many calls (<see cref="CallParty"/>).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8, Size = SizeBytes)]
internal struct CallEntry
{
    public const int SizeBytes = 128;
    public const int MostCounters = 8;

    /// <summary>Written last: without it the entry is not there.</summary>
    public int Written;

    public int Party;
    public ulong RequestHigh;
    public ulong RequestLow;
    public long ArrivedUnixMs;

    /// <summary>What the call weighs.</summary>
    public long Units;

    /// <summary>What it was counted with.</summary>
    public long MeteredUnits;
    public uint DurationUs;
    public int ConfigurationVersion;
    public ushort Status;
    public ushort RetryAfterSeconds;
    public byte Attempts;
    public byte CounterCount;
    public byte Metered;
    public byte Granted;
    public CounterValues Left;

    public UInt128 Request
    {
        readonly get => new(RequestHigh, RequestLow);
        set => (RequestHigh, RequestLow) = ((ulong)(value >> 64), (ulong)value);
    }

    /// <summary>What was left of each limit and quota, in the order of the plan.</summary>
    [InlineArray(MostCounters)]
    public struct CounterValues
    {
        private long _first;
    }
}
