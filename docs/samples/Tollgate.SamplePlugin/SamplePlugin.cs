using System.Text;
using System.Text.Json;
using Tollgate.Contracts.Plugins;

namespace Tollgate.SamplePlugin;

/// <summary>Offers one of each kind. A gateway that is started with <c>--plugins</c> and this assembly's folder knows them by their names.</summary>
public sealed class SamplePlugin : ITollgatePlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddDelegatingHandler<StampHandler>();
        registry.AddDelegatingHandler<TeapotHandler>();
        registry.AddGlobalDelegatingHandler(() => new HeaderHandler("X-Sample-Global", "yes"));
        registry.AddAggregator<LongestAnswer>();
        registry.AddLoadBalancer<ByShard>();
    }
}

/// <summary><c>"DelegatingHandlers": [ "StampHandler" ]</c>: tells the service what the route's metadata says.</summary>
public sealed class StampHandler : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Options.TryGetValue(PluginMessage.Metadata, out var metadata) && metadata.TryGetValue("stamp", out var stamp))
            request.Headers.TryAddWithoutValidation("X-Stamp", stamp);
        var answer = await base.SendAsync(request, cancellationToken);
        answer.Headers.TryAddWithoutValidation("X-Stamped-By", request.Options.TryGetValue(PluginMessage.Route, out var route) ? route : "");
        return answer;
    }
}

/// <summary><c>"DelegatingHandlers": [ "TeapotHandler" ]</c>: answers without asking the service.</summary>
public sealed class TeapotHandler : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        Task.FromResult(new HttpResponseMessage((System.Net.HttpStatusCode)418) { Content = new StringContent("short and stout"), RequestMessage = request });
}

/// <summary>Adds a header to every call.</summary>
public sealed class HeaderHandler(string name, string value) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.TryAddWithoutValidation(name, value);
        return base.SendAsync(request, cancellationToken);
    }
}

/// <summary><c>"Aggregator": "LongestAnswer"</c>: says which member had the most to say, with the status of the worst.</summary>
public sealed class LongestAnswer : IAnswerAggregator
{
    public ValueTask<AggregatedAnswer> AggregateAsync(IReadOnlyList<AnswerPart> parts, CancellationToken cancel)
    {
        var longest = parts.MaxBy(part => part.Body.Length)!;
        var body = JsonSerializer.Serialize(new { longest = longest.Key, text = Encoding.UTF8.GetString(longest.Body) });
        return ValueTask.FromResult(new AggregatedAnswer(parts.Max(part => part.Status), Encoding.UTF8.GetBytes(body))
        {
            Headers = [KeyValuePair.Create("X-Parts", parts.Count.ToString())],
        });
    }
}

/// <summary><c>"LoadBalancerOptions": { "Type": "ByShard" }</c>: the call's <c>X-Shard</c> is the host's place.</summary>
public sealed class ByShard : IHostChooser
{
    public int Choose(IReadOnlyList<string> hosts, Func<string, string?> header) => int.TryParse(header("X-Shard"), out var shard) ? shard % hosts.Count : 0;
}
