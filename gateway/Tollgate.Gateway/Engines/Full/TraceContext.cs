using System.Globalization;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>The W3C trace context of a call that came without one: its trace is the request's own number.</summary>
internal static class TraceContext
{
    public static string Of(UInt128 requestNumber)
    {
        var span = (ulong)Random.Shared.NextInt64(1, long.MaxValue);
        return string.Create(CultureInfo.InvariantCulture, $"00-{(requestNumber == 0 ? 1 : requestNumber):x32}-{span:x16}-01");
    }
}
