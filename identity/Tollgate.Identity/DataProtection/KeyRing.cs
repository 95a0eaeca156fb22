using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Identity.Storage;
using Tollgate.ServiceDefaults;
using Tollgate.Storage;

namespace Tollgate.Identity.DataProtection;

/// <summary>
/// The keys behind cookies and mailed tokens: in the data folder, which is its owner's alone, or in the shared database, protected by
/// <c>Identity:KeyRingCertificate</c> where it is told.
/// </summary>
internal static class KeyRing
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    public static void AddKeyRing(this IServiceCollection services, IConfiguration configuration)
    {
        var ring = services.AddDataProtection().SetApplicationName("tollgate").SetDefaultKeyLifetime(Lifetime);
        if (configuration.GetConnectionString(Database.ConnectionName) is not { Length: > 0 })
            ring.PersistKeysToFileSystem(Directory.CreateDirectory(Path.Combine(DataFolder.Of(configuration), "keys")));
        else
            services.AddOptions<KeyManagementOptions>()
                .Configure<IDbContextFactory<IdentityDb>>((options, databases) => options.XmlRepository = new StoredKeyRepository(databases));
        if (configuration[$"{TollgateIdentityOptions.Section}:{nameof(TollgateIdentityOptions.KeyRingCertificate)}"] is { Length: > 0 } file && File.Exists(file))
            ring.ProtectKeysWithCertificate(X509CertificateLoader.LoadPkcs12FromFile(
                file, configuration[$"{TollgateIdentityOptions.Section}:{nameof(TollgateIdentityOptions.KeyRingCertificatePassword)}"]));
    }

    /// <summary>Makes the first key while other starting nodes wait, so that all of them begin with one.</summary>
    public static void EnsureFirstKey(IServiceProvider services)
    {
        var keys = services.GetRequiredService<IKeyManager>();
        var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        if (!keys.GetAllKeys().Any(k => !k.IsRevoked && k.ExpirationDate > now)) keys.CreateNewKey(now, now + Lifetime);
    }
}
