using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.FileLimits;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Policy.Routing;
using Tollgate.Gateway.Policy.Transforms;
using Yarp.ReverseProxy.Forwarder;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// One call through the full engine: asks the policy, forwards, meters, answers. Kept with its connection and used again for the next call, so the
/// common path makes little of its own.
/// </summary>
internal sealed class Exchange(FullEngine engine) : HttpTransformer, ICallHeaders
{
    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(Verdict.StepMs);

    private DefaultHttpContext? _context;
    private CancellationTokenSource _timeout = new();
    private CallPolicy _policy = null!;
    private CallFacts _call;
    private Admission _admission;
    private Consumer? _consumer;
    private CountingStream? _counting;
    private CallerConnection _caller = null!;
    private JournalSlot _slot;
    private UInt128 _requestNumber;
    private string _requestId = "";
    private string _outcome = "";
    private long _startedAt;
    private long _bytesOut;
    private bool _recorded;
    private bool _unrecorded;
    private bool _answered;
    private bool _badHeader;
    private CircuitBreaker? _circuit;
    private long _circuitTicket;
    private Destination? _counted;

    private DefaultHttpContext Context => _context!;

    /// <summary>Takes the next call of the connection.</summary>
    public void Begin(IFeatureCollection features)
    {
        if (_context is null) _context = new DefaultHttpContext(features);
        else _context.Initialize(features);
        _startedAt = engine.Time.GetTimestamp();
    }

    /// <summary>Forgets the call: nothing of it may reach the next.</summary>
    public void End()
    {
        var duration = engine.Time.GetElapsedTime(_startedAt);
        if (_recorded) engine.Journal!.Complete(_slot, _counting?.Written ?? _bytesOut, (long)duration.TotalMicroseconds);
        engine.Metrics.Count(_admission.Route?.Name ?? "", _admission.Entitlement?.Item.Plan ?? "", _outcome, duration);

        _circuit?.Abandon(_circuitTicket);
        _circuit = null;
        _counted?.End();
        _counted = null;

        if (!_timeout.TryReset())
        {
            _timeout.Dispose();
            _timeout = new CancellationTokenSource();
        }

        _call = default;
        _admission = default;
        _consumer = null;
        _counting = null;
        _slot = default;
        _bytesOut = 0;
        _recorded = _unrecorded = _answered = _badHeader = false;
        _context!.Uninitialize();
    }

    public Task RunAsync()
    {
        try
        {
            return DecideAsync();
        }
        catch (Exception mistake)
        {
            // Ours, not the caller's: said in the log, and answered like everything else.
            FullEngineLog.Failed(engine.Logger, mistake, _requestId);
            return RefuseAsync(Verdict.Refuse(Refusal.None));
        }
    }

    private Task DecideAsync()
    {
        _policy = engine.Policy;
        var request = Context.Request;
        var headers = request.Headers;
        _call.ArrivedUnixMs = engine.Time.GetUtcNow().ToUnixTimeMilliseconds();
        _requestId = RequestId.Choose(headers["X-Request-Id"], _call.ArrivedUnixMs, out _requestNumber);
        _caller = Context.Features.Get<CallerConnection>() ?? CallerConnection.Of(Context.Connection.RemoteIpAddress);

        // Kestrel marks a message with both a length and a transfer coding so; it may be an attempt at smuggling (RFC 9112 §6.3).
        var target = Context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (headers.ContainsKey("X-Content-Length") && headers.TransferEncoding.Count > 0 || !CanonicalTargetOf(target))
            return RefuseAsync(Verdict.Refuse(Refusal.BadRequest));

        _call.Method = request.Method;
        _call.Host = headers.Host.ToString();
        _call.ApiKey = headers.TryGetValue("X-Api-Key", out var apiKey) ? apiKey.ToString() : null;
        _call.Authorization = headers.TryGetValue("Authorization", out var authorization) ? authorization.ToString() : null;
        _call.Remote = _caller.Address;
        _call.Headers = this;
        _call.ContentLength = request.ContentLength;

        var verdict = _policy.Decide(in _call, ref _admission, final: false);
        return verdict.Kind switch
        {
            VerdictKind.Granted => AdmitAsync(),
            VerdictKind.Refused => RefuseAsync(verdict),
            _ => ParkAsync(verdict),
        };
    }

