namespace Tollgate.Identity.OAuth.Keys;

/// <summary>The life of a signing key: announced, signing, retired.</summary>
public sealed class SigningKeyOptions
{
    /// <summary>How long a key signs.</summary>
    public int SignsDays { get; set; } = 90;

    /// <summary>How long it is published before it signs, at the least. Readers of the key set ask again much sooner.</summary>
    public int AnnounceDays { get; set; } = 14;

    /// <summary>How long it is published after it signed last.</summary>
    public int RetainDays { get; set; } = 14;

    internal string? WhatIsWrong() => SignsDays is < 1 or > 730 || AnnounceDays is < 1 or > 365 || RetainDays is < 2 or > 365
        ? "Identity:SigningKeys: SignsDays is 1 to 730, AnnounceDays 1 to 365, RetainDays 2 to 365."
        : null;
}
