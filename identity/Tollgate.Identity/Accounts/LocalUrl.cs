namespace Tollgate.Identity.Accounts;

/// <summary>Where a form may lead back to: a path on this host and nothing else, however cunningly written.</summary>
internal static class LocalUrl
{
    private const int MaxLength = OAuth.Protocol.InputLimits.Address;

    /// <summary>The path, or null.</summary>
    public static string? From(string? url) => IsLocal(url) ? url : null;

    private static bool IsLocal(string? url) =>
        url is ['/', ..] and { Length: <= MaxLength }
        && (url.Length == 1 || url[1] is not ('/' or '\\'))
        && !url.Any(c => char.IsControl(c) || c is '\\');
}
