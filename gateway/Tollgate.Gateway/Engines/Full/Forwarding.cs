using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Routing;
using Yarp.ReverseProxy.Forwarder;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// The last stage of a call: chooses a host, sends the call there, to another where that is safe, and brings the answer back. One for each exchange, used
/// again with it.
/// </summary>
internal sealed class Forwarding(Exchange exchange) : HttpTransformer
{
    private readonly FullEngine _engine = exchange.Engine;
    private CancellationTokenSource _timeout = new();
    private CircuitBreaker? _circuit;
    private long _circuitTicket;
    private Upstream _upstream = null!;
    private Destination? _host;
    private Placement _placement;
    private ReplayableBody? _body;
    private HedgingInvoker? _hedging;
    private MirroredCall _mirrored;
    private TrailedBody? _trailed;
    private int _attempt;
    private bool _again;
    private bool _isHedged;

    private HttpContext Context => exchange.Context;

    private Delivery Delivery => exchange.Route.Delivery;

    // What the service is asked: a route may change the method, and with it what may be done twice.
    private string Method => exchange.Route.Method?.Method ?? exchange.Call.Method;

    public void Reset()
    {
        _circuit?.Abandon(_circuitTicket);
        _circuit = null;
        _host?.End();
        _host = null;
        _mirrored.Send(_engine, _body);
        _mirrored = default;
        _body?.Forget();
        _body = null;
        _trailed = null;
        _placement = default;
        _attempt = 0;
        _again = _isHedged = false;
        if (!_timeout.TryReset()) RenewTimeout();
    }

    public Task SendAsync()
    {
        if (exchange.Route.Circuit is not { } circuit) return SendToAsync(exchange.Route);
        if (circuit.TryEnter(exchange.Call.ArrivedUnixMs, out _circuitTicket, out var retryAfterSeconds))
        {
            _circuit = circuit;
            return SendToAsync(exchange.Route);
        }

        if (exchange.Cache?.TakesFailure() == true) return Task.CompletedTask;
        exchange.RecordUnanswered(StatusCodes.Status503ServiceUnavailable);
        return exchange.RefuseAsync(Verdict.Refuse(Refusal.CircuitOpen, retryAfterSeconds));
    }

