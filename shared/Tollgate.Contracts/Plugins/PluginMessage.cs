namespace Tollgate.Contracts.Plugins;

/// <summary>What a delegating handler finds in the <see cref="HttpRequestMessage.Options"/> of a message, beside the message itself.</summary>
public static class PluginMessage
{
    /// <summary>The route's <c>Metadata</c> over the global one.</summary>
    public static readonly HttpRequestOptionsKey<IReadOnlyDictionary<string, string>> Metadata = new("tollgate.metadata");

    /// <summary>What the route is called in usage and metrics: its <c>Key</c>, else its upstream template.</summary>
    public static readonly HttpRequestOptionsKey<string> Route = new("tollgate.route");
}
