using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Gateway.Cache;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// One call through the full engine: asks the policy, then takes the stages after it in their order. Kept with its connection and used again for the
/// next call, so the common path makes little of its own.
/// </summary>
internal sealed class Exchange : ICallHeaders
{
    private readonly Forwarding _forwarding;
    private DefaultHttpContext? _context;
    private CallFacts _call;
    private Admission _admission;
    private CallRecord _record;
    private CallerTrail _trail;
    private long _startedAt;
    private UInt128 _requestNumber;
    private bool _holdsRecord;
    private long _heldUnits;

    public Exchange(FullEngine engine)
    {
        Engine = engine;
        _forwarding = new Forwarding(this);
    }

    public FullEngine Engine { get; }
    public DefaultHttpContext Context => _context!;

    /// <summary>The policy that the call began with, and ends on.</summary>
    public CallPolicy Policy { get; private set; } = null!;

    public ref CallFacts Call => ref _call;
    public ref Admission Admission => ref _admission;
    public ref CallRecord Record => ref _record;
    public ref CallerTrail Trail => ref _trail;

    /// <summary>Of an admitted call.</summary>
    public Route Route => _admission.Route!;

    public CallerConnection Caller { get; private set; } = null!;

    /// <summary>Who calls; null on plain routes.</summary>
    public Consumer? Consumer { get; private set; }

    public string RequestId { get; private set; } = "";

    /// <summary>The call's dealings with kept answers; null = none.</summary>
    public CacheVisit? Cache { get; set; }

    /// <summary>What the call was refused with; null = it was not.</summary>
    public Verdict? Refused { get; private set; }

    /// <summary>Why the body, or the parameters, do not follow the schema; told with the refusal.</summary>
    public IReadOnlyList<Bodies.Violation>? Violations { get; set; }

    /// <summary>How often an upstream was tried.</summary>
    public int Attempts { get; private set; }

    /// <summary>Scheme and authority that were tried last; null = none was.</summary>
    public string? LastOrigin { get; private set; }

    /// <summary>What a refusal told the caller to wait; 0 = nothing.</summary>
    public int RetryAfterSeconds { get; private set; }

    /// <summary>Notes that an upstream is tried now.</summary>
    public void Try(string origin) => (Attempts, LastOrigin) = (Attempts + 1, origin);

    /// <summary>The metric's tag: how the call ended.</summary>
    public string Outcome { get; set; } = "";

    /// <summary>Since the call arrived.</summary>
    public TimeSpan Elapsed => Engine.Time.GetElapsedTime(_startedAt);

    /// <summary>Takes the next call of the connection.</summary>
    public void Begin(IFeatureCollection features)
    {
        if (_context is null) _context = new DefaultHttpContext(features);
        else _context.Initialize(features);
        _startedAt = Engine.Time.GetTimestamp();
    }

    /// <summary>Forgets the call: nothing of it may reach the next.</summary>
    public void End()
    {
        var duration = Engine.Time.GetElapsedTime(_startedAt);
        if (HttpProtocol.IsHttp2(Context.Request.Protocol)) Caller?.Count(Context.RequestAborted.IsCancellationRequested);
        _record.Complete(Engine.Journal, duration);
        if (!_record.IsSkipped) Tell(duration);

        _admission.Standing.EachShadowRefusal(this, static (exchange, limit) => exchange.Engine.Metrics.CountShadowRefusal(exchange.Admission.Entitlement!.Item.Plan, limit));
        if (_admission.UnderWay) Policy.End(ref _admission);

        _forwarding.Reset();
        Cache?.Dispose();
        Cache = null;
        Refused = null;
        Violations = null;
        IsSwitched = false;
        _holdsRecord = false;
        _heldUnits = 0;
        _call = default;
        _admission = default;
        _record = default;
        _trail = default;
        Consumer = null;
        Outcome = "";
        (Attempts, LastOrigin, RetryAfterSeconds) = (0, null, 0);
        _context!.Uninitialize();
    }

