namespace Tollgate.Gateway.Policy;

/// <summary>The headers of a call, as an engine holds them.</summary>
internal interface ICallHeaders
{
    /// <summary>The value of a header, several lines joined with a comma; null = not sent.</summary>
    string? Header(string name);
}
