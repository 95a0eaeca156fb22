using System.IO.Compression;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Gateway.Policy.Edge;
using Tollgate.Gateway.Transport;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// The body of an answer on a route that compresses. Decides with the first byte, when the answer's head is complete, and leaves it alone where it is
/// encoded already, part of a whole, short, or of a type that is not worth it. What has no length is sent on as it comes.
/// </summary>
internal sealed class CompressedBody(HttpContext context, CompressionRule rule, IHttpResponseBodyFeature inner) : WriteOnlyStream, IHttpResponseBodyFeature
{
    private readonly Stream _inner = inner.Stream;
    private PipeWriter? _writer;
    private Stream? _coder;
    private bool _decided;
    private bool _flushes;

    /// <summary>Takes the place of the answer's body; null where the caller takes no coding.</summary>
    public static CompressedBody? Begin(HttpContext context, CompressionRule rule)
    {
        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }) return null;
        var body = new CompressedBody(context, rule, context.Features.GetRequiredFeature<IHttpResponseBodyFeature>());
        context.Features.Set<IHttpResponseBodyFeature>(body);
        return body;
    }

    public Stream Stream => this;
    public PipeWriter Writer => _writer ??= PipeWriter.Create(this, new StreamPipeWriterOptions(leaveOpen: true));

    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (!_decided) Decide();
        return inner.StartAsync(cancellationToken);
    }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        if (!_decided) Decide();
        return _coder is null ? inner.SendFileAsync(path, offset, count, cancellationToken) : SendFileFallback.SendFileAsync(this, path, offset, count, cancellationToken);
    }

    public Task CompleteAsync() => inner.CompleteAsync();

    public void DisableBuffering() => inner.DisableBuffering();

    /// <summary>Writes what is left, after the last byte. Not called when the answer broke off.</summary>
    public async Task FinishAsync()
    {
        if (!_decided && HttpMethods.IsHead(context.Request.Method)) Decide();    // the head that GET would have (RFC 9110 §9.3.2)
        if (_writer is not null) await _writer.FlushAsync();
        if (_coder is not null) await _coder.DisposeAsync();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancel = default)
    {
        if (!_decided) Decide();
        if (_coder is null)
        {
            await _inner.WriteAsync(buffer, cancel);
            return;
        }

        await _coder.WriteAsync(buffer, cancel);
        if (_flushes) await FlushAsync(cancel);
    }

    public override async Task FlushAsync(CancellationToken cancel)
    {
        if (_coder is not null) await _coder.FlushAsync(cancel);
        await _inner.FlushAsync(cancel);
    }

    public override void Flush()
    {
    }

    private void Decide()
    {
        _decided = true;
        var response = context.Response;
        var headers = response.Headers;
        if (response.HasStarted || response.StatusCode is < 200 or 204 or 205 or 206 or 304 || headers.ContentEncoding.Count > 0 || headers.ContentRange.Count > 0 ||
            response.ContentLength < rule.MinBytes || !rule.Takes(response.ContentType) ||
            headers.CacheControl.ToString().Contains("no-transform", StringComparison.OrdinalIgnoreCase)) return;

        EdgeHeaders.AddVary(headers, "Accept-Encoding");
        if (rule.Choose(context.Request.Headers.AcceptEncoding.ToString()) is not { } coding) return;

        _flushes = response.ContentLength is null;
        response.ContentLength = null;
        headers.ContentEncoding = coding;
        headers.Remove("Accept-Ranges");
        headers.Remove("Content-MD5");
        if (headers.ETag.ToString() is { Length: > 0 } tag && !tag.StartsWith("W/", StringComparison.Ordinal)) headers.ETag = $"W/{tag}";    // the same, but not byte for byte
        if (HttpMethods.IsHead(context.Request.Method)) return;
        _coder = coding == "br" ? new BrotliStream(_inner, rule.Level, leaveOpen: true) : new GZipStream(_inner, rule.Level, leaveOpen: true);
    }
}
