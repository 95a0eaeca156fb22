using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>Judges what a person chose about a client.</summary>
internal static class ClientFormRules
{
    private const int MostUris = 20;

    /// <param name="offered">The scopes that the client may have.</param>
    /// <param name="mayRefer">Access tokens may be of the kind <c>reference</c>.</param>
    public static Dictionary<string, string> WhatIsWrongWith(ClientForm form, IReadOnlyCollection<string> offered, bool mayRefer, bool isHttps)
    {
        var errors = new Dictionary<string, string>();
        if (form.Name?.Trim() is not { Length: > 0 and <= 80 } name || !OneLine.Is(name)) errors["name"] = "A name has 1 to 80 characters on one line.";
        if (!Enum.IsDefined(form.Kind)) errors["kind"] = "The kind is service, web or public.";
        if ((form.Scopes ?? []).FirstOrDefault(s => !offered.Contains(s)) is { } scope) errors["scopes"] = $"No active subscription of the application gives {Shorten(scope)}, or a client of this kind cannot have it.";
        Check("redirectUris", form.RedirectUris, uri => RedirectUris.WhatIsWrongWith(uri, isHttps));
        Check("postLogoutRedirectUris", form.PostLogoutRedirectUris, uri => RedirectUris.WhatIsWrongWith(uri, isHttps));
        Check("origins", form.Origins, WhatIsWrongWithOrigin);
        if (form.BackChannelLogoutUri is { Length: > 0 } called) Check("backChannelLogoutUri", [called], uri => CalledUris.WhatIsWrongWith(uri, isHttps));
        if (form.Kind != ClientKind.Service && form.RedirectUris is not { Count: > 0 }) errors["redirectUris"] = "A client that acts for people needs an address to lead them back to.";
        if (form.Kind == ClientKind.Service && form.RedirectUris is { Count: > 0 }) errors["redirectUris"] = "A service leads nobody back: leave this empty, or choose another kind.";
        if (form.SigningAlgorithm is { } algorithm && !Algorithms.All.Contains(algorithm)) errors["signingAlgorithm"] = $"Tokens are signed with {string.Join(" or ", Algorithms.All)}.";
        if (form.AccessTokenType is not (null or AccessTokenTypes.Jwt or AccessTokenTypes.Reference)) errors["accessTokenType"] = "An access token is jwt or reference.";
        else if (form.AccessTokenType == AccessTokenTypes.Reference && !mayRefer) errors["accessTokenType"] = "Reference tokens are not offered here: the gateways would not ask about them.";
        if (form.RequirePushedRequests == true && form.Kind == ClientKind.Service) errors["requirePushedRequests"] = "A service signs nobody in, so that there is nothing to send ahead.";
        return errors;

        void Check(string field, IReadOnlyList<string>? all, Func<string, string?> judge)
        {
            if (all is null) return;
            if (all.Count > MostUris) errors[field] = $"At most {MostUris}.";
            foreach (var one in all)
                if (judge(one) is { } wrong) errors.TryAdd(field, $"{Shorten(one)} {wrong}");
        }
    }

    public static string? WhatIsWrongWithOrigin(string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https" && origin.Length <= InputLimits.RedirectUri
            && parsed.GetLeftPart(UriPartial.Authority) == origin && parsed.UserInfo.Length == 0
            ? null
            : "is no origin, such as https://app.example.com.";

    private static string Shorten(string text) => text.Length > 80 ? text[..80] + "…" : text;
}
