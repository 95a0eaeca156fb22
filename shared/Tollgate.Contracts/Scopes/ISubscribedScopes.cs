namespace Tollgate.Contracts.Scopes;

/// <summary>Which scopes applications have bought: billing knows, and identity asks before a client gets a token.</summary>
public interface ISubscribedScopes
{
    /// <summary>The scopes of all products that an application is actively subscribed to at this moment, each once.</summary>
    Task<IReadOnlyList<string>> OfAsync(AppId application, CancellationToken cancel);
}
