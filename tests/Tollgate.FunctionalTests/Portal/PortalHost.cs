using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tollgate.Billing;
using Tollgate.Contracts;
using Tollgate.Gateway.Fragments;
using Tollgate.Identity;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Storage;
using Tollgate.Portal;
using Tollgate.Publishing;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Portal;

/// <summary>The portal on the real modules, on SQLite in a folder of its own, or on a database of its own.</summary>
internal sealed class PortalHost : IAsyncDisposable
{
    public const string OpenApi = """
        {"openapi":"3.0.3","info":{"title":"Weather","version":"1.0"},"paths":{"/current":{"get":{"summary":"Current weather","parameters":[
         {"name":"city","in":"query","required":true,"schema":{"type":"string","example":"Berlin"}}],"responses":{"200":{"description":"The weather"}}}}}}
        """;

    private readonly WebApplication _app;
    private readonly TempFolder _folder;

    private PortalHost(WebApplication app, TempFolder folder) => (_app, _folder) = (app, folder);

    public Uri Url => new(_app.Urls.Single());

    public IServiceProvider Services => _app.Services;

    public string MailFolder => Path.Combine(_folder.Path, "mail");

    public static async Task<PortalHost> StartAsync(Identity.Shape shape = Identity.Shape.Sqlite, params (string Key, string Value)[] settings)
    {
        var folder = new TempFolder();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            EnvironmentName = "Production",
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = "Tollgate.Host",    // whose list of static files stands beside it
        });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Data"] = folder.Path });
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)));
        if (shape == Identity.Shape.Postgres)
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:Postgres"] = await (await PostgresServer.SharedAsync()).NewDatabaseAsync() });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddProblemDetails();
        builder.AddTollgateIdentity();
        builder.AddTollgateBilling();
        builder.AddTollgatePublishing(FragmentReader.Read);
        builder.AddTollgatePortal();
        var app = builder.Build();
        app.UseExceptionHandler();
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.MapTollgateIdentity();
        app.MapTollgateBilling();
        app.MapTollgatePortal();
        app.MapPost("/test/sign-in", EnterAsync).DisableAntiforgery().AllowAnonymous();
        await BillingSetup.MigrateAsync(app.Services, seedDemo: true, OpenApi, CancellationToken.None);
        await app.Services.MigrateTollgatePublishingAsync(CancellationToken.None);
        await IdentitySetup.MigrateAsync(app.Services, CancellationToken.None);
        await app.StartAsync();
        return new PortalHost(app, folder);
    }

    public HttpClient Anonymous() => new(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = Url };

    /// <summary>Somebody of an organisation, signed in as a browser would be.</summary>
    public async Task<HttpClient> SignInAsync(string organisation, OrganisationRole role, bool platformAdmin = false)
    {
        var client = Anonymous();
        using var answer = await client.PostAsync($"/test/sign-in?organisation={organisation}&role={role}&admin={platformAdmin}", null);
        answer.EnsureSuccessStatusCode();
        return client;
    }

    // The way through the pages is identity's own story; here people only need to be somebody.
    private static async Task EnterAsync(
        string organisation, OrganisationRole role, bool admin, IdentityDb db, UserManager<Account> users, SignInManager<Account> signIn)
    {
        var account = Account.New($"{Guid.NewGuid():N}@example.com", DateTimeOffset.UtcNow);
        account.EmailConfirmed = true;
        if (admin) account.PlatformRole = PlatformRole.Admin;
        (await users.CreateAsync(account, "plum orbit velvet canoe")).Succeeded.ShouldBeTrue();
        var found = await db.Organisations.FirstOrDefaultAsync(o => o.Name == organisation);
        if (found is null) db.Add(found = new Organisation { Id = OrganisationId.New(), Name = organisation, Created = DateTimeOffset.UtcNow });
        db.Add(new Membership { Organisation = found.Id, Account = account.Id, Role = role, Since = DateTimeOffset.UtcNow });
        await db.SaveChangesAsync();
        await signIn.SignInAsync(account, isPersistent: false);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>One host for a class of tests, and one more on PostgreSQL where a test asks for it; each test works with organisations of its own.</summary>
public sealed class PortalFixture : IAsyncLifetime
{
    private readonly Lazy<Task<PortalHost>> _postgres = new(() => PortalHost.StartAsync(Identity.Shape.Postgres));

    internal PortalHost Host { get; private set; } = null!;

    public async Task InitializeAsync() => Host = await PortalHost.StartAsync();

    public async Task DisposeAsync()
    {
        await Host.DisposeAsync();
        if (_postgres.IsValueCreated) await (await _postgres.Value).DisposeAsync();
    }

    internal async Task<PortalHost> OnAsync(Identity.Shape shape) => shape == Identity.Shape.Postgres ? await _postgres.Value : Host;
}

internal static class ApiCalls
{
    public static async Task<JsonElement> JsonAsync(this Task<HttpResponseMessage> call, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var answer = await call;
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(status, text);
        return JsonDocument.Parse(text).RootElement.Clone();
    }

    public static string Id(this JsonElement element) => element.GetProperty("id").GetString()!;

    /// <summary>An application with a key and a subscription to the demo's free plan.</summary>
    public static async Task<(string Application, string Key, string Subscription)> StoryAsync(this HttpClient client)
    {
        var application = (await client.PostAsJsonAsync("/api/v1/applications", new { name = "App " + Guid.NewGuid().ToString("N")[..8] }).JsonAsync(HttpStatusCode.Created)).Id();
        var key = (await client.PostAsJsonAsync($"/api/v1/applications/{application}/keys", new { name = "first" }).JsonAsync(HttpStatusCode.Created)).GetProperty("view").Id();
        var subscription = (await client.PostAsJsonAsync("/api/v1/subscriptions", new { application, plan = await client.PlanAsync("free") }).JsonAsync(HttpStatusCode.Created)).Id();
        return (application, key, subscription);
    }

    public static async Task<string> PlanAsync(this HttpClient client, string name) =>
        (await client.GetAsync("/api/v1/products").JsonAsync()).EnumerateArray().Single(p => p.GetProperty("name").GetString() == "weather")
        .GetProperty("plans").EnumerateArray().Single(p => p.GetProperty("name").GetString() == name).Id();
}