    private void Tell(TimeSpan duration)
    {
        Engine.Explainer.Keep(this, _requestNumber, duration);
        Engine.Metrics.Count(_admission.Route?.Name ?? "", _admission.Entitlement?.Item.Plan ?? "", Outcome, duration);
    }

    public Task RunAsync()
    {
        try
        {
            return DecideAsync();
        }
        catch (Exception mistake)
        {
            return FailAsync(mistake);
        }
    }

    /// <summary>Something broke that nobody foresaw: said in the log, and answered like everything else.</summary>
    public Task FailAsync(Exception mistake)
    {
        if (Context.RequestAborted.IsCancellationRequested)
        {
            Outcome = "cancelled";
            return Task.CompletedTask;
        }

        var refusal = mistake is BadHttpRequestException bad ? Refusals.ReasonOf(bad.StatusCode) : Refusal.None;
        if (refusal == Refusal.None) FullEngineLog.Failed(Engine.Logger, mistake, RequestId);
        if (Context.Response.HasStarted)
        {
            Outcome = Refusals.Of(refusal).Slug;
            Context.Abort();    // what was sent is no whole answer
            return Task.CompletedTask;
        }

        Context.Response.Headers.Clear();
        RecordUnanswered(Refusals.Of(refusal).Status);
        return RefuseAsync(Verdict.Refuse(refusal));
    }

    private async Task GuardAsync(Task stage)
    {
        try
        {
            await stage;
        }
        catch (Exception mistake)
        {
            await FailAsync(mistake);
        }
    }

    private Task DecideAsync()
    {
        Policy = Engine.Policy;
        var request = Context.Request;
        var headers = request.Headers;
        _call.ArrivedUnixMs = Engine.Time.GetUtcNow().ToUnixTimeMilliseconds();
        RequestId = Tollgate.Gateway.Policy.RequestId.Choose(headers["X-Request-Id"], _call.ArrivedUnixMs, out _requestNumber);
        Caller = Context.Features.Get<CallerConnection>() ?? CallerConnection.Of(Context.Connection.RemoteIpAddress, request.IsHttps, Engine.Listening);

        if (headers.TransferEncoding.Count > 0 && !IsPlainlyChunked(request))
        {
            Context.Response.Headers.Connection = "close";    // where the next message begins is as doubtful
            return RefuseAsync(Verdict.Refuse(Refusal.BadRequest));
        }

        var target = Context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (!CanonicalTarget.TrySplit(target, out _call.Path, out _call.Query)) return RefuseAsync(Verdict.Refuse(Refusal.BadRequest));

        if (ConsumerKeysAnswer.IsAskedBy(this)) return ConsumerKeysAnswer.WriteAsync(this);

        // A WebSocket over HTTP/2 is opened with CONNECT (RFC 8441), and is the same call as over HTTP/1.1. Any other CONNECT asks for a tunnel, and there is none.
        _call.Method = request.Method;
        if (HttpMethods.IsConnect(request.Method))
        {
            if (Context.Features.Get<IHttpExtendedConnectFeature>() is not { IsExtendedConnect: true }) return RefuseAsync(Verdict.Refuse(Refusal.BadRequest));
            _call.Method = HttpMethods.Get;
        }

        _call.Host = headers.Host.ToString();
        _trail = CallerTrail.Of(Caller, _call.Host, headers);
        if (headers.Via.Count > 0 && ViaHeader.Hops(headers.Via) >= Engine.Listening.Limits.MaxHops) return RefuseAsync(Verdict.Refuse(Refusal.LoopDetected));
        if (Caller.IsTls && Engine.Listening.ClientCertificates.IsEvaded(_call.Host, Caller.CertificateSubject)) return RefuseAsync(Verdict.Refuse(Refusal.Misdirected));
        if (Engine.Listening.HttpsRedirectPort is { } port && _trail.Proto == "http") return RedirectAsync(port);

        _call.ApiKey = headers.TryGetValue("X-Api-Key", out var apiKey) ? apiKey.ToString() : null;
        _call.Authorization = headers.TryGetValue("Authorization", out var authorization) ? authorization.ToString() : null;
        _call.Remote = _trail.Address;
        _call.Headers = this;
        _call.ContentLength = request.ContentLength;

        _call.CertificateSubject = Caller.CertificateSubject;
        if (ResourceMetadata.IsAskedBy(this)) return ResourceMetadata.WriteAsync(this);
        if (Preflight.IsOne(request) && Preflight.Answer(this) is { } answered) return answered;

        var verdict = Decide(final: false);
        return verdict.Kind switch
        {
            VerdictKind.Granted => AdmitAsync(),
            VerdictKind.Refused => RefuseAsync(verdict),
            _ => ParkAsync(verdict),
        };
    }

