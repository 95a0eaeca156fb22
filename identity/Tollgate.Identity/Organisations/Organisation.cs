using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;

namespace Tollgate.Identity.Organisations;

/// <summary>The customer.</summary>
internal sealed class Organisation
{
    public const int MaxNameLength = 80;

    public required OrganisationId Id { get; init; }
    public required string Name { get; set; }
    public required DateTimeOffset Created { get; init; }

    /// <summary>Since when its calls are refused; null = they are not.</summary>
    public DateTimeOffset? SuspendedAt { get; set; }

    /// <summary>What is wrong with a name, in a sentence; null = nothing.</summary>
    public static string? WhatIsWrongWith(string name) => name.Length switch
    {
        < 2 => "Enter the name of your organisation: two characters or more.",
        > MaxNameLength => $"A name has at most {MaxNameLength} characters.",
        _ => OneLine.Is(name) ? null : "A name is written on one line.",
    };
}

internal sealed class OrganisationMapping : IEntityTypeConfiguration<Organisation>
{
    public void Configure(EntityTypeBuilder<Organisation> organisation)
    {
        organisation.ToTable("organisations");
        organisation.Property(o => o.Id).ValueGeneratedNever();
        organisation.Property(o => o.Name).HasMaxLength(Organisation.MaxNameLength);
        organisation.HasIndex(o => o.Name);
    }
}
