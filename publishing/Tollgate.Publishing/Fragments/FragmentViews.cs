using Tollgate.Contracts.Fragments;

namespace Tollgate.Publishing.Fragments;

/// <summary>A service that publishes its own routes, as lists show it.</summary>
/// <param name="Claims">The paths that it owns, such as <c>/orders</c> or <c>api.example.com/orders</c>.</param>
public sealed record FragmentView(string Service, long Version, int Routes, IReadOnlyList<string> Claims, string Sha256, string PublishedBy, DateTimeOffset PublishedAt);

/// <summary>One version, without its words.</summary>
/// <param name="From">Of a rollback: the version whose words these are.</param>
public sealed record FragmentVersionView(long Version, FragmentChange Change, long? From, int Routes, string Sha256, string By, DateTimeOffset At, bool InForce);

/// <summary>One version with its words.</summary>
public sealed record FragmentDetails(string Service, FragmentVersionView Version, string Content);

/// <summary>What changed from one version to another.</summary>
/// <param name="From">0 = there was none.</param>
/// <param name="To">0 = what was sent now.</param>
/// <param name="Diff">Unified; empty when nothing changed.</param>
public sealed record FragmentDiff(string Service, long From, long To, string Diff);

/// <summary>What publishing came to.</summary>
public abstract record PublishOutcome
{
    /// <param name="Warnings">What is written and does nothing, or not what it seems to.</param>
    /// <param name="IsNew">The service had no routes before.</param>
    /// <param name="Changed">False = the same words were in force already.</param>
    public sealed record Published(FragmentView Fragment, IReadOnlyList<FragmentMistake> Warnings, bool IsNew, bool Changed) : PublishOutcome;

    /// <summary>Was asked without being done.</summary>
    public sealed record Fits(FragmentDiff Diff, IReadOnlyList<FragmentMistake> Warnings) : PublishOutcome;

    public sealed record BadName : PublishOutcome;

    public sealed record TooLarge : PublishOutcome;

    public sealed record Mistaken(IReadOnlyList<FragmentMistake> Mistakes) : PublishOutcome;

    public sealed record Conflicts(IReadOnlyList<OwnershipConflict> With) : PublishOutcome;

    /// <summary>Somebody else was quicker.</summary>
    public sealed record Outdated(long Version) : PublishOutcome;

    public sealed record NotFound : PublishOutcome;
}

/// <param name="Service">Who claims.</param>
/// <param name="Claim">What it claims, on which line.</param>
/// <param name="Owner">Who owns it: a service, or a file of the gateway.</param>
/// <param name="Owned">What the owner owns, on which line.</param>
public sealed record OwnershipConflict(string Service, string Claim, int Line, string Owner, string Owned, int OwnedLine);