    private async Task SendToAsync(Route route)
    {
        try
        {
            await TryHostsAsync(route);
        }
        catch (Exception mistake)
        {
            await exchange.FailAsync(mistake);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask TryHostsAsync(Route route)
    {
        Place(route);
        if (_upstream.Choose(ref _placement) is not { } host)
        {
            if (exchange.Cache?.TakesFailure() == true) return;
            exchange.RecordUnanswered(StatusCodes.Status503ServiceUnavailable);
            await exchange.RefuseAsync(Verdict.Refuse(Refusal.NotReady, 1));
            return;
        }

        while (true)
        {
            _attempt++;
            _again = false;
            _host = host;
            _timeout.CancelAfter(TryMs(route));
            exchange.Try(OriginOf(host));
            var error = await _engine.Forwarder.SendAsync(Context, OriginOf(host), ClientFor(route, host), ConfigFor(route), this, _timeout.Token);
            if (error == ForwarderError.None && !_again)
            {
                if (_trailed is not null) await _trailed.FinishAsync();
                await FinishAsync();
                return;
            }

            var failure = Context.GetForwarderErrorFeature()?.Exception;
            var loss = _again ? Loss.Answer : LostTry.LossOf(error, failure, Context.RequestAborted.IsCancellationRequested, _timeout.IsCancellationRequested);
            TellHost(loss);
            if ((_again || MayTryAgain(loss)) && await NextAsync(loss) is { } next)
            {
                host = next;
                continue;
            }

            await FailAsync(error, failure);
            return;
        }
    }

    private void Place(Route route)
    {
        ref var call = ref exchange.Call;
        _placement = new Placement
        {
            Headers = exchange,
            Remote = call.Remote,
            Application = exchange.Admission.Credential?.Application.Id.Value ?? Guid.Empty,
            Consumer = exchange.Admission.Credential?.Application.Name,
            NowUnixMs = call.ArrivedUnixMs,
        };
        var delivery = route.Delivery;
        _upstream = delivery.Canary is { } canary && canary.Takes(in _placement) && canary.Upstream.HasWell(_placement.NowUnixMs) ? canary.Upstream : route.Upstream;
        delivery.Retry.Budget.Earn();
        if (delivery.Mirror is { } mirror) _mirrored = MirroredCall.Of(mirror, in _placement, _engine);

        // A body is kept only where it could be needed once more.
        var retries = MostTries > 1 && delivery.Retry.Covers(Method);
        var most = Math.Max(retries ? delivery.Retry.BodyBytes : 0, _mirrored.Wants ? delivery.Mirror!.BodyBytes : 0);
        if (most > 0 && HasBody()) Context.Request.Body = _body = new ReplayableBody(Context.Request.Body, most);
    }

    // A canary's calls may end at the route's own hosts.
    private int MostTries => Delivery.Retry.AttemptsOn(_upstream.Destinations.Length + (IsAtCanary ? exchange.Route.Upstream.Destinations.Length : 0));

    private bool IsAtCanary => !ReferenceEquals(_upstream, exchange.Route.Upstream);

    private bool HasBody() => Context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != false;

    private string OriginOf(Destination host) => Context.Request.IsHttps ? host.OverHttps : host.OverHttp;

    private ForwarderRequestConfig ConfigFor(Route route) => route.Transport?.RequestConfig ??
        (route.Delivery.ActivityMs == 0 ? _engine.RequestConfig : _engine.RequestConfigFor(route.Delivery.ActivityMs));

    private HttpMessageInvoker ClientFor(Route route, Destination host)
    {
        var client = route.Transport?.Client ?? _engine.Client;
        _isHedged = route.Delivery.Hedge is not null && route.Delivery.Retry.Covers(Method) && !HasBody();
        if (!_isHedged) return client;
        _hedging ??= new HedgingInvoker(_engine.Metrics);
        _hedging.Begin(client, _upstream, route.Delivery.Hedge!, host, in _placement, OriginOf);
        return _hedging;
    }

    // Time for this try: the route's until the answer's head, the whole call's, and the try's own.
    private int TryMs(Route route)
    {
        var delivery = route.Delivery;
        var left = delivery.TotalMs > 0 ? Math.Min(route.TimeoutMs, delivery.TotalMs) : route.TimeoutMs;
        if (_attempt > 1) left = Math.Max(1, left - (int)Math.Min(int.MaxValue, exchange.Elapsed.TotalMilliseconds));
        return delivery.Retry.AttemptMs > 0 ? Math.Min(delivery.Retry.AttemptMs, left) : left;
    }

    private bool IsLate(Route route) =>
        exchange.Elapsed.TotalMilliseconds >= (route.Delivery.TotalMs > 0 ? Math.Min(route.TimeoutMs, route.Delivery.TotalMs) : route.TimeoutMs);

    private Task FinishAsync()
    {
        var response = Context.Response;
        if (exchange.Record.IsMissing)
        {
            response.Headers.Clear();
            return exchange.RefuseUnrecordedAsync();
        }

        exchange.Cache?.Finish(Context.Request);
        exchange.Outcome = response.StatusCode >= 500 ? "upstream-error" : "ok";
        exchange.Record.BytesOut = HttpMethods.IsHead(exchange.Call.Method) ? 0 : response.ContentLength ?? 0;
        return Task.CompletedTask;
    }

    private void TellHost(Loss loss)
    {
        if (_host is not { } host) return;
        var outcome = loss switch
        {
            Loss.NoConnection => CallOutcome.NoConnection,
            Loss.NoSecrets or Loss.Broken => CallOutcome.Failed,
            Loss.Timeout when _upstream.Options.Passive.CountsTimeouts => CallOutcome.Failed,
            _ => CallOutcome.Untold,    // an answer was judged when it came
        };
        if (!Context.Response.HasStarted) _upstream.Tell(host, outcome, Now);
    }

    // What no host took may go to any; the rest only where being done twice is the same as once, and while the call still has its body and its time.
    private bool MayTryAgain(Loss loss)
    {
        var route = exchange.Route;
        var retry = route.Delivery.Retry;
        if (loss is Loss.Caller or Loss.Plugin || Context.Response.HasStarted || _attempt >= MostTries || IsLate(route)) return false;
        if (_body is { IsReplayable: false }) return false;
        if (loss is Loss.NoConnection or Loss.NoSecrets) return true;
        if (!retry.Covers(Method) || _body is null && HasBody()) return false;
        return loss switch
        {
            Loss.Broken => true,
            Loss.Timeout => retry.AttemptMs > 0 && retry.Budget.TrySpend(),
            _ => true,    // the budget was asked when the answer was let go
        };
    }

    // The host for one more try. Once every host was tried, they may be tried again if the route wants more tries than it has hosts.
    private async ValueTask<Destination?> NextAsync(Loss loss)
    {
        var retry = Delivery.Retry;
        if (retry.WaitMs > 0) await Task.Delay(TimeSpan.FromMilliseconds(retry.WaitMs * (0.5 + Random.Shared.NextDouble())), _engine.Time, Context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _placement.NowUnixMs = Now;
        var next = _upstream.Choose(ref _placement);
        if (next is null && IsAtCanary)
        {
            _upstream = exchange.Route.Upstream;
            _placement.Tried = 0;
            next = _upstream.Choose(ref _placement);
        }

        if (next is null && (retry.Attempts > 0 || loss == Loss.Answer))
        {
            _placement.Tried = 0;
            next = _upstream.Choose(ref _placement);
        }

        if (next is null) return null;
        _engine.Metrics.Retried(exchange.Route.Name, loss switch { Loss.NoConnection or Loss.NoSecrets => "no-connection", Loss.Broken => "lost", Loss.Timeout => "timeout", _ => "answer" });
        _host?.End();
        _host = null;
        _body?.Rewind();
        if (!_timeout.TryReset()) RenewTimeout();
        Context.Response.StatusCode = StatusCodes.Status200OK;
        Context.Features.Get<IHttpResponseFeature>()!.ReasonPhrase = null;
        return next;
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

        var refusal = LostTry.RefusalOf(error, failure, _timeout.IsCancellationRequested);
        if (refusal is Refusal.UpstreamUnreachable or Refusal.UpstreamTimeout) TellCircuit(failed: true);
        if (refusal is Refusal.UpstreamUnreachable or Refusal.UpstreamTimeout && exchange.Cache?.TakesFailure() == true) return Task.CompletedTask;
        FullEngineLog.UpstreamFailed(_engine.Logger, exchange.Route.Name, error, failure?.Message ?? "", exchange.RequestId);
        exchange.RecordUnanswered(Refusals.Of(refusal).Status);
        Context.Response.Headers.Clear();
        var retryAfter = refusal == Refusal.UpstreamUnreachable && _host is { } host ? (int)((_upstream.PauseMs(host) + 999) / 1000) : 0;
        return exchange.RefuseAsync(Verdict.Refuse(refusal, retryAfter));
    }

    private long Now => _engine.Time.GetUtcNow().ToUnixTimeMilliseconds();

    private void RenewTimeout()
    {
        _timeout.Dispose();
        _timeout = new CancellationTokenSource();
    }

    private void TellCircuit(bool failed)
    {
        _circuit?.Tell(_circuitTicket, failed, Now);
        _circuit = null;
    }

    public override ValueTask TransformRequestAsync(HttpContext context, HttpRequestMessage message, string destinationPrefix, CancellationToken cancel)
    {
        UpstreamHead.Write(exchange, message, destinationPrefix);
        exchange.Cache?.AddConditions(message);
        if (Delivery.ConnectMs is > 0 and var connectMs) UpstreamConnect.Limit(message, connectMs);
        if (_mirrored.Wants) _mirrored.Take(_engine, message, destinationPrefix, context.Request.IsHttps, _body is not null);
        return default;
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext context, HttpResponseMessage? message, CancellationToken cancel)
    {
        if (message is null) return false;

        var status = (int)message.StatusCode;
        if (status < 100) throw new InvalidOperationException("The service answered with a status that is none (RFC 9110 §15).");
        if (_isHedged) _host = _hedging!.Host;
        var outcome = _upstream.Judge(status);
        if (_host is { } host) _upstream.Tell(host, outcome, outcome == CallOutcome.Good ? 0 : Now);
        if (Delivery.Retry.Statuses.Contains(status) && MayTryAgain(Loss.Answer) && Delivery.Retry.Budget.TrySpend())
        {
            _again = true;
            return false;
        }

        TellCircuit(failed: status is >= 500 and <= 508);

        // The time-out is for the answer's head; bodies may flow as long as they flow, unless the route says otherwise.
        if (Delivery.TotalMs == 0) _timeout.CancelAfter(Timeout.Infinite);
        else _timeout.CancelAfter(Math.Max(1, Delivery.TotalMs - (int)Math.Min(int.MaxValue, exchange.Elapsed.TotalMilliseconds)));

        if (exchange.Cache?.Takes(message) == true) return false;
        var copied = await base.TransformResponseAsync(context, message, cancel);
        HopByHopHeaders.Drop(message, context.Response.Headers);
        if (message.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.ResetContent) (copied, context.Response.ContentLength) = (false, null);    // they have no body, whatever the service says
        exchange.Cache?.Record(context, message);
        if (exchange.Route.AnswerHeaders is { Length: > 0 } transforms)
        {
            var facts = UpstreamHead.FactsOf(exchange);
            MessageHeaders.Transform(context.Response.Headers, transforms, message.RequestMessage!.RequestUri!.GetLeftPart(UriPartial.Authority), in facts);
        }

        if (_placement.Affinity is { } cookie && _host is { } bound) AffinityCookies.Write(context, cookie, bound);
        context.Response.Headers.Via = ViaHeader.With(context.Response.Headers.Via, message.Version);
        OwnHeaders.Write(exchange, context.Response.Headers);
        if (message.StatusCode == HttpStatusCode.SwitchingProtocols || message.RequestMessage?.Method == HttpMethod.Connect && message.IsSuccessStatusCode) exchange.Switch();
        exchange.RecordAnswer(status, exchange.Route.Units);
        ref var record = ref exchange.Record;
        if (record.IsMissing) return false;

        _trailed = TrailedBody.Begin(context, message);
        if (record.IsWritten && message.Content.Headers.ContentLength is null && message.StatusCode != HttpStatusCode.SwitchingProtocols)
            context.Response.Body = record.Counting = new CountingStream(context.Response.Body);
        return copied;
    }

    public override ValueTask TransformResponseTrailersAsync(HttpContext context, HttpResponseMessage message, CancellationToken cancel)
    {
        if (_trailed is null) return base.TransformResponseTrailersAsync(context, message, cancel);
        _trailed.Take(message.TrailingHeaders);
        return default;
    }
}
