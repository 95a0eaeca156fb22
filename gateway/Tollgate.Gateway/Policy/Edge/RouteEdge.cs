namespace Tollgate.Gateway.Policy.Edge;

/// <summary>What a route asks of its callers and gives to their programs, beyond the call itself. Most routes have none.</summary>
internal sealed class RouteEdge
{
    public CorsRule? Cors { get; init; }
    public CompressionRule? Compression { get; init; }
    public SecurityHeaders? Headers { get; init; }

    /// <summary>Files are served in the place of a service; null = the call is forwarded.</summary>
    public FilesRule? Files { get; init; }

    /// <summary>Null = the gateway's own.</summary>
    public long? MaxBodyBytes { get; init; }

    /// <summary>Null = the gateway's own alone.</summary>
    public int? MaxHeaderBytes { get; init; }

    /// <summary>Subjects of client certificates of which one must be shown, <c>*</c> = any; null = none is asked.</summary>
    public string[]? CertificateSubjects { get; init; }

    public bool Admits(string? subject)
    {
        if (CertificateSubjects is not { } subjects) return true;
        if (subject is null) return false;
        foreach (var one in subjects)
            if (one == "*" || one.Equals(subject, StringComparison.OrdinalIgnoreCase))
                return true;
        return false;
    }
}

/// <summary>Files of a folder.</summary>
/// <param name="Index">Served for a folder; empty = none.</param>
/// <param name="Fallback">Served, as the page of an application that routes by itself, where a page is asked for that is no file; null = 404.</param>
/// <param name="CacheSeconds">Of <c>Cache-Control</c>; null = not said.</param>
internal sealed record FilesRule(string Folder, string Index, string? Fallback, int? CacheSeconds);
