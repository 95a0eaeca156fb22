namespace Tollgate.Gateway.Policy.Routing;

/// <summary>What a call asks of a route beyond host and path.</summary>
internal readonly ref struct RouteQuestion(string method, ReadOnlySpan<char> query, ICallHeaders? headers = null)
{
    private readonly int _knownMethod = MethodSet.IndexOf(method);
    private readonly string _method = method;
    private readonly ReadOnlySpan<char> _query = query;
    private readonly ICallHeaders? _headers = headers;

    public bool IsAnsweredBy(Route route) =>
        route.Methods.Contains(_method, _knownMethod) && (route.Template.Query is null || route.Template.Query.Matches(_query)) &&
        (route.Headers is null || route.Headers.Matches(_headers));
}
