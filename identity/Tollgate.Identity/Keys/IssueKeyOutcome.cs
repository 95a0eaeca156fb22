namespace Tollgate.Identity.Keys;

/// <summary>What became of a wish for a key.</summary>
public abstract record IssueKeyOutcome
{
    public sealed record Issued(IssuedKey Key) : IssueKeyOutcome;

    /// <summary>A key that was made elsewhere works from now on.</summary>
    public sealed record Imported(KeyView Key) : IssueKeyOutcome;
    public sealed record ApplicationNotFound : IssueKeyOutcome;

    /// <summary>The key to be rotated is not there, or no longer live.</summary>
    public sealed record KeyNotFound : IssueKeyOutcome;
    public sealed record TooManyKeys(int Limit) : IssueKeyOutcome;

    /// <summary>The key to be imported is known already, here or at another application.</summary>
    public sealed record KeyTaken : IssueKeyOutcome;

    /// <summary>One sentence a field, by the field's name.</summary>
    public sealed record Invalid(IReadOnlyDictionary<string, string> Errors) : IssueKeyOutcome;
}
