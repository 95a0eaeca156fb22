using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Routing;
using Yarp.ReverseProxy.Forwarder;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>The last stage of a call: chooses a host, sends the call there, and brings the answer back. One for each exchange, used again with it.</summary>
internal sealed class Forwarding(Exchange exchange) : HttpTransformer
{
    private readonly FullEngine _engine = exchange.Engine;
    private CancellationTokenSource _timeout = new();
    private CircuitBreaker? _circuit;
    private long _circuitTicket;
    private Destination? _counted;

    private HttpContext Context => exchange.Context;

    public void Reset()
    {
        _circuit?.Abandon(_circuitTicket);
        _circuit = null;
        _counted?.End();
        _counted = null;
        if (_timeout.TryReset()) return;
        _timeout.Dispose();
        _timeout = new CancellationTokenSource();
    }

    public Task SendAsync()
    {
        if (exchange.Route.Circuit is not { } circuit) return SendToAsync(exchange.Route);
        if (circuit.TryEnter(exchange.Call.ArrivedUnixMs, out _circuitTicket, out var retryAfterSeconds))
        {
            _circuit = circuit;
            return SendToAsync(exchange.Route);
        }

        exchange.RecordUnanswered(StatusCodes.Status503ServiceUnavailable);
        return exchange.RefuseAsync(Verdict.Refuse(Refusal.CircuitOpen, retryAfterSeconds));
    }

    private async Task SendToAsync(Route route)
    {
        var upstream = route.Upstream;
        var turn = upstream.Choose(exchange, exchange.Call.ArrivedUnixMs);
        if (upstream.CountsCalls) _counted = upstream.Destinations[turn];
        _timeout.CancelAfter(route.TimeoutMs);

        for (var attempt = 0; ; attempt++)
        {
            var destination = upstream.Destinations[(turn + attempt) % upstream.Destinations.Length];
            var origin = Context.Request.IsHttps ? destination.OverHttps : destination.OverHttp;
            var error = await _engine.Forwarder.SendAsync(Context, origin, _engine.Client, _engine.RequestConfig, this, _timeout.Token);
            if (error == ForwarderError.None)
            {
                await FinishAsync();
                return;
            }

            // Nothing was sent to a host that took no connection: another may have the call, whatever it is.
            var failure = Context.GetForwarderErrorFeature()?.Exception;
            if (attempt == 0 && upstream.Destinations.Length > 1 && !Context.Response.HasStarted && !_timeout.IsCancellationRequested &&
                failure is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError })
            {
                Context.Response.StatusCode = StatusCodes.Status200OK;
                if (_counted is not null)
                {
                    _counted.End();
                    _counted = upstream.Destinations[(turn + 1) % upstream.Destinations.Length];
                    _counted.Begin();
                }

                continue;
            }

            await FailAsync(error, failure);
            return;
        }
    }

    private Task FinishAsync()
    {
        var response = Context.Response;
        if (exchange.Record.IsMissing)
        {
            response.Headers.Clear();
            return exchange.RefuseUnrecordedAsync();
        }

        exchange.Outcome = response.StatusCode >= 500 ? "upstream-error" : "ok";
        exchange.Record.BytesOut = HttpMethods.IsHead(exchange.Call.Method) ? 0 : response.ContentLength ?? 0;
        return Task.CompletedTask;
    }

    // The upstream did not answer, or the answer broke off.
    private Task FailAsync(ForwarderError error, Exception? failure)
    {
        if (Context.Response.HasStarted)
        {
            exchange.Outcome = Context.RequestAborted.IsCancellationRequested ? "cancelled" : "upstream-error";
            return Task.CompletedTask;    // the forwarder has cut the answer off, which the caller can see
        }

        if (Context.RequestAborted.IsCancellationRequested)
        {
            exchange.RecordUnanswered(499);
            exchange.Outcome = "cancelled";
            return Task.CompletedTask;
        }

        var refusal = RefusalOf(error, failure);
        if (refusal is Refusal.UpstreamUnreachable or Refusal.UpstreamTimeout) TellCircuit(failed: true);
        FullEngineLog.UpstreamFailed(_engine.Logger, exchange.Route.Name, error, failure?.Message ?? "", exchange.RequestId);
        exchange.RecordUnanswered(Refusals.Of(refusal).Status);
        Context.Response.Headers.Clear();
        return exchange.RefuseAsync(Verdict.Refuse(refusal));
    }

    private Refusal RefusalOf(ForwarderError error, Exception? failure)
    {
        if (In<BadHttpRequestException>(failure) is { } bad) return bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? Refusal.ContentTooLarge : Refusal.BadRequest;
        if (In<UnsendableHeaderException>(failure) is not null) return Refusal.BadRequest;
        return _timeout.IsCancellationRequested || error is ForwarderError.RequestTimedOut ? Refusal.UpstreamTimeout : Refusal.UpstreamUnreachable;
    }

    private static T? In<T>(Exception? failure) where T : Exception
    {
        for (var at = failure; at is not null; at = at.InnerException)
        {
            if (at is T wanted) return wanted;
            if (at is AggregateException several)
                foreach (var inner in several.InnerExceptions)
                    if (In<T>(inner) is { } found)
                        return found;
        }

        return null;
    }

    private void TellCircuit(bool failed)
    {
        _circuit?.Tell(_circuitTicket, failed, _engine.Time.GetUtcNow().ToUnixTimeMilliseconds());
        _circuit = null;
    }

    public override ValueTask TransformRequestAsync(HttpContext context, HttpRequestMessage message, string destinationPrefix, CancellationToken cancel)
    {
        UpstreamHead.Write(exchange, message, destinationPrefix);
        return default;
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext context, HttpResponseMessage? message, CancellationToken cancel)
    {
        if (message is null) return false;

        TellCircuit(failed: (int)message.StatusCode is >= 500 and <= 508);
        _timeout.CancelAfter(Timeout.Infinite);    // the time-out is for the answer's head; bodies may flow as long as they flow
        var copied = await base.TransformResponseAsync(context, message, cancel);
        if (exchange.Route.AnswerHeaders is { Length: > 0 } transforms)
        {
            var facts = UpstreamHead.FactsOf(exchange);
            MessageHeaders.Transform(context.Response.Headers, transforms, message.RequestMessage!.RequestUri!.GetLeftPart(UriPartial.Authority), in facts);
        }

        OwnHeaders.Write(exchange, context.Response.Headers);
        exchange.RecordAnswer((int)message.StatusCode, exchange.Route.Units);
        ref var record = ref exchange.Record;
        if (record.IsMissing) return false;

        if (record.IsWritten && message.Content.Headers.ContentLength is null && message.StatusCode != HttpStatusCode.SwitchingProtocols)
            context.Response.Body = record.Counting = new CountingStream(context.Response.Body);
        return copied;
    }
}
