namespace Tollgate.Identity.External;

/// <summary>Another issuer that people may sign in with: <c>Identity:External:google:Authority</c> and so on.</summary>
public sealed class ExternalProviderOptions
{
    /// <summary>The issuer's address, below which <c>/.well-known/openid-configuration</c> is.</summary>
    public string Authority { get; set; } = "";
    public string ClientId { get; set; } = "";
    public string? ClientSecret { get; set; }

    /// <summary>What its button says; the section's name unless told otherwise.</summary>
    public string? Title { get; set; }

    internal string? WhatIsWrong(string name)
    {
        if (name.Length > 40 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) return $"Identity:External:{name}: a name has letters, digits and hyphens, 40 at most.";
        if (!Uri.TryCreate(Authority, UriKind.Absolute, out var at) || (at.Scheme != Uri.UriSchemeHttps && !(at.Scheme == Uri.UriSchemeHttp && at.IsLoopback)))
            return $"Identity:External:{name}:Authority is an https address, such as https://accounts.google.com.";
        return ClientId.Length == 0 ? $"Identity:External:{name}:ClientId is missing." : null;
    }
}
