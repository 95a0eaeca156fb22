using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity;
using Tollgate.Identity.Storage;
using Tollgate.ServiceDefaults.Internal;
using Tollgate.Storage;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity;

/// <summary>The two databases that everything must hold on.</summary>
public enum Shape
{
    Sqlite,
    Postgres,
}

/// <summary>The identity module on a real port, alone. Nodes of one cluster share a database.</summary>
internal sealed class IdentityHost : IAsyncDisposable
{
    private static readonly string GatewayTokenText = GatewayToken.New();

    /// <summary>Migrated once and copied for each test: many of them start on a database of their own. Others start whole processes on empty ones.</summary>
    private static readonly Lazy<Task<string>> Migrated = new(MigrateAsync);
    private readonly WebApplication _app;
    private readonly TempFolder? _ownFolder;

    private IdentityHost(WebApplication app, TempFolder? ownFolder, string folder, string? postgres, RecordedLogs logs) =>
        (_app, _ownFolder, Folder, Postgres, Logs) = (app, ownFolder, folder, postgres, logs);

    public string Folder { get; }
    public string? Postgres { get; }
    public RecordedLogs Logs { get; }
    public FirstAdmin? FirstAdmin { get; private set; }
    public Uri Url => new(_app.Urls.First());
    private Uri InternalUrl => new(_app.Urls.Last());
    public IServiceProvider Services => _app.Services;

    public static async Task<IdentityHost> StartAsync(Shape shape = Shape.Sqlite, IdentityHost? beside = null, params (string Key, string Value)[] settings)
    {
        var ownFolder = beside is null || shape == Shape.Postgres ? new TempFolder() : null;
        var folder = ownFolder?.Path ?? beside!.Folder;
        var postgres = shape == Shape.Postgres ? beside?.Postgres ?? await (await PostgresServer.SharedAsync()).NewDatabaseAsync(await Migrated.Value) : null;
        var logs = new RecordedLogs();

        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            EnvironmentName = settings.FirstOrDefault(s => s.Key == "Environment").Value ?? Environments.Production,
        });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Data"] = folder,
            ["ConnectionStrings:Postgres"] = postgres,
            ["ControlPlane:GatewayTokenSha256:0"] = GatewayToken.Sha256(GatewayTokenText),
        });
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)));
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(logs);
        builder.WebHost.UseUrls(settings.FirstOrDefault(s => s.Key == "Urls").Value ?? "http://127.0.0.1:0", "http://127.0.0.1:0");
        builder.AddTollgateIdentity();
        builder.Services.AddInternalPort(builder.Configuration);

        var app = builder.Build();
        app.MapTollgateIdentity();
        var host = new IdentityHost(app, ownFolder, folder, postgres, logs);
        try
        {
            host.FirstAdmin = await IdentitySetup.MigrateAsync(app.Services, CancellationToken.None);
            await app.StartAsync();
            app.UseInternalPort(port => port == host.InternalUrl.Port);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    private static async Task<string> MigrateAsync()
    {
        var database = await (await PostgresServer.SharedAsync()).NewDatabaseAsync() + ";Pooling=false";
        var options = new DbContextOptionsBuilder<PostgresIdentityDb>();
        options.UsePostgres(database, IdentityDb.Name);
        await using var services = new ServiceCollection().Configure<IdentityOptions>(IdentityDb.UseSchemaVersion).BuildServiceProvider();
        options.UseApplicationServiceProvider(services);   // the model's shape hangs on these options
        await using var db = new PostgresIdentityDb(options.Options);
        await DatabaseSetup.MigrateAsync(db, _ => Task.CompletedTask, CancellationToken.None);
        return database;
    }

    /// <summary>One use of a service, as a circuit or request would.</summary>
    public async Task<T> UseAsync<TService, T>(Func<TService, Task<T>> use) where TService : notnull
    {
        await using var scope = _app.Services.CreateAsyncScope();
        return await use(scope.ServiceProvider.GetRequiredService<TService>());
    }

    /// <summary>The internal port, as a gateway comes there.</summary>
    public HttpClient Gateway()
    {
        var http = new HttpClient { BaseAddress = InternalUrl };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", GatewayTokenText);
        return http;
    }

    /// <summary>What a gateway hears that asks for what came after a position.</summary>
    public async Task<FeedAnswer> FeedAsync(FeedAnswer? after = null)
    {
        using var http = Gateway();
        var text = await http.GetStringAsync($"/feeds/credentials?after={after?.Version ?? 0}&epoch={after?.Epoch}&wait=0");
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize(line, ContractJson.Default.FeedLine)!).ToList();
        return new FeedAnswer(((FeedBegin)lines[0]).Epoch, ((FeedEnd)lines[^1]).Version, [.. lines.OfType<FeedItem>()]);
    }

    /// <summary>The newest mail to an address, once it is there.</summary>
    public Task<string> MailAsync(string to, string subject) => Deadline.UntilAsync($"a mail “{subject}” to {to}", () => Task.FromResult(
        Directory.Exists(Path.Combine(Folder, "mail"))
            ? Directory.GetFiles(Path.Combine(Folder, "mail"), "*.eml").OrderDescending().Select(File.ReadAllText)
                .FirstOrDefault(mail => mail.Contains($"To: {to}\r\n") && mail.Contains($"Subject: {subject}\r\n"))
            : null));

    /// <summary>Ends the process's work; its folder and database stay for others.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _ownFolder?.Dispose();
    }
}

internal sealed record FeedAnswer(string Epoch, long Version, IReadOnlyList<FeedItem> Items);

/// <summary>Every line that was logged, at any level.</summary>
internal sealed class RecordedLogs : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string All => string.Join('\n', _lines);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> format) =>
        _lines.Enqueue($"{level} {format(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
