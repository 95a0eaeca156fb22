using System.Data.Common;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tollgate.Contracts.Scopes;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.OAuth.Authorize;
using Tollgate.Identity.OAuth.Bootstrap;
using Tollgate.Identity.OAuth.CleanUp;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Devices;
using Tollgate.Identity.OAuth.Discovery;
using Tollgate.Identity.OAuth.Dpop;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.OAuth.Logout;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Registration;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth;

/// <summary>The authorization server's services and endpoints.</summary>
internal static class OAuthSetup
{
    private static readonly string[] Read = ["GET", "HEAD", "OPTIONS"];
    private static readonly string[] Post = ["POST", "OPTIONS"];

    private static readonly string[] PostedAlone =
        [OAuthPaths.Token, OAuthPaths.Revocation, OAuthPaths.Introspection, OAuthPaths.PushedRequests, OAuthPaths.DeviceAuthorization];

    public static void AddOAuth(this IServiceCollection services)
    {
        services.AddSingleton<SigningKeys>();
        services.AddSingleton<TokenSigner>();
        services.AddSingleton<Cors>();
        services.AddSingleton<OAuthMetrics>();
        services.AddSingleton<TokenLimits>();
        services.AddSingleton<SeenTokens>();
        services.AddSingleton<ClientCache>();
        services.AddSingleton<ScopeCache>();
        services.AddSingleton<ClientCalls>();
        services.AddSingleton<PublishedKeys>();
        services.AddSingleton<ClientAssertions>();
        services.AddSingleton<DpopProofs>();
        services.AddSingleton<AuditBuffer>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditBuffer>());
        services.AddSingleton<CleanUpJob>();
        services.AddHostedService(provider => provider.GetRequiredService<CleanUpJob>());
        services.AddSingleton<LogoutSignal>();
        services.ConfigureDbContext<SqliteIdentityDb>(options => options.AddInterceptors(CommitInterceptor.Instance));
        services.ConfigureDbContext<PostgresIdentityDb>(options => options.AddInterceptors(CommitInterceptor.Instance));
        services.AddSingleton<SessionEnds>();
        services.AddSingleton<PersonRevocations>();
        services.AddHostedService<LogoutNoticeSender>();
        services.AddScoped<TokenAudit>();
        services.AddScoped<ClientAuthentication>();
        services.TryAddSingleton<ISubscribedScopes, NothingSubscribed>();
        services.AddScoped<ScopeBook>();
        services.AddScoped<ClientCredentialsGrant>();
        services.AddScoped<AccessTokens>();
        services.AddScoped<TokenStatus>();
        services.AddScoped<TokenEndpoint>();
        services.AddScoped<IntrospectionEndpoint>();
        services.AddScoped<RevocationEndpoint>();
        services.AddScoped<TokenFamilies>();
        services.AddScoped<AuthorizeReader>();
        services.AddScoped<AuthorizeEndpoint>();
        services.AddScoped<PushedRequests>();
        services.AddScoped<PushedRequestEndpoint>();
        services.AddScoped<ConsentBook>();
        services.AddScoped<EndSessionEndpoint>();
        services.AddScoped<DeviceAuthorizationEndpoint>();
        services.AddScoped<DeviceGrant>();
        services.AddScoped<DevicePages>();
        services.AddScoped<RegistrationEndpoint>();
        services.AddScoped<UserInfoEndpoint>();
        services.AddScoped<BootstrapSetup>();
    }

    public static void MapOAuth(this IEndpointRouteBuilder app)
    {
        var path = app.ServiceProvider.GetRequiredService<IOptions<TollgateIdentityOptions>>().Value.IssuerPath;
        var readable = app.MapGroup("").AllowAnonymous();
        readable.AddEndpointFilter(Cors.Filter).AddEndpointFilter(Guard);
        readable.MapMethods(path + OAuthPaths.Discovery, Read, DiscoveryEndpoints.Document);
        readable.MapMethods(OAuthPaths.ServerMetadata + path, Read, DiscoveryEndpoints.Document);
        readable.MapMethods(path + OAuthPaths.Jwks, Read, DiscoveryEndpoints.Jwks);
        readable.MapMethods(path + OAuthPaths.Token, Post, TokenEndpoint.HandleAsync);
        readable.MapMethods(path + OAuthPaths.Revocation, Post, RevocationEndpoint.HandleAsync);
        readable.MapMethods(path + OAuthPaths.UserInfo, ["GET", "POST", "OPTIONS"], UserInfoEndpoint.HandleAsync);

        app.MapMethods(path + OAuthPaths.Authorize, ["GET", "POST"], AuthorizeEndpoint.HandleAsync).AllowAnonymous();
        app.MapMethods(path + OAuthPaths.EndSession, ["GET", "POST"], EndSessionEndpoint.HandleAsync).AllowAnonymous();
        var pages = app.MapGroup("").AllowAnonymous().AddEndpointFilter(AccountPages.Guard);
        pages.MapPost(OAuthPaths.Consent, AuthorizeEndpoint.DecideAsync);
        pages.MapPost(OAuthPaths.EndSessionConfirm, EndSessionEndpoint.ConfirmAsync);
        pages.MapGet(path + OAuthPaths.Device, DevicePages.ShowAsync);
        pages.MapPost(OAuthPaths.Device, DevicePages.EnterAsync);
        pages.MapPost(OAuthPaths.DeviceDecide, DevicePages.DecideAsync);
        pages.MapGet(path + OAuthPaths.DeviceDone, DevicePages.Done);

        foreach (var posted in PostedAlone) app.Map(path + posted, NotAllowed).AllowAnonymous();

        // Not for script of other origins.
        var programs = app.MapGroup("").AllowAnonymous().AddEndpointFilter(Guard);
        programs.MapPost(path + OAuthPaths.Introspection, IntrospectionEndpoint.HandleAsync);
        programs.MapPost(path + OAuthPaths.PushedRequests, PushedRequestEndpoint.HandleAsync);
        programs.MapPost(path + OAuthPaths.DeviceAuthorization, DeviceAuthorizationEndpoint.HandleAsync);
        if (app.ServiceProvider.GetRequiredService<IOptions<TollgateIdentityOptions>>().Value.Registration.IsOn)
        {
            programs.MapPost(path + OAuthPaths.Registration, RegistrationEndpoint.HandleAsync);
            programs.MapGet(path + OAuthPaths.Registration + "/{client}", RegistrationEndpoint.ReadAsync);
            programs.MapPut(path + OAuthPaths.Registration + "/{client}", RegistrationEndpoint.ChangeAsync);
            programs.MapDelete(path + OAuthPaths.Registration + "/{client}", RegistrationEndpoint.EndAsync);
            app.Map(path + OAuthPaths.Registration, NotAllowed).AllowAnonymous();
        }
    }

    /// <summary>Said by itself: beside pages and files that answer any GET, routing alone would find those.</summary>
    private static IResult NotAllowed(HttpContext http)
    {
        http.Response.Headers.Allow = "POST";
        return Results.StatusCode(StatusCodes.Status405MethodNotAllowed);
    }

    /// <summary>While the database is away clients are told to come again, in words that they know.</summary>
    private static async ValueTask<object?> Guard(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        try
        {
            return await next(call);
        }
        catch (Exception lost) when (IsDatabaseAway(lost) && !call.HttpContext.Response.HasStarted)
        {
            call.HttpContext.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Tollgate.Identity.OAuth")
                .LogWarning(lost, "The database did not answer an OAuth request");
            call.HttpContext.Response.Headers.RetryAfter = "5";
            return OAuthAnswers.Refuse(call.HttpContext, new OAuthRefusal("temporarily_unavailable", "Try again in a moment.", StatusCodes.Status503ServiceUnavailable));
        }
    }

    internal static bool IsDatabaseAway(Exception lost) =>
        lost is DbException or DbUpdateException or TimeoutException || (lost is InvalidOperationException && lost.InnerException is DbException);
}
