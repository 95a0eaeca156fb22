using System.Collections.Frozen;
using Microsoft.AspNetCore.Identity;

namespace Tollgate.Identity.Accounts;

/// <summary>Long, and not among those that everyone tries first. No rule about kinds of characters: they make passwords worse.</summary>
internal sealed class PasswordRules : IPasswordValidator<Account>
{
    public const int MinLength = 12;
    public const int MaxLength = 256;

    private const string Common = "This password is among the first that an attacker tries. Choose another: a few unrelated words do well.";
    private static readonly char[] Marks = [.. "0123456789!?.,-_*#$%&+= "];
    private static readonly FrozenSet<string> Breached = Load();

    /// <summary>A sentence; null = nothing.</summary>
    public static string? WhatIsWrongWith(string password, string? email)
    {
        if (password.Length == 0) return "Choose a password.";
        if (password.Length < MinLength) return $"Use {MinLength} characters or more: a few unrelated words do well.";
        if (password.Length > MaxLength) return $"A password has at most {MaxLength} characters.";
        if (email is { Length: > 0 } && password.Contains(email, StringComparison.OrdinalIgnoreCase)) return "A password does not contain the e-mail address.";

        var plain = password.ToLowerInvariant();
        return Breached.Contains(plain) || IsSequence(plain) || IsBreachedWord(plain, email) ? Common : null;
    }

    public Task<IdentityResult> ValidateAsync(UserManager<Account> manager, Account user, string? password) =>
        Task.FromResult(WhatIsWrongWith(password ?? "", user.Email) is { } wrong
            ? IdentityResult.Failed(new IdentityError { Code = "Password", Description = wrong })
            : IdentityResult.Success);

    /// <summary>"P4ssw0rd2024!!" is "password" to anyone who guesses; so is "passwordpassword".</summary>
    private static bool IsBreachedWord(string plain, string? email)
    {
        var word = plain.Trim().Trim(Marks);
        var letters = string.Concat(word.Select(AsLetter));
        return Breached.Contains(OnceOf(word)) || Breached.Contains(OnceOf(letters)) || OnceOf(plain).Length < 6
            || (email?.Split('@')[0].ToLowerInvariant() is { Length: >= 4 } owner && word == owner);
    }

    private static char AsLetter(char written) => written switch
    {
        '0' => 'o', '1' or '!' => 'i', '3' => 'e', '4' or '@' => 'a', '5' or '$' => 's', '7' => 't', _ => written,
    };

    /// <summary>"abcabcabc" → "abc".</summary>
    private static string OnceOf(string text) => text.Length == 0 ? text : text[..(text + text).IndexOf(text, 1, StringComparison.Ordinal)];

    /// <summary>Runs of neighbours, such as 123456789012 or abcdefghijkl, either way.</summary>
    private static bool IsSequence(string plain)
    {
        var steps = 0;
        for (var i = 1; i < plain.Length; i++)
        {
            var step = plain[i] - plain[i - 1];
            if (step is 0 or 1 or -1 or 9 or -9) steps++;
        }

        return steps >= plain.Length - 2;
    }

    private static FrozenSet<string> Load()
    {
        using var stream = typeof(PasswordRules).Assembly.GetManifestResourceStream("Tollgate.Identity.breached-passwords.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(line => line[0] != '#').Select(line => line.ToLowerInvariant()).ToFrozenSet(StringComparer.Ordinal);
    }
}
