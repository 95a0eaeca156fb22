using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Tollgate.Gateway.Discovery;

/// <summary>The few records of DNS (RFC 1035, RFC 2782) that name the hosts of a service.</summary>
internal sealed class DnsMessage
{
    public const ushort A = 1;
    public const ushort Aaaa = 28;
    public const ushort Srv = 33;

    private DnsMessage(bool isTruncated, bool isKnown, List<Record> records) => (IsTruncated, IsKnown, Records) = (isTruncated, isKnown, records);

    /// <summary>It did not fit: ask over TCP.</summary>
    public bool IsTruncated { get; }

    /// <summary>False = there is no such name.</summary>
    public bool IsKnown { get; }

    /// <summary>Of the answer and of what was added to it.</summary>
    public List<Record> Records { get; }

    public static byte[] Ask(ushort id, string name, ushort type)
    {
        var message = new byte[12 + name.Length + 2 + 4];
        BinaryPrimitives.WriteUInt16BigEndian(message, id);
        message[2] = 1;    // recursion desired
        message[5] = 1;    // one question
        var at = 12;
        foreach (var label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            if (label.Length > 63) throw new FormatException($"\"{name}\" is not a DNS name.");
            message[at++] = (byte)label.Length;
            at += Encoding.ASCII.GetBytes(label, message.AsSpan(at));
        }

        at++;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at), type);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at + 2), 1);
        return message[..(at + 4)];
    }

    /// <summary>Throws a <see cref="FormatException"/> for what is no answer to this question.</summary>
    public static DnsMessage Parse(ReadOnlySpan<byte> message, ushort id)
    {
        try
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(message) != id || (message[2] & 0x80) == 0) throw new FormatException("not an answer to this question.");
            var code = message[3] & 0x0F;
            if (code is not (0 or 3)) throw new FormatException($"the name server answers with code {code}.");
            var questions = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
            var count = BinaryPrimitives.ReadUInt16BigEndian(message[6..]) + BinaryPrimitives.ReadUInt16BigEndian(message[8..]) + BinaryPrimitives.ReadUInt16BigEndian(message[10..]);
            var at = 12;
            for (var i = 0; i < questions; i++)
            {
                Name(message, ref at);
                at += 4;
            }

            var records = new List<Record>();
            for (var i = 0; i < count && at < message.Length; i++)
            {
                var name = Name(message, ref at);
                var type = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
                var ttl = BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]);
                var length = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
                at += 10;
                var data = message.Slice(at, length);
                var target = at + 6;
                if (type is A or Aaaa && length is 4 or 16) records.Add(new Record(name, type, ttl, 0, 0, new IPAddress(data).ToString()));
                else if (type == Srv) records.Add(new Record(name, type, ttl, BinaryPrimitives.ReadUInt16BigEndian(data), BinaryPrimitives.ReadUInt16BigEndian(data[4..]), Name(message, ref target)));
                at += length;
            }

            return new DnsMessage((message[2] & 2) != 0, code == 0, records);
        }
        catch (Exception broken) when (broken is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new FormatException("the name server's answer is damaged.");
        }
    }

    // Labels may point back to ones before (RFC 1035 §4.1.4), and must not do so for ever.
    private static string Name(ReadOnlySpan<byte> message, ref int at)
    {
        var name = new StringBuilder();
        var from = at;
        var jumped = false;
        for (var steps = 0; steps < 128; steps++)
        {
            var length = message[from];
            if (length == 0)
            {
                if (!jumped) at = from + 1;
                return name.ToString();
            }

            if ((length & 0xC0) == 0xC0)
            {
                if (!jumped) at = from + 2;
                jumped = true;
                from = (length & 0x3F) << 8 | message[from + 1];
                continue;
            }

            if (name.Length > 0) name.Append('.');
            name.Append(Encoding.ASCII.GetString(message.Slice(from + 1, length)));
            from += length + 1;
        }

        throw new FormatException("the name server's answer is damaged.");
    }

    /// <param name="Priority">Of a service: the lowest first.</param>
    /// <param name="Value">The address, or a service's host.</param>
    internal readonly record struct Record(string Name, ushort Type, uint TtlSeconds, int Priority, int Port, string Value);
}
