using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Scopes;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;
using Tollgate.Identity.Audit;
using Tollgate.Identity.DataProtection;
using Tollgate.Identity.Explain;
using Tollgate.Identity.External;
using Tollgate.Identity.Keys;
using Tollgate.Identity.Mail;
using Tollgate.Identity.ManagementTokens;
using Tollgate.Identity.OAuth;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Conformance;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Passkeys;
using Tollgate.Identity.SecondFactor;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;
using Tollgate.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity;

/// <summary>What the host calls to have accounts, organisations, applications and keys.</summary>
public static class TollgateIdentity
{
    /// <summary>Services, options, database, session cookie, policies.</summary>
    public static IHostApplicationBuilder AddTollgateIdentity(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<TollgateIdentityOptions>().Bind(builder.Configuration.GetSection(TollgateIdentityOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TollgateIdentityOptions>, TollgateIdentityOptionsValidator>();
        services.AddTollgateDatabase<IdentityDb, SqliteIdentityDb, PostgresIdentityDb>(builder.Configuration, IdentityDb.Name);
        services.AddKeyRing(builder.Configuration);
        services.AddExceptionHandler<ComeAgain>();
        services.AddHttpContextAccessor();
        services.AddRazorComponents();
        // The framework's own request log writes whole addresses, and ours carry tokens from mails.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);
        services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestLineSize = InputLimits.RequestLine);

        AddAccounts(services);
        AddMail(services, builder.Configuration);
        services.AddOAuth();
        services.AddScoped<Caller>();
        services.AddScoped<AuditLog>();
        AddScoped(services, (databases, audit, time) => new OrganisationService(databases, audit, time));
        services.AddScoped(provider => new ClientService(provider.GetRequiredService<IDbContextFactory<IdentityDb>>(), provider.GetRequiredService<AuditLog>(),
            provider.GetRequiredService<ClientCache>(), provider.GetRequiredService<ISubscribedScopes>(), provider.GetRequiredService<IOptions<TollgateIdentityOptions>>(), provider.GetRequiredService<TimeProvider>()));
        services.AddScoped(provider => new ApplicationService(provider.GetRequiredService<IDbContextFactory<IdentityDb>>(), provider.GetRequiredService<AuditLog>(),
            provider.GetRequiredService<ClientService>(), provider.GetRequiredService<TimeProvider>()));
        AddScoped(services, (databases, audit, time) => new KeyService(databases, audit, time));
        services.AddScoped(provider => new ExplainService(provider.GetRequiredService<IDbContextFactory<IdentityDb>>(), provider.GetRequiredService<TimeProvider>()));
        services.AddScoped(provider => new ConformanceService(provider.GetRequiredService<IDbContextFactory<IdentityDb>>(),
            provider.GetRequiredService<IOptions<TollgateIdentityOptions>>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<CredentialTidying>();
        services.AddHostedService(provider => provider.GetRequiredService<CredentialTidying>());
        AddScoped(services, (databases, audit, time) => new ManagementTokenService(databases, audit, time));
        AddScoped(services, (databases, audit, time) => new MembershipService(databases, audit, time));
        services.AddScoped(provider => new AuditDiary(provider.GetRequiredService<IDbContextFactory<IdentityDb>>(), provider.GetRequiredService<AuditLog>()));
        services.AddScoped(provider => new AuditSearch(provider.GetRequiredService<IDbContextFactory<IdentityDb>>()));
        services.AddScoped(provider => new StaffService(provider.GetRequiredService<IDbContextFactory<IdentityDb>>(), provider.GetRequiredService<AuditLog>()));
        services.AddScoped(provider => new InvitationService(provider.GetRequiredService<IDbContextFactory<IdentityDb>>(), provider.GetRequiredService<AccountMails>(),
            provider.GetRequiredService<AccountLimits>(), provider.GetRequiredService<AuditLog>(), provider.GetRequiredService<TimeProvider>()));
        TokenAuthentication.Add(services);
        services.AddSingleton(provider => new SessionCheck(provider.GetRequiredService<IServiceScopeFactory>()));
        return builder;
    }

    /// <summary>Account pages, the endpoints of OAuth and OpenID Connect, the credentials feed, and in Development the page of mails.</summary>
    public static IEndpointRouteBuilder MapTollgateIdentity(this IEndpointRouteBuilder app)
    {
        app.MapAccounts();
        app.MapOAuth();
        app.MapMail();
        app.MapFeed<IdentityDb>(FeedNames.Credentials);
        app.MapKeyUse();
        LeakedSecrets.Map(app);
        app.MapGatewayAnswers();
        return app;
    }

    private static void AddAccounts(IServiceCollection services)
    {
        services.AddSessionCookie();
        services.AddIdentityCore<Account>(AccountRules.Apply)
            .AddEntityFrameworkStores<IdentityDb>()
            .AddSignInManager()
            .AddClaimsPrincipalFactory<AccountPrincipals>()
            .AddPasswordValidator<PasswordRules>()
            .AddTokenProvider<ConfirmTokens>(MailedTokens.Confirm)
            .AddTokenProvider<ResetTokens>(MailedTokens.Reset);
        services.Configure<PasswordHasherOptions>(o => o.IterationCount = AccountRules.HashRounds);
        TollgatePolicies.Add(services.AddAuthorizationBuilder());

        services.AddSingleton<AccountLimits>();
        services.AddScoped<Lockout>();
        services.AddScoped<PasswordCheck>();
        services.AddScoped<SignInHalfway>();
        services.AddScoped<SecondFactorService>();
        services.AddScoped<RememberedDevices>();
        services.AddScoped<AccountService>();
        services.AddPasskeys();
        services.AddSingleton<ExternalIssuers>();
        services.AddScoped<ExternalSignIn>();
        services.AddScoped<AccountMails>();
        services.AddScoped<SignUpService>();
        services.AddScoped<SessionBook>();
        services.AddScoped<SignInService>();
        services.AddScoped<PasswordResetService>();
    }

    private static void AddMail(IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<MailOptions>().Bind(configuration.GetSection(MailOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<MailOptions>, MailOptionsValidator>();
        services.AddSingleton<MailFolder>();
        if (configuration[$"{MailOptions.Section}:Smtp:Host"] is { Length: > 0 }) services.AddSingleton<IMailCarrier, SmtpCarrier>();
        else services.AddSingleton<IMailCarrier>(provider => provider.GetRequiredService<MailFolder>());
        services.AddSingleton<MailQueue>();
        services.AddSingleton<LeakedSecrets>();
        services.AddHostedService(provider => provider.GetRequiredService<MailQueue>());
    }

    private static void AddScoped<TService>(IServiceCollection services, Func<IDbContextFactory<IdentityDb>, AuditLog, TimeProvider, TService> make)
        where TService : class =>
        services.AddScoped(provider => make(
            provider.GetRequiredService<IDbContextFactory<IdentityDb>>(), provider.GetRequiredService<AuditLog>(), provider.GetRequiredService<TimeProvider>()));
}