    string? ICallHeaders.Header(string name) => Context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    private bool CanonicalTargetOf(string target) => Policy.Routing.CanonicalTarget.TrySplit(target, out _call.Path, out _call.Query);

    // A lease or a key set is on its way: wait for it, but not long.
    private async Task ParkAsync(Verdict verdict)
    {
        var parkedAt = engine.Time.GetTimestamp();
        while (verdict.Kind == VerdictKind.Pending)
        {
            var left = TimeSpan.FromMilliseconds(verdict.PatienceMs) - engine.Time.GetElapsedTime(parkedAt);
            var final = left <= TimeSpan.Zero;
            if (!final && !verdict.Arrival!.IsCompleted)    // what has arrived already is a reason to ask again, not the last word
            {
                try
                {
                    await verdict.Arrival.WaitAsync(left < Step ? left : Step, engine.Time, Context.RequestAborted);
                }
                catch (TimeoutException)
                {
                    // Asked again: it may have learned meanwhile that nothing will come, or that more patience is due.
                }
                catch (OperationCanceledException)
                {
                    _outcome = "cancelled";
                    Context.Abort();
                    return;
                }
            }

            _admission = new Admission { FileRate = _admission.FileRate };
            verdict = _policy.Decide(in _call, ref _admission, final);
        }

        await (verdict.IsGranted ? AdmitAsync() : RefuseAsync(verdict));
    }

    private Task AdmitAsync()
    {
        if (_admission.Entitlement is null) return ForwardAsync();
        if (engine.Journal is { IsAccepting: false }) return RefuseUnrecordedAsync();

        _consumer = engine.Consumers.Of(_admission.Credential!, _admission.Entitlement, _admission.Route!);
        return engine.Journal is null || _consumer.Account != 0 ? ForwardAsync() : RefuseUnrecordedAsync();
    }

    // What cannot be counted is not sold.
    private Task RefuseUnrecordedAsync()
    {
        _policy.Refund(ref _admission);
        return RefuseAsync(Verdict.Refuse(Refusal.NotReady, 1));
    }