    // Kestrel marks a message with both a length and a transfer coding so; it may be an attempt at smuggling (RFC 9112 §6.3). A coding before chunked would
    // not be sent on, and the body is nothing without it. Over HTTP/2 a coding of the connection has no meaning (RFC 9113 §8.2.2).
    private static bool IsPlainlyChunked(HttpRequest request) =>
        HttpProtocol.IsHttp11(request.Protocol) && !request.Headers.ContainsKey("X-Content-Length") &&
        request.Headers.TransferEncoding.ToString().Equals("chunked", StringComparison.OrdinalIgnoreCase);

    /// <summary>Asks the policy, once more after a pending verdict.</summary>
    public Verdict Decide(bool final) => Policy.Decide(ref _call, ref _admission, final);

    private async Task ParkAsync(Verdict verdict)
    {
        verdict = await Parking.WaitAsync(this, verdict);
        if (verdict.Kind == VerdictKind.Pending)
        {
            Outcome = "cancelled";
            Context.Abort();
            return;
        }

        await (verdict.IsGranted ? AdmitAsync() : RefuseAsync(verdict));
    }

    private Task AdmitAsync()
    {
        if (_admission.Entitlement is null) return ServeAsync();
        if (Engine.Journal is { IsAccepting: false }) return RefuseUnrecordedAsync();

        Consumer = Engine.Consumers.Of(_admission.Credential!, _admission.Entitlement, Route);
        return Engine.Journal is null || Consumer.Account != 0 ? ServeAsync() : RefuseUnrecordedAsync();
    }

    // The stages after the policy, in their order; each either answers the call or leaves it to the next.
    private Task ServeAsync() => Route.Edge is { } edge ? GuardAsync(EdgeStages.ServeAsync(this, edge)) : AnswerAsync();

    /// <summary>The stages that make an answer.</summary>
    public Task AnswerAsync() => Route.IsPlain ? _forwarding.SendAsync() : GuardAsync(SpecialStages.ServeAsync(this));

    /// <summary>The last stage.</summary>
    public Task ForwardAsync() => _forwarding.SendAsync();

    /// <summary>Calls the call by the name that the route's own header gives it.</summary>
    public void Rename(string requestId) => RequestId = Tollgate.Gateway.Policy.RequestId.Choose(requestId, _call.ArrivedUnixMs, out _requestNumber);

    /// <summary>The number of <see cref="RequestId"/>.</summary>
    public UInt128 RequestNumber => _requestNumber;

    /// <summary>Becomes a call that fetches for another one, which was admitted and counted.</summary>
    public void TakeOver(Exchange admitted)
    {
        Policy = admitted.Policy;
        _call = admitted._call;
        _call.Headers = this;
        _admission = admitted._admission;
        _admission.Spent = _admission.UnderWay = false;
        _admission.Standing = default;
        _admission.Entitlement = null;
        _trail = admitted._trail;
        Caller = admitted.Caller;
        Consumer = admitted.Consumer;
        (RequestId, _requestNumber) = (admitted.RequestId, admitted._requestNumber);
        _record.Skip();
    }

