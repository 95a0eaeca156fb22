using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Gateway.Transport;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// The body of an answer over HTTP/1.1 after which trailers come. Kestrel sends trailers over HTTP/2 and HTTP/3 alone; over HTTP/1.1 it leaves a body that
/// says it is chunked to who writes it, and so the chunks and what follows them are written here (RFC 9112 §7.1).
/// </summary>
internal sealed class TrailedBody(Stream inner) : WriteOnlyStream
{
    private byte[] _end = "0\r\n\r\n"u8.ToArray();

    /// <summary>Takes the place of the answer's body where the service announces trailers; null where none can be sent on, and then none are announced.</summary>
    public static TrailedBody? Begin(HttpContext context, HttpResponseMessage answer)
    {
        if (!context.Response.Headers.ContainsKey("Trailer") || context.Request.Protocol is not ("HTTP/1.1" or "HTTP/1.0")) return null;

        // Only on Kestrel's own body: what is read, kept or coded before it leaves is no longer what the trailers speak of.
        var isKestrels = ReferenceEquals(context.Features.Get<IHttpResponseBodyFeature>(), context.Features.Get<IHttpRequestFeature>());
        if (!isKestrels || context.Request.Protocol != "HTTP/1.1" || HttpMethods.IsHead(context.Request.Method) || answer.Content.Headers.ContentLength is not null || context.Response.StatusCode is < 200 or 204 or 304)
        {
            context.Response.Headers.Remove("Trailer");
            return null;
        }

        context.Response.Headers.TransferEncoding = "chunked";
        var body = new TrailedBody(context.Response.Body);
        context.Response.Body = body;
        return body;
    }

    /// <summary>Has them written after the last byte.</summary>
    public void Take(HttpResponseHeaders trailers)
    {
        var text = new StringBuilder("0\r\n");
        foreach (var (name, values) in trailers.NonValidated)
        {
            if (HopByHopHeaders.Ends(name) || name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || name.Equals("Trailer", StringComparison.OrdinalIgnoreCase)) continue;
            foreach (var value in values)
                if (value.AsSpan().IndexOfAny("\r\n\0") < 0)
                    text.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        _end = Encoding.Latin1.GetBytes(text.Append("\r\n").ToString());
    }

    /// <summary>Writes the end. Not called when the answer broke off: the caller sees that.</summary>
    public async Task FinishAsync() => await inner.WriteAsync(_end);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancel = default)
    {
        if (buffer.Length == 0) return;
        await inner.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{buffer.Length:x}\r\n")), cancel);
        await inner.WriteAsync(buffer, cancel);
        await inner.WriteAsync("\r\n"u8.ToArray(), cancel);
    }

    public override Task FlushAsync(CancellationToken cancel) => inner.FlushAsync(cancel);

    public override void Flush()
    {
    }
}
