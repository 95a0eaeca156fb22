using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Gateway.Cache;
using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Answers a call with what is kept, or forwards it and keeps what the service says.</summary>
internal static class CacheStage
{
    public static async Task ServeAsync(Exchange exchange, CacheRule rule)
    {
        var request = exchange.Context.Request;
        var engine = exchange.Engine;
        var patience = TimeSpan.FromMilliseconds(exchange.Route.TimeoutMs);
        var visit = exchange.Cache = await CacheVisit.StartAsync(
            engine.Cache, rule, request, AddressOf(exchange), CallerOf(exchange), engine.Time, patience, exchange.Context.RequestAborted);
        if (visit is null)
        {
            await exchange.ForwardAsync();
        }
        else if (visit.Answer is { } kept)
        {
            await AnswerAsync(exchange, visit, kept);
            if (visit.IsRefreshDue) RefreshLater(exchange, visit);
        }
        else if (visit.IsOnlyFromCache)
        {
            await SpecialStages.RefuseAsync(exchange, Refusal.UpstreamTimeout);
        }
        else
        {
            await exchange.ForwardAsync();
            if (exchange.Refused is null && visit.Taken is { } taken) await AnswerAsync(exchange, visit, taken);
        }
    }

    private static string AddressOf(Exchange exchange)
    {
        ref var call = ref exchange.Call;
        return $"{exchange.Context.Request.Scheme}://{call.Host.ToLowerInvariant()}{call.Path}?{call.Query}";
    }

    // Nobody gets an answer that was made for another's credentials.
    private static string CallerOf(Exchange exchange)
    {
        ref var call = ref exchange.Call;
        ref var admission = ref exchange.Admission;
        return string.Join('\n', [call.ApiKey, call.Authorization, call.CertificateSubject, admission.Credential?.Id.ToString(), .. admission.Fillings ?? []]);
    }

    private static Task AnswerAsync(Exchange exchange, CacheVisit visit, CachedAnswer answer)
    {
        var response = exchange.Context.Response;
        response.Headers.Clear();
        var isHead = HttpMethods.IsHead(exchange.Call.Method);
        var notModified = visit.Tells && IsStillHeld(exchange, answer);
        response.StatusCode = notModified ? StatusCodes.Status304NotModified : answer.Status;
        var hasNoBody = notModified || isHead || answer.Status is 204 or 205 or 304;
        foreach (var (name, values) in answer.Headers)
        {
            var ofContent = name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase) && !name.Equals("Content-Location", StringComparison.OrdinalIgnoreCase);
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) && !hasNoBody || notModified && ofContent) continue;
            response.Headers[name] = values;
        }

        if (!hasNoBody || isHead && !notModified && visit.Tells) response.ContentLength = answer.Body.Length;
        ReadOnlyMemory<byte> body = hasNoBody ? default : answer.Body;
        if (!hasNoBody && visit.Tells && PartOf(exchange, answer) is { } part) body = Cut(response, answer.Body, part);
        if (visit.Tells)
        {
            var age = (exchange.Engine.Time.GetUtcNow().ToUnixTimeMilliseconds() - answer.BornUnixMs) / 1000;
            response.Headers.Age = Math.Max(0, age).ToString(CultureInfo.InvariantCulture);
            response.Headers["Cache-Status"] = $"Tollgate; {visit.Status}";
        }

        if (exchange.Route.AnswerHeaders is { Length: > 0 } transforms)
        {
            var facts = UpstreamHead.FactsOf(exchange);
            MessageHeaders.Transform(response.Headers, transforms, answer.Destination, in facts);
        }

        return SpecialStages.AnswerAsync(exchange, body);
    }

    private static ReadOnlyMemory<byte> Cut(HttpResponse response, byte[] body, ByteRange part)
    {
        response.StatusCode = part.Length == 0 ? StatusCodes.Status416RangeNotSatisfiable : StatusCodes.Status206PartialContent;
        response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {(part.Length == 0 ? "*" : $"{part.From}-{part.From + part.Length - 1}")}/{body.Length}");
        response.ContentLength = part.Length;
        return body.AsMemory(part.From, part.Length);
    }

    // The part that the caller asks for, if what it holds of the rest is of the same answer (RFC 9110 §13.1.5).
    private static ByteRange? PartOf(Exchange exchange, CachedAnswer answer)
    {
        var headers = exchange.Context.Request.Headers;
        if (headers.Range.Count == 0 || answer.Status != StatusCodes.Status200OK || !HttpMethods.IsGet(exchange.Call.Method)) return null;
        if (headers.IfRange.ToString() is { Length: > 0 } held && held != (held.StartsWith('"') ? answer.ETag : answer.LastModified)) return null;
        return ByteRange.Of(headers.Range.ToString(), answer.Body.Length);
    }

    // RFC 9110 §13.1: what the caller holds is what is kept.
    private static bool IsStillHeld(Exchange exchange, CachedAnswer answer)
    {
        if (answer.Status != StatusCodes.Status200OK || !HttpMethods.IsGet(exchange.Call.Method) && !HttpMethods.IsHead(exchange.Call.Method)) return false;
        var headers = exchange.Context.Request.Headers;
        if (headers.IfNoneMatch.Count > 0)
        {
            if (answer.ETag is null) return false;
            foreach (var line in headers.IfNoneMatch)
                foreach (var tag in (line ?? "").Split(',', StringSplitOptions.TrimEntries))
                    if (tag == "*" || Strong(tag) == Strong(answer.ETag))
                        return true;
            return false;
        }

        return headers.IfModifiedSince.Count > 0 && answer.LastModified is not null &&
            Freshness.TryDate(headers.IfModifiedSince.ToString(), out var since) && Freshness.TryDate(answer.LastModified, out var modified) && modified <= since;
    }

    private static string Strong(string tag) => tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;

    // The caller has the old answer already, and pays for nothing more.
    private static void RefreshLater(Exchange exchange, CacheVisit visit)
    {
        if (visit.Refresh() is not { } refresh) return;
        var target = exchange.Context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var call = new InnerCall(exchange.Context, target, [], exchange.RequestId, exchange.Caller, keepsEncoding: true, CancellationToken.None);
        var fetching = new Exchange(exchange.Engine);
        fetching.Begin(call.Features);
        fetching.TakeOver(exchange);
        fetching.Call.Method = fetching.Context.Request.Method = HttpMethods.Get;
        fetching.Cache = refresh;
        _ = Task.Run(() => FetchAsync(fetching));
    }

    private static async Task FetchAsync(Exchange exchange)
    {
        try
        {
            await exchange.ForwardAsync();
        }
        catch (Exception mistake)
        {
            FullEngineLog.Failed(exchange.Engine.Logger, mistake, exchange.RequestId);
        }
        finally
        {
            exchange.End();
        }
    }
}
