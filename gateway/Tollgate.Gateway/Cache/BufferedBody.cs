using Microsoft.AspNetCore.Http;

namespace Tollgate.Gateway.Cache;

/// <summary>Reads a request's body into memory, as far as a limit allows, and puts it back so that it can be sent on.</summary>
internal static class BufferedBody
{
    /// <summary>The whole body; null = it is longer than the limit, and flows on as it came.</summary>
    public static async Task<byte[]?> ReadAsync(HttpRequest request, int limit, CancellationToken cancel)
    {
        if (request.ContentLength is 0 || request.ContentLength is null && request.Headers.TransferEncoding.Count == 0 && HttpProtocol.IsHttp11(request.Protocol)) return [];
        if (request.ContentLength > limit) return null;

        var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, cancel)) > 0)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length <= limit) continue;
            request.Body = new ResumedStream(buffer.ToArray(), request.Body);
            return null;
        }

        var body = buffer.ToArray();
        request.Body = new MemoryStream(body, writable: false);
        return body;
    }

    /// <summary>What was read already, and then the rest.</summary>
    private sealed class ResumedStream(byte[] read, Stream rest) : Stream
    {
        private int _at;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancel = default)
        {
            if (_at == read.Length) return rest.ReadAsync(buffer, cancel);
            var count = Math.Min(buffer.Length, read.Length - _at);
            read.AsMemory(_at, count).CopyTo(buffer);
            _at += count;
            return new ValueTask<int>(count);
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancel) => ReadAsync(buffer.AsMemory(offset, count), cancel).AsTask();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies are read without blocking.");
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
