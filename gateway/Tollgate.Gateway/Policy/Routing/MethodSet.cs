namespace Tollgate.Gateway.Policy.Routing;

/// <summary>The methods that a route answers to. None named = all.</summary>
internal sealed class MethodSet
{
    private static readonly string[] Known = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE"];

    private readonly int _known;
    private readonly string[] _others;
    private readonly bool _all;

    public MethodSet(IReadOnlyList<string> methods)
    {
        _all = methods.Count == 0;
        _others = [.. methods.Where(method => IndexOf(method) < 0)];
        foreach (var method in methods)
            if (IndexOf(method) is var index and >= 0)
                _known |= 1 << index;
    }

    /// <param name="known">What <see cref="IndexOf"/> said of the method, found once a call.</param>
    public bool Contains(string method, int known)
    {
        if (_all) return true;
        if (known >= 0) return (_known & (1 << known)) != 0;
        foreach (var other in _others)
            if (other.Equals(method, StringComparison.OrdinalIgnoreCase))
                return true;
        return false;
    }

    /// <summary>A small number for the usual methods, -1 for others.</summary>
    public static int IndexOf(string method)
    {
        for (var i = 0; i < Known.Length; i++)
            if (method.Equals(Known[i], StringComparison.OrdinalIgnoreCase))
                return i;
        return -1;
    }
}
