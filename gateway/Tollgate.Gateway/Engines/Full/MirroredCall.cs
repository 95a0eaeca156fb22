using Tollgate.Gateway.Balancing;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>The copy of one call while it comes together: its head when the call's own is written, its body once that was read.</summary>
internal struct MirroredCall
{
    private Mirror? _mirror;
    private Destination? _host;
    private HttpRequestMessage? _copy;
    private bool _hasBody;

    public readonly bool Wants => _mirror is not null && _copy is null;

    public static MirroredCall Of(Mirror mirror, in Placement call, FullEngine engine)
    {
        if (!mirror.Wants()) return default;
        if (!mirror.TryEnter())
        {
            engine.Metrics.Mirrored("left-out");
            return default;
        }

        var placement = call;
        if (mirror.Upstream.Choose(ref placement) is { } host) return new MirroredCall { _mirror = mirror, _host = host };
        mirror.Leave();
        return default;
    }

    /// <summary>The head of the copy; without a body it is sent at once.</summary>
    public void Take(FullEngine engine, HttpRequestMessage message, string from, bool isHttps, bool hasBody)
    {
        var origin = isHttps ? _host!.OverHttps : _host!.OverHttp;
        _copy = new HttpRequestMessage(message.Method, new Uri(string.Concat(origin, message.RequestUri!.OriginalString.AsSpan(from.Length)), in UpstreamHead.AsWritten))
        {
            Version = message.Version,
            VersionPolicy = message.VersionPolicy,
        };
        foreach (var (name, values) in message.Headers.NonValidated) _copy.Headers.TryAddWithoutValidation(name, values);
        _hasBody = hasBody;
        if (!hasBody)
        {
            if (message.Content is not null) _copy.Content = UpstreamHead.NoBody();
            Send(engine, null);
            _mirror = null;
            return;
        }

        if (message.Content is not { } content) return;

        // Filled in when the call is over; its headers are here now.
        _copy.Content = new ByteArrayContent([]);
        foreach (var (name, values) in content.Headers.NonValidated)
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                _copy.Content.Headers.TryAddWithoutValidation(name, values);
    }

    /// <summary>The call is over. Sends the copy behind its back: nothing waits for it, and nothing that happens to it is anybody's business.</summary>
    public readonly void Send(FullEngine engine, ReplayableBody? body)
    {
        if (_mirror is null) return;
        if (_copy is null || _hasBody && body is not { IsWhole: true })
        {
            engine.Metrics.Mirrored("left-out");
            _host!.End();
            _mirror.Leave();
            return;
        }

        if (_hasBody)
        {
            var content = new ByteArrayContent(body!.Kept.ToArray());
            foreach (var (name, values) in _copy.Content!.Headers.NonValidated) content.Headers.TryAddWithoutValidation(name, values);
            _copy.Content = content;
        }

        var (mirror, host, copy) = (_mirror, _host!, _copy);
        _ = Task.Run(() => SendAsync(engine, mirror, host, copy));
    }

    private static async Task SendAsync(FullEngine engine, Mirror mirror, Destination host, HttpRequestMessage copy)
    {
        try
        {
            using var limit = new CancellationTokenSource(mirror.TimeoutMs);
            using var answer = await engine.Client.SendAsync(copy, limit.Token);
            await answer.Content.CopyToAsync(Stream.Null, limit.Token);
            engine.Metrics.Mirrored("sent");
        }
        catch (Exception lost) when (lost is HttpRequestException or OperationCanceledException or IOException)
        {
            engine.Metrics.Mirrored("failed");
        }
        finally
        {
            copy.Dispose();
            host.End();
            mirror.Leave();
        }
    }
}
