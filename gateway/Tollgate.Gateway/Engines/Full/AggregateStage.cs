using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Contracts.Plugins;
using Tollgate.Gateway.Aggregates;
using Tollgate.Gateway.Cache;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.FileLimits;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Calls the members of an aggregate, each through all stages of its own route, and makes one answer of theirs.</summary>
internal static class AggregateStage
{
    private const int LargestBody = 4 * 1024 * 1024;
    private const int MostCalls = 200;

    public static async Task ServeAsync(Exchange exchange, AggregateRule aggregate)
    {
        var context = exchange.Context;
        if (aggregate.LacksAggregator || SocketRequest.IsOne(context))
        {
            await SpecialStages.RefuseAsync(exchange, Refusal.UnknownRoute);
            return;
        }

        if (await BufferedBody.ReadAsync(context.Request, LargestBody, context.RequestAborted) is not { } body)
        {
            await SpecialStages.RefuseAsync(exchange, Refusal.ContentTooLarge);
            return;
        }

        if (BearerToken.IsBoundScheme(exchange.Call.Authorization)) context.Features.Set(new OuterCall(context, exchange.Admission.IsProven));
        var parts = await CallAsync(exchange, aggregate, body);
        if (context.RequestAborted.IsCancellationRequested)
        {
            SpecialStages.Cancel(exchange);
            return;
        }

        // What the gateway refuses of one member it refuses of the whole.
        foreach (var part in parts.SelectMany(member => member))
        {
            if (part.Refused is not { } refused) continue;
            if (part.Rate.IsRefused) exchange.Admission.FileRate = part.Rate;
            await SpecialStages.RefuseAsync(exchange, refused);
            return;
        }

        var isHead = HttpMethods.IsHead(exchange.Call.Method);
        var response = context.Response;
        if (aggregate.Aggregator is { } own)
        {
            AnswerPart[] told = [.. parts.SelectMany(member => member).Select(part => part.Answer!)];
            if (await AskAsync(exchange, aggregate, own, told) is not { } answer) return;
            response.StatusCode = answer.Status;
            foreach (var (name, value) in answer.Headers) response.Headers.Append(name, value);
            response.ContentType = answer.ContentType;
            var hasNoBody = answer.Status is 204 or 205 or 304;
            if (!hasNoBody) response.ContentLength = answer.Body.Length;
            await SpecialStages.AnswerAsync(exchange, hasNoBody || isHead ? [] : answer.Body);
            return;
        }

        var json = JsonAnswer.Write([.. parts.Select(member => (IReadOnlyList<AnswerPart>)[.. member.Select(part => part.Answer!)])]);
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/json";
        response.ContentLength = json.Length;
        await SpecialStages.AnswerAsync(exchange, isHead ? [] : json);
    }

    private static async Task<AggregatedAnswer?> AskAsync(Exchange exchange, AggregateRule aggregate, IAnswerAggregator own, AnswerPart[] parts)
    {
        var cancel = exchange.Context.RequestAborted;
        try
        {
            return aggregate.Budget is { } budget
                ? await budget.RunAsync(aggregate.AggregatorName, cut => own.AggregateAsync(parts, cut).AsTask(), null, cancel)
                : await own.AggregateAsync(parts, cancel);
        }
        catch (Exception failed) when (!cancel.IsCancellationRequested)
        {
            FullEngineLog.UpstreamFailed(exchange.Engine.Logger, exchange.Route.Name, Yarp.ReverseProxy.Forwarder.ForwarderError.None, failed.Message, exchange.RequestId);
            await SpecialStages.RefuseAsync(exchange, Refusal.UpstreamUnreachable);
            return null;
        }
    }

    // All at once; where the first says what the others are asked, it goes before them.
    private static async Task<Part[][]> CallAsync(Exchange exchange, AggregateRule aggregate, byte[] body)
    {
        var members = aggregate.Members;
        if (!aggregate.IsChained) return await Task.WhenAll(members.Select(member => CallAsync(exchange, member, [null], body)));

        var first = await CallAsync(exchange, members[0], [null], body);
        if (first[0].Answer is not { } said) return [first];
        var asked = members.Skip(1).Select(member => (Member: member, Values: member.Path is { } path ? (IReadOnlyList<string?>)AggregateValues.Of(path, said.Body) : [null])).ToArray();
        if (asked.Sum(member => member.Values.Count) > MostCalls)
        {
            FullEngineLog.TooManyMemberCalls(exchange.Engine.Logger, exchange.Route.Name, MostCalls);
            return [[new Part(null, Verdict.Refuse(Refusal.UpstreamUnreachable), default)]];
        }

        var others = await Task.WhenAll(asked.Select(member => CallAsync(exchange, member.Member, member.Values, body)));
        return [first, .. others];
    }

    private static Task<Part[]> CallAsync(Exchange exchange, AggregateMember member, IReadOnlyList<string?> values, byte[] body) =>
        Task.WhenAll(values.Select(value => CallAsync(exchange, member, value, body)));

    private static async Task<Part> CallAsync(Exchange exchange, AggregateMember member, string? value, byte[] body)
    {
        string?[]? fillings = null;
        if (member.Fillings > 0)
        {
            fillings = new string?[member.Fillings];
            if (exchange.Admission.Fillings is { } own) own.AsSpan(0, Math.Min(own.Length, fillings.Length)).CopyTo(fillings);
            if (value is not null) fillings[member.Parameter] = value;
        }

        var context = exchange.Context;
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var call = new InnerCall(context, target, body, exchange.RequestId, exchange.Caller, keepsEncoding: false, context.RequestAborted);
        var inner = new Exchange(exchange.Engine);
        inner.Begin(call.Features);
        try
        {
            inner.Call.Member = new MemberCall(member.Route, exchange.Admission.Captures, fillings);
            await inner.RunAsync();
            if (inner.Refused is { } refused) return new Part(null, refused, inner.Admission.FileRate);
            var headers = call.Headers.SelectMany(header => header.Value.Select(line => KeyValuePair.Create(header.Key, line ?? ""))).ToArray();
            return new Part(new AnswerPart(member.Key, call.Status, headers, call.Body), null, default);
        }
        finally
        {
            inner.End();
        }
    }

    private readonly record struct Part(AnswerPart? Answer, Verdict? Refused, RateStanding Rate);
}
