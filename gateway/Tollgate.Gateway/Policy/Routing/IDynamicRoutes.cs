namespace Tollgate.Gateway.Policy.Routing;

/// <summary>Routes that are not written anywhere: the first segment of a path names a service.</summary>
internal interface IDynamicRoutes
{
    /// <param name="arrival">Where the service is not known yet: completes when it may be. Null = there is no such service.</param>
    Route? Find(ReadOnlySpan<char> path, out Task? arrival);
}
