namespace Tollgate.Identity.Accounts.Pages;

/// <summary>What an account page shows: kept values, a sentence per wrong field, and what a form needs to be believed.</summary>
public sealed record AccountForm(
    string FormToken,
    IReadOnlyDictionary<string, string> Values,
    IReadOnlyDictionary<string, string> Errors,
    string? Notice = null)
{
    /// <summary>Errors under this name concern the form as a whole.</summary>
    public const string Whole = "";

    /// <summary>The anti-forgery token travels in the framework's own field, so that other pages can post here too.</summary>
    public const string TokenField = "__RequestVerificationToken";

    /// <summary>How many seconds ago at most the person may have proven who they are.</summary>
    public const string Fresh = "fresh";

    /// <summary>The value of <see cref="Fresh"/>; null = none, or none that could be one.</summary>
    public string? FreshSeconds => Value(Fresh) is { Length: > 0 and <= 10 } seconds ? seconds : null;

    public string? Value(string field) => Values.GetValueOrDefault(field);

    public string? Error(string field) => Errors.GetValueOrDefault(field);

    /// <summary>The address at which somebody signs in through another issuer, which is told who it may be.</summary>
    public string LinkOutside(string provider)
    {
        var link = Link("/account/external/" + provider);
        return Value("email") is { Length: > 0 and <= EmailAddresses.MaxLength } email ? $"{link}{(link.Contains('?') ? '&' : '?')}hint={Uri.EscapeDataString(email)}" : link;
    }

    /// <summary>The address of another account page that leads back to the same place.</summary>
    public string Link(string path)
    {
        if (Value(SessionCookie.ReturnUrlParameter) is not { Length: > 0 } back) return path;
        // Who is to sign in anew is shown the other page too, signed in or not.
        var again = Value("again") == "true" ? "again=true&" : "";
        var fresh = FreshSeconds is { } seconds ? $"&{Fresh}={Uri.EscapeDataString(seconds)}" : "";
        return $"{path}?{again}{SessionCookie.ReturnUrlParameter}={Uri.EscapeDataString(back)}{fresh}";
    }
}
