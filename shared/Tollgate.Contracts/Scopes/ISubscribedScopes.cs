namespace Tollgate.Contracts.Scopes;

/// <summary>Which scopes applications have bought: billing knows, and identity asks before a client gets a token.</summary>
public interface ISubscribedScopes
{
    /// <summary>The scopes of all products that an application is actively subscribed to at this moment, each once.</summary>
    Task<IReadOnlyList<string>> OfAsync(AppId application, CancellationToken cancel);

    /// <summary>The scopes of all products that are there for everybody to see, each once: what a subscription may give.</summary>
    Task<IReadOnlyList<string>> OfferedAsync(CancellationToken cancel);
}
