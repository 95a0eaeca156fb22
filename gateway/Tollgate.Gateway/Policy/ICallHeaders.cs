namespace Tollgate.Gateway.Policy;

/// <summary>The headers of a call, as an engine holds them.</summary>
internal interface ICallHeaders
{
    /// <summary>The value of a header, several lines joined with a comma; null = not sent.</summary>
    string? Header(string name);

    /// <summary>Where the caller sent the call, without its query; null = not known.</summary>
    string? Address => null;

    /// <summary>Whether a proof of the call is shown for the first time. Calls that are made for it show it again, and are told the same.</summary>
    Task<bool> IsFirst(Func<Task<bool>> isFirst) => isFirst();
}
