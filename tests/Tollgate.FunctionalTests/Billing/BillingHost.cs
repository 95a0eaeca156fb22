using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tollgate.Billing;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Invoicing;
using Tollgate.Billing.Metering;
using Tollgate.Billing.Storage;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Usage;
using Tollgate.ServiceDefaults.Internal;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Billing;

/// <summary>A control plane with the billing role alone, on one of the two databases, at a time of our own.</summary>
internal sealed class BillingHost : IAsyncDisposable
{
    private readonly TempFolder? _folder;
    private readonly WebApplication _app;
    private int _internalPort;

    private BillingHost(TempFolder? folder, WebApplication app, MovableClock clock, string token, string data, string? postgres) =>
        (_folder, _app, Clock, Token, Data, Postgres) = (folder, app, clock, token, data, postgres);

    public static TheoryData<bool> Shapes => [false, true];

    public MovableClock Clock { get; }
    public string Token { get; }
    public HttpClient Client { get; private set; } = null!;
    public CatalogueService Catalogue => _app.Services.GetRequiredService<CatalogueService>();
    public SubscriptionService Subscriptions => _app.Services.GetRequiredService<SubscriptionService>();
    public UsageService Usage => _app.Services.GetRequiredService<UsageService>();
    public InvoiceService Invoices => _app.Services.GetRequiredService<InvoiceService>();
    public Rollup Rollup => _app.Services.GetRequiredService<Rollup>();
    public IServiceProvider Services => _app.Services;
    private string Data { get; }
    private string? Postgres { get; }

    public static async Task<BillingHost> StartAsync(bool postgres, bool seedDemo = true, DateTimeOffset? now = null)
    {
        var folder = new TempFolder();
        var database = postgres ? await (await PostgresServer.SharedAsync()).NewDatabaseAsync() : null;
        return await StartAsync(folder, folder.Path, database, seedDemo, new MovableClock(now ?? new DateTimeOffset(2026, 3, 10, 12, 0, 20, TimeSpan.Zero)));
    }

    /// <summary>On a PostgreSQL server of the test's own, which it may stop.</summary>
    public static async Task<BillingHost> StartAsync(PostgresServer server)
    {
        var folder = new TempFolder();
        // The test servers confirm commits before they are written; one that is stopped at once would forget what it confirmed.
        var database = await server.NewDatabaseAsync() + ";Options=-c synchronous_commit=on";
        return await StartAsync(folder, folder.Path, database, true, new MovableClock(new DateTimeOffset(2026, 3, 10, 12, 0, 20, TimeSpan.Zero)));
    }

    /// <summary>Another process of the same deployment: same database, same time.</summary>
    public Task<BillingHost> StartAnotherAsync(bool seedDemo = true) => StartAsync(null, Data, Postgres, seedDemo, Clock);

    private static async Task<BillingHost> StartAsync(TempFolder? folder, string data, string? postgres, bool seedDemo, MovableClock clock)
    {
        var token = GatewayToken.New();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["Data"] = data;
        builder.Configuration["ConnectionStrings:Postgres"] = postgres;
        builder.Configuration["ControlPlane:GatewayTokenSha256:0"] = GatewayToken.Sha256(token);
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.Services.AddInternalPort(builder.Configuration);
        builder.AddTollgateBilling();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var host = new BillingHost(folder, builder.Build(), clock, token, data, postgres);
        host._app.Use(async (http, next) =>
        {
            using var request = new Activity("request").Start();   // as tracing or logging would; its id is the request's
            await next(http);
        });
        host._app.UseRouting();
        host._app.UseInternalPort(port => port == host._internalPort);
        host._app.MapTollgateBilling();
        await BillingSetup.MigrateAsync(host._app.Services, seedDemo, """{ "openapi": "3.1.0" }""", default);
        await host._app.StartAsync();
        var address = new Uri(host._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        host._internalPort = address.Port;
        host.Client = new HttpClient { BaseAddress = address };
        host.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return host;
    }

    public EntitlementTidying Tidying => _app.Services.GetRequiredService<EntitlementTidying>();

    public BillingDb Open() => _app.Services.GetRequiredService<IDbContextFactory<BillingDb>>().CreateDbContext();

    public async Task<PlanView> PlanAsync(string plan, string product = "weather") =>
        (await Catalogue.GetAsync(product, default))!.Product.Plans.Single(p => p.Name == plan);

    /// <summary>An application of a new organisation, on a plan of the demo product.</summary>
    public async Task<SubscriptionView> SubscribeAsync(string plan, OrganisationId? organisation = null, AppId? application = null) =>
        (await Subscriptions.SubscribeAsync(organisation ?? OrganisationId.New(), application ?? AppId.New(), (await PlanAsync(plan)).Id, default))
        .ShouldBeOfType<SubscriptionOutcome.Subscribed>().Subscription;

    /// <summary>What gateways are told of entitlements; the same feed tells them of products' documents.</summary>
    public async Task<FeedAnswer> FeedAsync(long after = 0, string? epoch = null)
    {
        var text = await Client.GetStringAsync($"/feeds/entitlements?after={after}&epoch={epoch}&wait=0");
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonSerializer.Deserialize(l, ContractJson.Default.FeedLine)!).ToList();
        return new FeedAnswer(((FeedBegin)lines[0]).Epoch, ((FeedEnd)lines[^1]).Version, [.. lines.OfType<FeedItem>().Where(item => item is not ProductDocumentItem)]);
    }

    public Task<HttpResponseMessage> PostAsync(UsageBatch batch) => Client.PostAsJsonAsync(InternalPaths.Usage, batch, ContractJson.Default.UsageBatch);

    public async Task<UsageReceipt> IngestAsync(UsageBatch batch)
    {
        using var answer = await PostAsync(batch);
        var text = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue(text);
        return JsonSerializer.Deserialize(text, ContractJson.Default.UsageReceipt)!;
    }

    /// <summary>Calls of one minute, in a batch of their own.</summary>
    public Task<UsageReceipt> UseAsync(SubscriptionView subscription, DateTimeOffset minute, long calls, long? units = null, int status = 200) =>
        IngestAsync(Batches.Of(Batches.Row(subscription.Id, subscription.Application, minute, calls, units, status)));

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        await _app.DisposeAsync();
        _folder?.Dispose();
    }

    public sealed record FeedAnswer(string Epoch, long Version, IReadOnlyList<FeedItem> Items);
}
