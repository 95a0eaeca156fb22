using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Bodies;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Transport;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// Keeps an answer until it is whole, where the route changes or checks it; what is no JSON, or a refusal of ours, passes as it comes. The answer's record is
/// written when it is known what the caller gets.
/// </summary>
internal sealed class AnswerBuffer(Exchange exchange, RouteBodies bodies, Operation? operation, Stream inner) : WriteOnlyStream
{
    private readonly MemoryStream _kept = new();
    private bool _decided;
    private bool _keeps;
    private bool _tooLarge;
    private long _passed;

    private HttpResponse Response => exchange.Context.Response;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancel = default)
    {
        Decide();
        if (!_keeps)
        {
            _passed += buffer.Length;
            await inner.WriteAsync(buffer, cancel);
            return;
        }

        if (_kept.Length + buffer.Length > bodies.MaxBytes) _tooLarge = true;
        else if (!_tooLarge) _kept.Write(buffer.Span);
    }

    public override async Task FlushAsync(CancellationToken cancel)
    {
        if (_decided && !_keeps) await inner.FlushAsync(cancel);
    }

    public override void Flush()
    {
    }

    /// <summary>The answer is whole: it is checked, changed and sent.</summary>
    public async Task FinishAsync()
    {
        if (exchange.IsSwitched) return;
        Decide();
        Response.Body = inner;
        if (!_keeps)
        {
            exchange.Record.BytesOut = _passed;
            return;
        }

        var bytes = _kept.ToArray();
        if (_tooLarge || (bytes.Length > 0 ? !TryTake(ref bytes) : LacksBody()))
        {
            foreach (var name in new[] { "Content-Type", "Content-Length", "ETag", "Last-Modified", "Content-Encoding", "Set-Cookie" }) Response.Headers.Remove(name);
            exchange.ReleaseRecord(status: 502, answered: false);
            await exchange.RefuseAsync(Verdict.Refuse(Refusal.UpstreamUnreachable));
            return;
        }

        if (bytes.Length > 0 || Response.ContentLength is not null) Response.ContentLength = bytes.Length;
        exchange.ReleaseRecord(Response.StatusCode, answered: true);
        if (exchange.Record.IsMissing)
        {
            Response.Headers.Clear();
            await exchange.RefuseUnrecordedAsync();
            return;
        }

        exchange.Record.BytesOut = bytes.Length;
        if (bytes.Length > 0) await inner.WriteAsync(bytes, exchange.Context.RequestAborted);
    }

    private BodySchema? Schema => bodies.AnswerSchema ?? (bodies.ValidatesAnswers ? operation?.AnswerOf(Response.StatusCode)?.Schema : null);

    // Nothing is not JSON, where the schema asks for some and the status allows it.
    private bool LacksBody()
    {
        if (Schema is null || Response.StatusCode is 204 or 205 or 304) return false;
        FullEngineLog.AnswerViolates(exchange.Engine.Logger, exchange.Route.Name, "", "there is no body.", exchange.RequestId);
        return true;
    }

    private bool TryTake(ref byte[] bytes)
    {
        var coding = Response.Headers.ContentEncoding.ToString();
        if (PlainBody.Of(bytes, coding, Response.ContentType ?? "", bodies.MaxBytes, out var plain, out _) != PlainBody.Outcome.Plain || !BodyStage.TryParse(plain, out var body, out _)) return false;
        var violations = new List<Violation>();
        Schema?.Validate(plain, violations, isAnswer: true);
        if (violations.Count > 0)
        {
            FullEngineLog.AnswerViolates(exchange.Engine.Logger, exchange.Route.Name, violations[0].Pointer, violations[0].Detail, exchange.RequestId);
            return false;
        }

        if (bodies.AnswerChanges.Count == 0)
        {
            if (coding.Length == 0) return true;
            bytes = plain;    // the caller was not asked whether it takes a coding
            Response.Headers.ContentEncoding = default;
            return true;
        }

        bytes = RouteBodies.Write(RouteBodies.Apply(body, bodies.AnswerChanges));
        foreach (var name in BodyStage.OfAnotherBody) Response.Headers.Remove(name);
        Response.ContentType = PlainBody.InUtf8(Response.ContentType ?? "application/json");
        return true;
    }

    // With the first byte, when the answer's head is complete.
    private void Decide()
    {
        if (_decided) return;
        _decided = true;
        if (exchange.Refused is not null)
        {
            exchange.ReleaseRecord(Response.StatusCode, answered: true);
            return;
        }

        if (bodies.Statuses.TryGetValue(Response.StatusCode, out var status)) Response.StatusCode = status;
        _keeps = bodies.ReadsAnswerBodies && Operation.IsJson(Response.ContentType ?? "") && !HttpMethods.IsHead(exchange.Context.Request.Method);
        if (_keeps) return;
        if (bodies.AnswerChanges.Count > 0 && HttpMethods.IsHead(exchange.Context.Request.Method)) Response.ContentLength = null;
        exchange.ReleaseRecord(Response.StatusCode, answered: true);
        if (exchange.Record.IsMissing) throw new InvalidOperationException("The answer cannot be recorded, and so not sent.");
    }
}
