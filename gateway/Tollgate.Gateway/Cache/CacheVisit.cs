using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Tollgate.Gateway.Cache;

/// <summary>
/// One call's dealings with the cache: finds an answer, or waits for one that is being fetched, or fetches and keeps it. Must be disposed: others may
/// be waiting for what it fetches.
/// </summary>
internal sealed class CacheVisit : IDisposable
{
    private const int LargestKeyBody = 1024 * 1024;

    // Of the connection, or of a body that is not sent again.
    private static readonly string[] NotFreshened =
    [
        "Connection", "Keep-Alive", "Transfer-Encoding", "Trailer", "Upgrade", "Proxy-Authenticate", "Proxy-Connection", "Content-Length", "Content-Encoding", "Content-Range",
    ];

    private readonly AnswerCache _cache;
    private readonly CacheRule _rule;
    private readonly TimeProvider _time;
    private readonly CacheKey _address;
    private readonly string _method;
    private CacheKey _key;
    private CachedAnswer? _stale;
    private CachedAnswer? _draft;
    private AnswerRecorder? _recorder;
    private bool _fetches;
    private bool _asked;
    private bool _changes;

    private CacheVisit(AnswerCache cache, CacheRule rule, TimeProvider time, CacheKey address, string method)
    {
        (_cache, _rule, _time, _address, _method) = (cache, rule, time, address, method);
        _key = address;
    }

    /// <summary>What the caller gets at once; null = the service is asked.</summary>
    public CachedAnswer? Answer { get; private set; }

    /// <summary>What the caller gets after the service was asked, instead of what it said.</summary>
    public CachedAnswer? Taken { get; private set; }

    /// <summary>The answer is old, and a newer one is to be fetched once the caller has it.</summary>
    public bool IsRefreshDue { get; private set; }

    /// <summary>The caller wants what is kept or nothing (RFC 9111 §5.2.1.7).</summary>
    public bool IsOnlyFromCache { get; private set; }

    /// <summary>Whether answers tell how they came about.</summary>
    public bool Tells => _rule.Http is not null;

