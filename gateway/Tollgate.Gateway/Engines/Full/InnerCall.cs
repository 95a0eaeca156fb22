using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>A call that the gateway makes of its own, for another: it passes the same stages, and its answer stays in memory.</summary>
internal sealed class InnerCall
{
    private const int LargestAnswer = 8 * 1024 * 1024;

    // Of the outer call's connection, or about an answer that is not this one.
    private static readonly string[] NotCopied =
    [
        "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade", "HTTP2-Settings", "Content-Length", "Expect", "Accept-Encoding", "Range",
        "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "X-Request-Id",
    ];

    private readonly BoundedStream _output = new();

    /// <param name="cancel">Ends the call before it is done.</param>
    public InnerCall(HttpContext outer, string target, byte[] body, string requestId, CallerConnection caller, bool keepsEncoding, CancellationToken cancel)
    {
        var headers = new HeaderDictionary();
        var dropped = HopByHopHeaders.NamedBy(outer.Request.Headers.Connection);
        foreach (var (name, values) in outer.Request.Headers)
            if (name[0] != ':' && (!NotCopied.Contains(name, StringComparer.OrdinalIgnoreCase) || keepsEncoding && name.Equals("Accept-Encoding", StringComparison.OrdinalIgnoreCase)) &&
                dropped?.Contains(name) != true)
                headers[name] = values;
        headers["X-Request-Id"] = requestId;
        if (body.Length > 0) headers.ContentLength = body.Length;

        Features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Method = outer.Request.Method,
            Protocol = "HTTP/1.1",
            Scheme = outer.Request.Scheme,
            Path = "/",
            RawTarget = target,
            Headers = headers,
            Body = new MemoryStream(body, writable: false),
        });
        Features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(_output));
        Features.Set<IHttpRequestBodyDetectionFeature>(new BodyDetection(body.Length > 0));
        Features.Set<IHttpRequestLifetimeFeature>(new Lifetime(cancel));
        Features.Set(caller);
        if (outer.Features.Get<OuterCall>() is { } whole) Features.Set(whole);
    }

    public FeatureCollection Features { get; } = new();

    public int Status => Features.GetRequiredFeature<IHttpResponseFeature>().StatusCode;

    public IHeaderDictionary Headers => Features.GetRequiredFeature<IHttpResponseFeature>().Headers;

    /// <summary>The answer's body, decoded.</summary>
    public byte[] Body => Headers.ContentEncoding.ToString().Trim().ToLowerInvariant() switch
    {
        "gzip" or "x-gzip" => Decode(stream => new GZipStream(stream, CompressionMode.Decompress)),
        "deflate" => Decode(stream => new ZLibStream(stream, CompressionMode.Decompress)),
        "br" => Decode(stream => new BrotliStream(stream, CompressionMode.Decompress)),
        _ => _output.ToArray(),
    };

    private byte[] Decode(Func<Stream, Stream> decoderOf)
    {
        try
        {
            using var decoder = decoderOf(new MemoryStream(_output.ToArray()));
            var decoded = new BoundedStream();
            decoder.CopyTo(decoded);
            return decoded.ToArray();
        }
        catch (Exception broken) when (broken is InvalidDataException or IOException)
        {
            return [];
        }
    }

    private sealed class BoundedStream : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            Check(count);
            base.Write(buffer, offset, count);
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Check(buffer.Length);
            base.Write(buffer);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancel)
        {
            Check(count);
            return base.WriteAsync(buffer, offset, count, cancel);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancel = default)
        {
            Check(buffer.Length);
            return base.WriteAsync(buffer, cancel);
        }

        private void Check(int more)
        {
            if (Length + more > LargestAnswer) throw new IOException("The answer is larger than what is held in memory.");
        }
    }

    private sealed class BodyDetection(bool canHaveBody) : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => canHaveBody;
    }

    private sealed class Lifetime(CancellationToken outer) : IHttpRequestLifetimeFeature
    {
        private readonly CancellationTokenSource _aborted = CancellationTokenSource.CreateLinkedTokenSource(outer);

        public CancellationToken RequestAborted
        {
            get => _aborted.Token;
            set { }
        }

        public void Abort() => _aborted.Cancel();
    }
}