    private async Task ForwardAsync()
    {
        var route = _admission.Route!;
        var upstream = route.Upstream;
        if (route.Circuit is { } circuit)
        {
            if (!circuit.TryEnter(_call.ArrivedUnixMs, out _circuitTicket, out var retryAfterSeconds))
            {
                RecordUnanswered(StatusCodes.Status503ServiceUnavailable);
                await RefuseAsync(Verdict.Refuse(Refusal.CircuitOpen, retryAfterSeconds));
                return;
            }

            _circuit = circuit;
        }

        var turn = upstream.Choose(this, _call.ArrivedUnixMs);
        if (upstream.CountsCalls) _counted = upstream.Destinations[turn];
        _timeout.CancelAfter(route.TimeoutMs);

        for (var attempt = 0; ; attempt++)
        {
            var destination = upstream.Destinations[(turn + attempt) % upstream.Destinations.Length];
            var origin = Context.Request.IsHttps ? destination.OverHttps : destination.OverHttp;
            var error = await engine.Forwarder.SendAsync(Context, origin, engine.Client, engine.RequestConfig, this, _timeout.Token);
            if (error == ForwarderError.None)
            {
                if (_unrecorded)
                {
                    Context.Response.Headers.Clear();
                    await RefuseUnrecordedAsync();
                    return;
                }

                _outcome = Context.Response.StatusCode >= 500 ? "upstream-error" : "ok";
                _bytesOut = HttpMethods.IsHead(_call.Method) ? 0 : Context.Response.ContentLength ?? 0;
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

    // The upstream did not answer, or the answer broke off.
    private Task FailAsync(ForwarderError error, Exception? failure)
    {
        if (Context.Response.HasStarted)
        {
            _outcome = Context.RequestAborted.IsCancellationRequested ? "cancelled" : "upstream-error";
            return Task.CompletedTask;    // the forwarder has cut the answer off, which the caller can see
        }

        if (Context.RequestAborted.IsCancellationRequested)
        {
            RecordUnanswered(499);
            _outcome = "cancelled";
            return Task.CompletedTask;
        }

        var refusal = Refusal.UpstreamUnreachable;
        if (BadRequestIn(failure) is { } bad) refusal = bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? Refusal.ContentTooLarge : Refusal.BadRequest;
        else if (_badHeader) refusal = Refusal.BadRequest;
        else if (_timeout.IsCancellationRequested || error is ForwarderError.RequestTimedOut) refusal = Refusal.UpstreamTimeout;

        if (refusal is Refusal.UpstreamUnreachable or Refusal.UpstreamTimeout) TellCircuit(failed: true);
        FullEngineLog.UpstreamFailed(engine.Logger, _admission.Route!.Name, error, failure?.Message ?? "", _requestId);
        RecordUnanswered(Refusals.Of(refusal).Status);
        Context.Response.Headers.Clear();
        return RefuseAsync(Verdict.Refuse(refusal));
    }

    private void TellCircuit(bool failed)
    {
        _circuit?.Tell(_circuitTicket, failed, engine.Time.GetUtcNow().ToUnixTimeMilliseconds());
        _circuit = null;
    }

    private static BadHttpRequestException? BadRequestIn(Exception? failure)
    {
        for (var at = failure; at is not null; at = at.InnerException)
        {
            if (at is BadHttpRequestException bad) return bad;
            if (at is AggregateException several)
                foreach (var inner in several.InnerExceptions)
                    if (BadRequestIn(inner) is { } found)
                        return found;
        }

        return null;
    }

    private Task RefuseAsync(Verdict verdict)
    {
        var face = Refusals.Of(verdict.Refusal);
        _outcome = face.Slug;
        var response = Context.Response;
        if (_admission.FileRate.IsRefused)
        {
            response.Headers["X-Request-Id"] = _requestId;
            return PlainAnswer.RefuseAsync(response, in _admission.FileRate);
        }

        response.StatusCode = face.Status;
        WriteOwnHeaders(response.Headers);
        if (face.Challenge is not null) response.Headers.WWWAuthenticate = face.Challenge;
        if (verdict.RetryAfterSeconds > 0 || face.Status is 429 or 503) response.Headers.RetryAfter = Math.Max(1, verdict.RetryAfterSeconds).ToString();
        return ProblemAnswer.WriteAsync(response, face, _call.Path ?? "", _requestId);
    }

    private void WriteOwnHeaders(IHeaderDictionary headers)
    {
        headers["X-Request-Id"] = _requestId;
        if (_admission.FileRate is { Answer: RateAnswer.Admitted, Rule.Tells: true }) PlainAnswer.Tell(headers, in _admission.FileRate);
        if (_admission.Entitlement is null || _admission.Standing.Policy is not { } policy) return;
        headers["RateLimit-Policy"] = policy;
        if (_admission.Standing.Describe() is { } standing) headers["RateLimit"] = standing;
    }

    public override ValueTask TransformRequestAsync(HttpContext context, HttpRequestMessage message, string destinationPrefix, CancellationToken cancel)
    {
        var route = _admission.Route!;
        var address = route.Downstream.Fill(destinationPrefix, _call.Path, _call.Query, in _admission.Captures, _admission.Fillings);
        if (route.ClaimTransforms is { ToQuery: { Length: > 0 } parameters }) address = QueryAdditions.Apply(address, parameters, _admission.ClaimQuery);
        message.RequestUri = new Uri(address, in AsWritten);
        if (route.Method is { } method && context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true }) message.Method = method;

        var headers = context.Request.Headers;
        var named = HopByHopHeaders.NamedBy(headers.Connection);
        foreach (var (name, value) in headers)
        {
            if (HopByHopHeaders.Ends(name) || named is not null && named.Contains(name)) continue;
            if (_consumer is not null && (HopByHopHeaders.SpeaksOfConsumers(name) || _admission.AuthorizationIsOurs && name.Equals("Authorization", StringComparison.OrdinalIgnoreCase))) continue;
            Add(message, name, value);
        }

        // Of TE, only the wish for trailers crosses a hop, and only over HTTP/2 (RFC 9113 §8.2.2).
        if (message.Version.Major >= 2 && headers.TE.ToString().Contains("trailers", StringComparison.OrdinalIgnoreCase)) message.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));

        Add(message, "X-Request-Id", _requestId);
        Add(message, "X-Forwarded-For", _caller.AddressText);
        Add(message, "X-Forwarded-Proto", context.Request.Scheme);
        if (_call.Host.Length > 0) Add(message, "X-Forwarded-Host", _call.Host);
        if (route.RequestIdKey is { } key && !headers.ContainsKey(key)) Add(message, key, _requestId);
        if (_consumer is { } consumer)
        {
            Add(message, "X-Consumer-Id", consumer.ApplicationId);
            Add(message, "X-Consumer-Application", consumer.Application);
            Add(message, "X-Consumer-Organisation", consumer.Organisation);
            Add(message, "X-Consumer-Plan", consumer.Plan);
        }

        if (route.RequestHeaders.Length > 0) TransformHeaders(message, route.RequestHeaders, destinationPrefix);
        if (route.ClaimTransforms is { ToHeaders: { Length: > 0 } claims }) AddClaims(message, claims, _admission.ClaimHeaders);
        return default;
    }

