using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;
using Tollgate.Identity.Audit;
using Tollgate.Identity.DataProtection;
using Tollgate.Identity.Explain;
using Tollgate.Identity.Keys;
using Tollgate.Identity.OAuth.Authorize;
using Tollgate.Identity.Mail;
using Tollgate.Identity.ManagementTokens;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Devices;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.OAuth.Logout;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.SecondFactor;
using Tollgate.Identity.Sessions;
using Tollgate.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.Storage;

/// <summary>Everything that identity keeps. Roles live in memberships and on the account, so the framework's role tables are left out.</summary>
internal abstract class IdentityDb(DbContextOptions options) : IdentityUserContext<Account, Guid>(options)
{
    /// <summary>The PostgreSQL schema, and the name of the SQLite file.</summary>
    public const string Name = "identity";

    public DbSet<Account> Accounts => Users;
    public DbSet<Organisation> Organisations => Set<Organisation>();
    public DbSet<Membership> Memberships => Set<Membership>();
    public DbSet<Application> Applications => Set<Application>();
    public DbSet<ApiKey> Keys => Set<ApiKey>();
    public DbSet<AuditEvent> AuditEvents => Set<AuditEvent>();
    public DbSet<SigningKey> SigningKeys => Set<SigningKey>();
    public DbSet<OAuthScope> OAuthScopes => Set<OAuthScope>();
    public DbSet<OAuthClient> OAuthClients => Set<OAuthClient>();
    public DbSet<ReferenceToken> ReferenceTokens => Set<ReferenceToken>();
    public DbSet<RevokedToken> RevokedTokens => Set<RevokedToken>();
    public DbSet<Session> Sessions => Set<Session>();
    public DbSet<TokenFamily> TokenFamilies => Set<TokenFamily>();
    public DbSet<AuthorizationCode> AuthorizationCodes => Set<AuthorizationCode>();
    public DbSet<RefreshToken> RefreshTokens => Set<RefreshToken>();
    public DbSet<FamilyAccessToken> FamilyAccessTokens => Set<FamilyAccessToken>();
    public DbSet<Consent> Consents => Set<Consent>();
    public DbSet<GatewayAnswer> GatewayAnswers => Set<GatewayAnswer>();
    public DbSet<PushedRequest> PushedRequests => Set<PushedRequest>();
    public DbSet<DeviceRequest> DeviceRequests => Set<DeviceRequest>();
    public DbSet<SeenToken> SeenTokens => Set<SeenToken>();
    public DbSet<LogoutNotice> LogoutNotices => Set<LogoutNotice>();
    public DbSet<ManagementToken> ManagementTokens => Set<ManagementToken>();
    public DbSet<RememberedDevice> RememberedDevices => Set<RememberedDevice>();
    public DbSet<RecoveryCode> RecoveryCodes => Set<RecoveryCode>();
    public DbSet<Invitation> Invitations => Set<Invitation>();
    public DbSet<OutgoingMail> OutgoingMails => Set<OutgoingMail>();
    public DbSet<StoredKey> DataProtectionKeys => Set<StoredKey>();

    /// <summary>
    /// Tables for passkeys included. The framework reads the version from the options that it finds in the application's services, so
    /// whatever makes a context, the design-time tool too, must offer these: migrations and running nodes must see one model.
    /// </summary>
    public static void UseSchemaVersion(IdentityOptions options) => options.Stores.SchemaVersion = IdentitySchemaVersions.Version3;

    private List<Action>? _onceCommitted;

    /// <summary>Has something done when the open transaction is really committed, whoever opened it; never when it is rolled back.</summary>
    public void OnceCommitted(Action act) => (_onceCommitted ??= []).Add(act);

    /// <summary>For <see cref="CommitInterceptor"/>: the open transaction is over, or another one begins.</summary>
    internal void TransactionIsOver(bool isCommitted)
    {
        var acts = _onceCommitted;
        _onceCommitted = null;
        if (isCommitted) acts?.ForEach(act => act());
    }

    protected override void OnModelCreating(ModelBuilder model)
    {
        base.OnModelCreating(model);
        model.Entity<IdentityUserClaim<Guid>>().ToTable("account_claims");
        model.Entity<IdentityUserLogin<Guid>>().ToTable("account_logins");
        model.Entity<IdentityUserToken<Guid>>().ToTable("account_tokens");
        model.Entity<IdentityUserPasskey<Guid>>().ToTable("account_passkeys");
        model.ApplyConfigurationsFromAssembly(typeof(IdentityDb).Assembly);
        model.AddChangeLog();
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
        conventions.UseTollgateTypes(isSqlite: this is SqliteIdentityDb);
        conventions.Properties<OrganisationRole>().HaveConversion<string>().HaveMaxLength(16);
        conventions.Properties<PlatformRole>().HaveConversion<string>().HaveMaxLength(16);
        conventions.Properties<AuditActor>().HaveConversion<string>().HaveMaxLength(16);
    }
}
