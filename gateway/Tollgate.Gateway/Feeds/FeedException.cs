namespace Tollgate.Gateway.Feeds;

/// <summary>An answer of the control plane, or the state on disk, is not what a feed is.</summary>
internal sealed class FeedException(string message) : Exception(message);
