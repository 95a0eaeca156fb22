using System.Net.Sockets;
using System.Text;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Speaks to a gateway byte by byte.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly TcpClient _client = new();

    public NetworkStream Stream { get; private set; } = null!;

    public static async Task<RawClient> ConnectAsync(Uri gateway)
    {
        var raw = new RawClient();
        await raw._client.ConnectAsync(gateway.Host, gateway.Port);
        raw._client.NoDelay = true;
        raw.Stream = raw._client.GetStream();
        return raw;
    }

    /// <summary>Sends a message and reads until the gateway closes, or has answered whole.</summary>
    public static async Task<string> AskAsync(Uri gateway, string message, bool toTheEnd = false)
    {
        using var raw = await ConnectAsync(gateway);
        await raw.SendAsync(message);
        return await (toTheEnd ? raw.ReadToEndAsync() : raw.ReadAnswerAsync());
    }

    public async Task SendAsync(string text)
    {
        try
        {
            await Stream.WriteAsync(Encoding.Latin1.GetBytes(text));
        }
        catch (IOException)
        {
            // It has heard enough.
        }
    }

    /// <summary>One answer, with its body where it says a length; empty when the connection was closed without one.</summary>
    public async Task<string> ReadAnswerAsync()
    {
        var text = new StringBuilder();
        var buffer = new byte[16384];
        using var limit = new CancellationTokenSource(Deadline.Default);
        try
        {
            while (!IsWhole(text.ToString()) && await Stream.ReadAsync(buffer, limit.Token) is var read and > 0) text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (IOException)
        {
        }

        return text.ToString();
    }

    /// <summary>Everything until the gateway closes the connection.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        var buffer = new byte[16384];
        using var limit = new CancellationTokenSource(Deadline.Default);
        try
        {
            while (await Stream.ReadAsync(buffer, limit.Token) is var read and > 0) text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (IOException)
        {
        }

        return text.ToString();
    }

    public void Dispose() => _client.Dispose();

    private static bool IsWhole(string text)
    {
        var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (head < 0) return false;
        var length = text.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        return length is not null ? text.Length >= head + 4 + int.Parse(length["Content-Length:".Length..]) : text.EndsWith("0\r\n\r\n") || text.StartsWith("HTTP/1.1 1");
    }
}
