namespace Tollgate.Gateway.Discovery;

/// <summary>Knows where services run.</summary>
internal interface IServiceSource : IDisposable
{
    /// <summary>The hosts of a service; none when there is no such service. Throws when nobody can be asked.</summary>
    /// <param name="mark">Of the answer before: the source may wait until there is another one. Null = answer at once.</param>
    Task<SourceAnswer> AskAsync(ServiceName service, string? mark, CancellationToken cancel);
}

/// <param name="Mark">Null = the source cannot wait for a change.</param>
/// <param name="AskAgainMs">How long the answer holds, where the source says so.</param>
internal sealed record SourceAnswer(IReadOnlyList<ServiceHost> Hosts, string? Mark, long? AskAgainMs = null);
