using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Tollgate.Identity.Passkeys;

/// <summary>Sets the framework's passkeys: for the host of the issuer, whatever the <c>Host</c> header says, and never without the person's finger or PIN.</summary>
internal static class PasskeyRules
{
    public static void AddPasskeys(this IServiceCollection services)
    {
        services.AddScoped<PasskeyService>();
        services.AddOptions<IdentityPasskeyOptions>().Configure<IOptions<TollgateIdentityOptions>>((passkeys, identity) =>
        {
            var origins = new[] { identity.Value.IssuerName, identity.Value.PublicUrl }.Select(url => new Uri(url).GetLeftPart(UriPartial.Authority)).ToArray();
            passkeys.ServerDomain = new Uri(identity.Value.IssuerName).Host;
            passkeys.AuthenticatorTimeout = TimeSpan.FromMinutes(5);
            passkeys.ChallengeSize = 32;
            passkeys.UserVerificationRequirement = "required";
            passkeys.ResidentKeyRequirement = "preferred";
            passkeys.ValidateOrigin = context => ValueTask.FromResult(!context.CrossOrigin && origins.Contains(context.Origin, StringComparer.OrdinalIgnoreCase));
        });
    }
}
