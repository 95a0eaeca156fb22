using Microsoft.AspNetCore.Identity;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>How the framework's accounts are set here.</summary>
internal static class AccountRules
{
    /// <summary>PBKDF2-HMAC-SHA512 rounds. Raise it at will: a password is hashed anew when it is next used.</summary>
    public const int HashRounds = 210_000;

    public static void Apply(IdentityOptions options)
    {
        IdentityDb.UseSchemaVersion(options);
        options.User.RequireUniqueEmail = true;
        options.User.AllowedUserNameCharacters = "";   // any: the address rules decide
        options.SignIn.RequireConfirmedEmail = true;
        options.SignIn.RequireConfirmedAccount = true;

        options.Password.RequiredLength = PasswordRules.MinLength;
        options.Password.RequireDigit = options.Password.RequireLowercase = options.Password.RequireUppercase = false;
        options.Password.RequireNonAlphanumeric = false;
        options.Lockout.MaxFailedAccessAttempts = Lockout.MaxFailures;
        options.Lockout.DefaultLockoutTimeSpan = Lockout.Length;

        options.Tokens.EmailConfirmationTokenProvider = MailedTokens.Confirm;
        options.Tokens.PasswordResetTokenProvider = MailedTokens.Reset;

        options.ClaimsIdentity.UserIdClaimType = TollgateClaims.Subject;
        options.ClaimsIdentity.UserNameClaimType = TollgateClaims.Name;
        options.ClaimsIdentity.EmailClaimType = TollgateClaims.Email;
        options.ClaimsIdentity.RoleClaimType = TollgateClaims.OrganisationRole;
        options.ClaimsIdentity.SecurityStampClaimType = SessionCheck.StampClaim;
    }
}