    /// <summary>Answers with a refusal.</summary>
    public Task RefuseAsync(Verdict verdict)
    {
        var face = Policy.Routes.HasOcelotCodes ? Refusals.AsInOcelot(verdict.Refusal, Context.Request.Headers.ContainsKey("Upgrade")) : Refusals.Of(verdict.Refusal);
        Outcome = face.Slug;
        Refused = verdict;
        var response = Context.Response;
        if (_admission.FileRate.IsRefused)
        {
            response.Headers["X-Request-Id"] = RequestId;
            return PlainAnswer.RefuseAsync(response, in _admission.FileRate);
        }

        response.StatusCode = face.Status;
        OwnHeaders.Write(this, response.Headers);
        if (Refusals.ChallengeOf(verdict.Refusal, _admission.Route) is { } challenge) response.Headers.WWWAuthenticate = Challenges.Of(this, challenge, face.Status);
        if (verdict.RetryAfterSeconds > 0 || face.Status is 429 or 503)
        {
            RetryAfterSeconds = Math.Max(1, verdict.RetryAfterSeconds);
            response.Headers.RetryAfter = RetryAfterSeconds.ToString();
        }

        if (GrpcRefusal.IsFor(Context.Request))
        {
            GrpcRefusal.Write(response, face);
            return Task.CompletedTask;
        }

        return ProblemAnswer.WriteAsync(response, face, _call.Path ?? "", RequestId, Violations);
    }

    // 308 keeps method and body (RFC 9110 §15.4.9).
    private Task RedirectAsync(int port)
    {
        Outcome = "redirected";
        var host = HostString.FromUriComponent(_trail.Host.Length > 0 ? _trail.Host : _call.Host).Host;
        if (host.Length == 0) return RefuseAsync(Verdict.Refuse(Refusal.BadRequest));
        Context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        Context.Response.Headers.Location = $"https://{host}{(port == 443 ? "" : $":{port}")}{_call.Path}{(_call.Query.Length > 0 ? "?" : "")}{_call.Query}";
        OwnHeaders.Write(this, Context.Response.Headers);
        return Task.CompletedTask;
    }

    /// <summary>What cannot be counted is not sold.</summary>
    public Task RefuseUnrecordedAsync()
    {
        Policy.Refund(ref _admission);
        return RefuseAsync(Verdict.Refuse(Refusal.NotReady, 1));
    }

    /// <summary>Before the first byte of the answer leaves: what a caller has seen is then counted, whatever happens to this process.</summary>
    public void RecordAnswer(int status, long units)
    {
        if (_holdsRecord)
        {
            _heldUnits = units;
            return;
        }

        if (Consumer is not null && Engine.Journal is { } journal) _record.Write(journal, Consumer.Account, status, _call.ArrivedUnixMs, units, _requestNumber);
    }

    /// <summary>Counts a call that no upstream answered: it costs nothing.</summary>
    public void RecordUnanswered(int status)
    {
        RecordAnswer(status, 0);
        Policy.Refund(ref _admission);
    }

    /// <summary>The service has taken an upgrade: from now on there are bytes both ways, and no answer that could be looked at.</summary>
    public bool IsSwitched { get; private set; }

    /// <summary>Notes that <see cref="IsSwitched"/> is so, before the call is recorded: that is now, not when the connection ends.</summary>
    public void Switch() => (IsSwitched, _holdsRecord) = (true, false);

    /// <summary>The answer is not what the caller gets before somebody has looked at it: what is recorded waits for <see cref="ReleaseRecord"/>.</summary>
    public void HoldRecord() => _holdsRecord = true;

    /// <param name="answered">False: what the upstream sent cannot be used, and costs nothing.</param>
    public void ReleaseRecord(int status, bool answered)
    {
        if (!_holdsRecord) return;
        _holdsRecord = false;
        if (answered) RecordAnswer(status, _heldUnits);
        else RecordUnanswered(status);
    }

    string? ICallHeaders.Header(string name) => Context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    string? ICallHeaders.Address => PublicAddress.Of(this);

    Task<bool> ICallHeaders.IsFirst(Func<Task<bool>> isFirst) => Context.Features.Get<OuterCall>() is { } outer ? outer.IsFirst(isFirst) : isFirst();
}