    /// <summary>Of <c>Cache-Status</c> (RFC 9211).</summary>
    public string Status { get; private set; } = "fwd=miss";

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Null = the call has nothing to do with the cache.</summary>
    /// <param name="address">Scheme, host, path and query.</param>
    /// <param name="caller">What else tells calls apart: credentials above all, so that nobody gets another's answer.</param>
    public static async ValueTask<CacheVisit?> StartAsync(
        AnswerCache cache, CacheRule rule, HttpRequest request, string address, string caller, TimeProvider time, TimeSpan patience, CancellationToken cancel)
    {
        if (request.Headers.ContainsKey("Upgrade") || HttpMethods.IsConnect(request.Method)) return null;
        var isPart = request.Headers.Range.Count > 0 && HttpMethods.IsGet(request.Method);    // of other methods it means nothing (RFC 9110 §14.2)
        if (isPart && rule.Http is null) return null;

        var method = request.Method;
        var body = "";
        if (rule.HashesContent)
        {
            if (await BufferedBody.ReadAsync(request, LargestKeyBody, cancel) is not { } bytes) return null;
            body = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bytes));
        }

        var header = rule.Header.Length > 0 ? request.Headers[rule.Header].ToString() : "";
        var shared = rule.Http is not null && HttpMethods.IsHead(method) ? "GET" : method;
        var at = CacheKey.Digest(address);
        var key = new CacheKey(at, CacheKey.Digest($"{rule.Scope}\n{shared}\n{address}\n{header}\n{body}\n{caller}"));
        var visit = new CacheVisit(cache, rule, time, key, method);
        try
        {
            if (isPart) return visit.HasPart(rule.Http!, request) ? visit : null;
            if (rule.Http is { } http) return await visit.LookByHeadersAsync(http, request, patience, cancel) ? visit : null;
            await visit.LookAsync(request, patience, cancel);
            return visit;
        }
        catch
        {
            visit.Dispose();
            throw;
        }
    }

    /// <summary>A visit that fetches what this one found to be old; null = somebody does already.</summary>
    public CacheVisit? Refresh()
    {
        var refresh = new CacheVisit(_cache, _rule, _time, _address, "GET") { _key = _key, _stale = Answer };
        return refresh.TryFetch() ? refresh : null;
    }

    /// <summary>Asks the service whether what is kept still holds.</summary>
    public void AddConditions(HttpRequestMessage message)
    {
        if (_stale is not { HasValidator: true } stale) return;
        foreach (var name in new[] { "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range" }) message.Headers.Remove(name);
        if (stale.ETag is not null) message.Headers.TryAddWithoutValidation("If-None-Match", stale.ETag);
        if (stale.LastModified is not null) message.Headers.TryAddWithoutValidation("If-Modified-Since", stale.LastModified);
        _asked = true;
    }

    /// <summary>Whether the caller gets what is kept (<see cref="Taken"/>) instead of what the service said.</summary>
    public bool Takes(HttpResponseMessage message)
    {
        if (_stale is null) return false;
        if (_asked && message.StatusCode == System.Net.HttpStatusCode.NotModified)
        {
            Status = "fwd=stale; fwd-status=304";
            Taken = Freshen(_stale, message);
            return true;
        }

        return (int)message.StatusCode is 500 or 502 or 503 or 504 && TakesFailure();
    }

    /// <summary>Whether the caller gets what is kept, although the service gave no answer.</summary>
    public bool TakesFailure()
    {
        if (_stale is null || Now >= _stale.StaleIfErrorUntilUnixMs) return false;
        Status = "hit; detail=stale-if-error";
        Taken = _stale;
        return true;
    }

    /// <summary>Keeps the answer that now goes to the caller, if it may be kept.</summary>
    public void Record(HttpContext context, HttpResponseMessage message)
    {
        var status = (int)message.StatusCode;
        if (_changes)
        {
            Status = "fwd=method";
            if (status is >= 200 and < 400) _cache.ForgetAddress(_address.Address);
            Tell(context.Response);
            return;
        }

        if (_stale is not null) Status = $"fwd=stale; fwd-status={status.ToString(CultureInfo.InvariantCulture)}";
        _draft = DraftOf(context.Response, status);
        if (_draft is null || context.Response.ContentLength > _cache.LargestBody && !HttpMethods.IsHead(_method))
        {
            _draft = null;
            GiveUp();
            Tell(context.Response);
            return;
        }

        _draft = _draft with { Destination = message.RequestMessage!.RequestUri!.GetLeftPart(UriPartial.Authority) };
        Status += "; stored";
        _recorder = new AnswerRecorder(context.Response.Body, _cache.LargestBody, GiveUp);
        context.Response.Body = _recorder;
        Tell(context.Response);
    }

    private void Tell(HttpResponse response)
    {
        if (Tells) response.Headers["Cache-Status"] = $"Tollgate; {Status}";
    }

    /// <summary>The answer has gone out whole.</summary>
    public void Finish(HttpRequest request)
    {
        if (_draft is null || _recorder?.Body is not { } body) return;
        var said = _draft.Header("Content-Length").ToString();
        if (said.Length > 0 && !HttpMethods.IsHead(_method) && said != body.Length.ToString(CultureInfo.InvariantCulture)) return;
        Keep(_draft with { Body = body }, request);
    }

    public void Dispose() => GiveUp();

    // Ocelot's way: whatever the method and the status, for a fixed time.
    private async ValueTask LookAsync(HttpRequest request, TimeSpan patience, CancellationToken cancel)
    {
        Answer = Find();
        if (Answer is not null || !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method)) return;
        await WaitOrFetchAsync(patience, cancel);
        Answer = Find();    // also where it is to fetch: who did may have ended after the first look
        if (Answer is not null) GiveUp();

        CachedAnswer? Find() => _cache.Find(_key) is { } kept && Now < kept.FreshUntilUnixMs && IsReadableBy(request, kept) ? kept : null;
    }

    // Who does not take gzip must not get it, whatever the first caller took.
    private static bool IsReadableBy(HttpRequest request, CachedAnswer kept)
    {
        var coding = kept.Header("Content-Encoding").ToString();
        return coding.Length == 0 || coding.Equals("identity", StringComparison.OrdinalIgnoreCase) ||
            request.Headers.AcceptEncoding.ToString().Contains(coding, StringComparison.OrdinalIgnoreCase);
    }

    private async ValueTask<bool> LookByHeadersAsync(HttpCacheRule http, HttpRequest request, TimeSpan patience, CancellationToken cancel)
    {
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            _changes = !HttpMethods.IsOptions(request.Method) && !HttpMethods.IsTrace(request.Method);
            return _changes;
        }

        var wish = new CacheDirectives(http.ObeysCallers ? WishOf(request) : null);
        if (wish.Has("no-store")) return false;
        Look(in wish, request);
        if (Answer is not null) return true;
        if (wish.Has("only-if-cached"))
        {
            IsOnlyFromCache = true;
            return true;
        }

        if (HttpMethods.IsHead(request.Method) || wish.Has("no-cache")) return true;
        await WaitOrFetchAsync(patience, cancel);
        Look(in wish, request);    // also where it is to fetch: who did may have ended after the first look
        if (Answer is not null) GiveUp();
        return true;
    }

    // A part is given of what is kept whole. Of what is not, the service is asked for the part, and nothing is kept.
    private bool HasPart(HttpCacheRule http, HttpRequest request)
    {
        var wish = new CacheDirectives(http.ObeysCallers ? WishOf(request) : null);
        if (wish.Has("no-store")) return false;
        Look(in wish, request);
        IsOnlyFromCache = Answer is null && wish.Has("only-if-cached");
        return Answer is { Status: StatusCodes.Status200OK } || IsOnlyFromCache;
    }

    private void Look(in CacheDirectives wish, HttpRequest request)
    {
        _key = _address;
        var kept = _cache.Find(_key);
        if (kept is { IsSignpost: true, Vary: { } vary })
        {
            _key = VariantOf(vary, request);
            kept = _cache.Find(_key);
        }

        if (kept is null || kept.IsSignpost) return;
        var now = Now;
        _stale = kept;
        Status = "fwd=stale";
        if (wish.Has("no-cache") || wish.Seconds("max-age") * 1000 < now - kept.BornUnixMs) return;
        if (now + (wish.Seconds("min-fresh") * 1000 ?? 0) < kept.FreshUntilUnixMs)
        {
            Answer = kept;
            Status = "hit";
        }
        else if (wish.Seconds("min-fresh") is null && now < kept.StaleWhileRevalidateUntilUnixMs)
        {
            Answer = kept;
            IsRefreshDue = true;
            Status = "hit; detail=stale-while-revalidate";
        }
    }

    private async ValueTask WaitOrFetchAsync(TimeSpan patience, CancellationToken cancel)
    {
        if (TryFetch(out var fetched)) return;
        try
        {
            await fetched.WaitAsync(patience, _time, cancel);
        }
        catch (TimeoutException)
        {
            // Who fetches takes too long: this call goes by itself.
        }
    }

    private bool TryFetch() => TryFetch(out _);

    private bool TryFetch(out Task fetched) => _fetches = _cache.TryFetch(in _address, out fetched);

    private void GiveUp()
    {
        if (!_fetches) return;
        _fetches = false;
        _cache.Fetched(in _address);
    }

    private CachedAnswer? DraftOf(HttpResponse response, int status)
    {
        var type = response.ContentType ?? "";
        if (status is < 200 or 206 or 304 || response.Headers.SetCookie.Count > 0 || response.Headers.Trailer.Count > 0 ||
            type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) || type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)) return null;
        var headers = response.Headers.ToArray();
        if (_rule.Http is { } http) return HttpMethods.IsHead(_method) ? null : Freshness.Of(status, headers, http, _rule.Region, Now);
        return new CachedAnswer { Status = status, Headers = headers, Region = _rule.Region, BornUnixMs = Now, FreshUntilUnixMs = Now + _rule.TtlMs };
    }

    private void Keep(CachedAnswer answer, HttpRequest request)
    {
        _key = _address;
        if (answer.Vary is { } vary)
        {
            _cache.Keep(in _address, new CachedAnswer { IsSignpost = true, Vary = vary, Region = answer.Region, Tags = answer.Tags });
            _key = VariantOf(vary, request);
        }

        _cache.Keep(in _key, answer);
    }

    private CachedAnswer Freshen(CachedAnswer stale, HttpResponseMessage message)
    {
        KeyValuePair<string, StringValues>[] newer = [.. message.Headers.NonValidated.Concat(message.Content.Headers.NonValidated)
            .Where(header => !NotFreshened.Contains(header.Key, StringComparer.OrdinalIgnoreCase))
            .Select(header => KeyValuePair.Create(header.Key, new StringValues([.. header.Value])))];
        KeyValuePair<string, StringValues>[] merged = [.. stale.Headers.Where(old => !old.Key.Equals("Age", StringComparison.OrdinalIgnoreCase) &&
            !newer.Any(header => header.Key.Equals(old.Key, StringComparison.OrdinalIgnoreCase))), .. newer];
        if (Freshness.Of(stale.Status, merged, _rule.Http!, stale.Region, Now) is not { } times)
        {
            _cache.Forget(in _key);
            return stale;
        }

        var fresh = stale.Freshened(newer, times);
        _cache.Keep(in _key, fresh);
        return fresh;
    }

    private CacheKey VariantOf(string[] vary, HttpRequest request) =>
        new(_address.Address, CacheKey.Digest($"{_address.Variant:x}\n{string.Join('\n', vary.Select(name => $"{name}:{request.Headers[name]}"))}"));

    private static string? WishOf(HttpRequest request)
    {
        var said = request.Headers.CacheControl;
        return said.Count > 0 ? said.ToString() : request.Headers.Pragma.ToString().Contains("no-cache", StringComparison.OrdinalIgnoreCase) ? "no-cache" : null;
    }
}
