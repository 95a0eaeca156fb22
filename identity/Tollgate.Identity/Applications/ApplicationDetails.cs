namespace Tollgate.Identity.Applications;

/// <summary>What a person typed about an application, tidied and judged.</summary>
internal sealed class ApplicationDetails
{
    public ApplicationDetails(string? name, string? description)
    {
        Name = name?.Trim() ?? "";
        Description = description?.Trim() is { Length: > 0 } text ? text : null;

        var errors = new Dictionary<string, string>();
        if (Name.Length == 0) errors["name"] = "Give the application a name.";
        else if (Name.Length > Application.MaxNameLength) errors["name"] = $"A name has at most {Application.MaxNameLength} characters.";
        else if (!OneLine.Is(Name)) errors["name"] = "A name is written on one line.";
        if (Description?.Length > Application.MaxDescriptionLength)
            errors["description"] = $"A description has at most {Application.MaxDescriptionLength} characters.";
        Errors = errors;
    }

    public static IReadOnlyDictionary<string, string> NameTaken { get; } =
        new Dictionary<string, string> { ["name"] = "An application of this name exists already." };

    public string Name { get; }
    public string? Description { get; }
    public IReadOnlyDictionary<string, string> Errors { get; }
}
