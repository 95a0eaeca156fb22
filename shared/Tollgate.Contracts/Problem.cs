namespace Tollgate.Contracts;

/// <summary>The stable <c>type</c> URIs of problem documents (RFC 9457 §3.1.1). What each means and what to do is in <c>docs/errors.md</c>.</summary>
public static class Problem
{
    public const string TypeBase = "https://tollgate.dev/problems/";
    public const string MediaType = "application/problem+json";

    public static string Type(string slug) => TypeBase + slug;
}