    private HeaderFacts HeaderFacts => new(_caller.AddressText, _call.Host, _requestId);

    private void TransformHeaders(HttpRequestMessage message, HeaderTransform[] transforms, string destination)
    {
        var facts = HeaderFacts;
        foreach (var transform in transforms)
        {
            if (!transform.IsReplacement)
            {
                MessageHeaders.Remove(message, transform.Name);
                if (transform.Value(in facts) is { } value) Add(message, transform.Name, value);
            }
            else if (MessageHeaders.Values(message, transform.Name) is { Length: > 0 } values)
            {
                MessageHeaders.Remove(message, transform.Name);
                values[0] = transform.Replace(values[0], destination, in facts);
                Add(message, transform.Name, values);
            }
        }
    }

    // Without a token, which only a preflight may lack, nobody else may have written them either.
    private void AddClaims(HttpRequestMessage message, ClaimInstruction[] headers, string[]? values)
    {
        for (var i = 0; i < headers.Length; i++)
        {
            MessageHeaders.Remove(message, headers[i].Target);
            if (values is not null) Add(message, headers[i].Target, values[i]);
        }
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext context, HttpResponseMessage? message, CancellationToken cancel)
    {
        if (message is null) return false;

        TellCircuit(failed: (int)message.StatusCode is >= 500 and <= 508);
        _timeout.CancelAfter(Timeout.Infinite);    // the time-out is for the answer's head; bodies may flow as long as they flow
        var copied = await base.TransformResponseAsync(context, message, cancel);
        if (_admission.Route!.AnswerHeaders is { Length: > 0 } transforms)
        {
            var facts = HeaderFacts;
            MessageHeaders.Transform(context.Response.Headers, transforms, message.RequestMessage!.RequestUri!.GetLeftPart(UriPartial.Authority), in facts);
        }

        WriteOwnHeaders(context.Response.Headers);
        Record((int)message.StatusCode, _admission.Route!.Units);
        if (_unrecorded) return false;    // the journal is exhausted: the answer must not leave

        if (_recorded && message.Content.Headers.ContentLength is null && message.StatusCode != HttpStatusCode.SwitchingProtocols)
            context.Response.Body = _counting = new CountingStream(context.Response.Body);
        return copied;
    }

    // Before the first byte of the answer leaves: what a caller has seen is then counted, whatever happens to this process.
    private void Record(int status, long units)
    {
        if (_consumer is null || engine.Journal is not { } journal || _answered) return;
        _answered = true;
        _slot = journal.Record(_consumer.Account, status, _call.ArrivedUnixMs, units, _requestNumber);
        _recorded = _slot.IsRecorded;
        _unrecorded = !_recorded;
    }

    private void RecordUnanswered(int status)
    {
        Record(status, 0);
        _policy.Refund(ref _admission);
    }

    private void Add(HttpRequestMessage message, string name, StringValues values)
    {
        if (values.Count == 1)
        {
            var value = values[0]!;
            Check(value);
            if (message.Headers.TryAddWithoutValidation(name, value)) return;
            (message.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, value);
            return;
        }

        foreach (var value in values) Check(value!);
        if (message.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values!)) return;
        (message.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values!);
    }

    // As in Ocelot, a header value that is not ASCII is the caller's mistake and not sent.
    private void Check(string value)
    {
        if (Ascii.IsValid(value)) return;
        _badHeader = true;
        throw new InvalidOperationException("A header value is not ASCII.");
    }
}
