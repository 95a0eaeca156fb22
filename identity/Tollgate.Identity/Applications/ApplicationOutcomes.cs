namespace Tollgate.Identity.Applications;

/// <summary>What became of a wish for an application.</summary>
public abstract record CreateApplicationOutcome
{
    public sealed record Created(ApplicationView Application) : CreateApplicationOutcome;
    public sealed record OrganisationNotFound : CreateApplicationOutcome;
    public sealed record TooManyApplications(int Limit) : CreateApplicationOutcome;

    /// <summary>One sentence a field, by the field's name.</summary>
    public sealed record Invalid(IReadOnlyDictionary<string, string> Errors) : CreateApplicationOutcome;
}

/// <summary>What became of a change to an application.</summary>
public abstract record UpdateApplicationOutcome
{
    public sealed record Updated(ApplicationView Application) : UpdateApplicationOutcome;
    public sealed record NotFound : UpdateApplicationOutcome;

    /// <summary>One sentence a field, by the field's name.</summary>
    public sealed record Invalid(IReadOnlyDictionary<string, string> Errors) : UpdateApplicationOutcome;
}
