using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Tollgate.Contracts.Plugins;
using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Policy.Transforms;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Writes the head of the message to the upstream: address, method, the caller's headers that go on, and ours.</summary>
internal static class UpstreamHead
{
    public static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <param name="origin">Scheme and authority that the call goes to.</param>
    public static void Write(Exchange exchange, HttpRequestMessage message, string origin)
    {
        var route = exchange.Route;
        var context = exchange.Context;
        ref var admission = ref exchange.Admission;
        ref var call = ref exchange.Call;
        var address = route.Downstream.Fill(origin, call.Path, call.Query, in admission.Captures, admission.Fillings);
        if (route.ClaimTransforms is { ToQuery: { Length: > 0 } parameters }) address = QueryAdditions.Apply(address, parameters, admission.ClaimQuery);
        message.RequestUri = new Uri(address, in AsWritten);
        if (route.Method is { } method && context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true }) message.Method = method;

        var headers = context.Request.Headers;
        CopyHeaders(exchange, message, headers);

        // Of TE, only the wish for trailers crosses a hop, and only over HTTP/2 (RFC 9113 §8.2.2).
        if (message.Version.Major >= 2 && headers.TE.ToString().Contains("trailers", StringComparison.OrdinalIgnoreCase)) message.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));

        Add(message, "X-Request-Id", exchange.RequestId);
        ref var trail = ref exchange.Trail;
        Add(message, "X-Forwarded-For", trail.For);
        Add(message, "X-Forwarded-Proto", trail.Proto);
        if (trail.Host.Length > 0) Add(message, "X-Forwarded-Host", trail.Host);
        Add(message, "Forwarded", trail.Forwarded);
        Add(message, "Via", ViaHeader.With(headers.Via, context.Request.Protocol));
        if (exchange.Engine.Listening.ClientCertificates.SubjectHeader is { } certificate) TellSubject(message, certificate, exchange.Caller.CertificateSubject);
        if (route.RequestIdKey is { } key && !headers.ContainsKey(key)) Add(message, key, exchange.RequestId);
        if (exchange.Consumer is { } consumer)
        {
            Add(message, "X-Consumer-Id", consumer.ApplicationId);
            Add(message, "X-Consumer-Application", consumer.Application);
            Add(message, "X-Consumer-Organisation", consumer.Organisation);
            Add(message, "X-Consumer-Plan", consumer.Plan);
            if (consumer.IsTest) Add(message, "X-Consumer-Mode", "test");
            if (route.TellsConsumer && exchange.Engine.ConsumerTokens.Of(consumer, admission.Token, call.ArrivedUnixMs) is { } word) Add(message, "X-Consumer-Token", word);
        }

        if (route.RequestHeaders.Length > 0) Transform(message, route.RequestHeaders, origin, FactsOf(exchange));
        if (route.ClaimTransforms is { ToHeaders: { Length: > 0 } claims }) AddClaims(message, claims, admission.ClaimHeaders);
        if (route.Transport is { Metadata: { } metadata })
        {
            message.Options.Set(PluginMessage.Metadata, metadata);
            message.Options.Set(PluginMessage.Route, route.Name);
        }

        if (message.Content is null && MayNotBeDoneTwice(message.Method.Method)) message.Content = NoBody();
        if (route.Transport is { Traces: true } && !headers.ContainsKey("traceparent")) Add(message, "traceparent", TraceContext.Of(exchange.RequestNumber));
    }

    /// <summary>
    /// The body of a call that has none and may not be done twice. A call without one the client would send again by itself on another connection when the first is closed
    /// without an answer; what has begun to send its body it never sends again (RFC 9110 §9.2.2). The upstream sees the same either way: <c>Content-Length: 0</c>.
    /// </summary>
    public static HttpContent NoBody() => new ByteArrayContent([]);

    // What becomes a socket (RFC 8441) has no end, and so no body.
    private static bool MayNotBeDoneTwice(string method) => !RetryRule.IsIdempotent(method) && method != "CONNECT";

    private static void TellSubject(HttpRequestMessage message, string header, string? subject)
    {
        MessageHeaders.Remove(message, header);
        if (subject is not null) Add(message, header, Ascii.IsValid(subject) ? subject : Uri.EscapeDataString(subject));
    }

    public static HeaderFacts FactsOf(Exchange exchange) => new(exchange.Trail.AddressText, exchange.Call.Host, exchange.RequestId);

    private static void CopyHeaders(Exchange exchange, HttpRequestMessage message, IHeaderDictionary headers)
    {
        var named = HopByHopHeaders.NamedBy(headers.Connection);
        var hidesKey = exchange.Consumer is not null && !exchange.Route.ForwardsCredentials;
        var hidesAuthorization = hidesKey && exchange.Admission.AuthorizationIsOurs;
        foreach (var (name, value) in headers)
        {
            if (HopByHopHeaders.Ends(name) || named is not null && named.Contains(name)) continue;
            if (HopByHopHeaders.SpeaksOfForwarding(name) && !(exchange.Caller.IsTrusted && !name.Contains('_'))) continue;
            if (HopByHopHeaders.SpeaksOfConsumers(name) || hidesKey && (HopByHopHeaders.IsKey(name) || HopByHopHeaders.IsProof(name))) continue;
            if (hidesAuthorization && name.Equals("Authorization", StringComparison.OrdinalIgnoreCase)) continue;
            Add(message, name, value);
        }
    }

    private static void Transform(HttpRequestMessage message, HeaderTransform[] transforms, string origin, in HeaderFacts facts)
    {
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
                values[0] = transform.Replace(values[0], origin, in facts);
                Add(message, transform.Name, values);
            }
        }
    }

    // Without a token, which only a preflight may lack, nobody else may have written them either.
    private static void AddClaims(HttpRequestMessage message, ClaimInstruction[] headers, string[]? values)
    {
        for (var i = 0; i < headers.Length; i++)
        {
            MessageHeaders.Remove(message, headers[i].Target);
            if (values is not null) Add(message, headers[i].Target, values[i]);
        }
    }

    private static void Add(HttpRequestMessage message, string name, StringValues values)
    {
        if (values.Count == 1)
        {
            var value = values[0]!;
            Check(value);
            if (message.Headers.TryAddWithoutValidation(name, value) || (message.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, value)) return;
            throw new UnsendableHeaderException();
        }

        foreach (var value in values) Check(value!);
        if (message.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values!) || (message.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values!)) return;
        throw new UnsendableHeaderException();    // a name that is no token, which HTTP/2 lets through
    }

    // As in Ocelot, a header value that is not ASCII is the caller's mistake and not sent.
    private static void Check(string value)
    {
        if (!Ascii.IsValid(value)) throw new UnsendableHeaderException();
    }
}

/// <summary>A header of the call cannot be sent on: the caller's mistake.</summary>
internal sealed class UnsendableHeaderException() : Exception("A header's name is no token, or its value not ASCII.");
