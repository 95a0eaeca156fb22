using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.DataProtection;
using Tollgate.Identity.OAuth.Bootstrap;
using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Storage;
using Tollgate.Storage;

namespace Tollgate.Identity;

/// <summary>The platform admin that the first start made.</summary>
/// <param name="Password">Print it once: it is kept nowhere. Null when it was told by <c>Identity:AdminPassword</c>.</param>
/// <param name="Organisation">The organisation that the admin owns.</param>
public sealed record FirstAdmin(string Email, string? Password, OrganisationId Organisation)
{
    /// <summary>Leaves the password out, so that no log carries it by accident.</summary>
    public override string ToString() => $"FirstAdmin {Email}";
}

/// <summary>Makes identity's database ready, before the host starts to answer.</summary>
public static class IdentitySetup
{
    private const string OrganisationName = "Platform";

    /// <summary>Migrates under the lock that all starting nodes share, makes the platform admin where there is none, and what the bootstrap file declares. Null: there was one.</summary>
    public static async Task<FirstAdmin?> MigrateAsync(IServiceProvider services, CancellationToken cancel)
    {
        FirstAdmin? first = null;
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<IdentityDb>();
        await DatabaseSetup.MigrateAsync(db, async stop =>
        {
            KeyRing.EnsureFirstKey(services);
            if (!await db.Accounts.AnyAsync(a => a.PlatformRole != null, stop)) first = await MakeAdminAsync(scope.ServiceProvider, db, stop);
            await scope.ServiceProvider.GetRequiredService<BootstrapSetup>().ApplyAsync(stop);
            await services.GetRequiredService<SigningKeys>().GetAsync(stop);
        }, cancel);
        return first;
    }

    private static async Task<FirstAdmin> MakeAdminAsync(IServiceProvider services, IdentityDb db, CancellationToken cancel)
    {
        var options = services.GetRequiredService<IOptions<TollgateIdentityOptions>>().Value;
        var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        var told = options.AdminPassword is { Length: > 0 };
        var password = told ? options.AdminPassword! : NewPassword();

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var account = Account.New(options.AdminEmail, now);
        (account.EmailConfirmed, account.PlatformRole) = (true, PlatformRole.Admin);
        var made = await services.GetRequiredService<UserManager<Account>>().CreateAsync(account, password);
        if (!made.Succeeded)
            throw new InvalidOperationException("The platform admin cannot be made: " + string.Join(' ', made.Errors.Select(e => e.Description)));

        var organisation = new Organisation { Id = OrganisationId.New(), Name = OrganisationName, Created = now };
        db.Add(organisation);
        db.Add(new Membership { Organisation = organisation.Id, Account = account.Id, Role = OrganisationRole.Owner, Since = now });
        await services.GetRequiredService<AuditLog>().AddAsync(db, "account.platform-admin-made", account.Id.ToString(), organisation.Id);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return new FirstAdmin(options.AdminEmail, told ? null : password, organisation.Id);
    }

    /// <summary>20 characters that a person can read off a terminal: 115 bits.</summary>
    private static string NewPassword() => new(RandomNumberGenerator.GetItems<char>("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789", 20));
}
