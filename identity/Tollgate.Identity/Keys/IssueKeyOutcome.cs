namespace Tollgate.Identity.Keys;

/// <summary>What became of a wish for a key.</summary>
public abstract record IssueKeyOutcome
{
    public sealed record Issued(IssuedKey Key) : IssueKeyOutcome;
    public sealed record ApplicationNotFound : IssueKeyOutcome;

    /// <summary>The key to be rotated is not there, or no longer live.</summary>
    public sealed record KeyNotFound : IssueKeyOutcome;
    public sealed record TooManyKeys(int Limit) : IssueKeyOutcome;

    /// <summary>One sentence a field, by the field's name.</summary>
    public sealed record Invalid(IReadOnlyDictionary<string, string> Errors) : IssueKeyOutcome;
}
