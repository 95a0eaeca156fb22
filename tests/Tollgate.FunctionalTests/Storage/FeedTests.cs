using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.ServiceDefaults.Internal;
using Tollgate.Storage;
using Tollgate.Storage.Feeds;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Storage;

/// <summary>The change log and the feed in front of it, on both databases.</summary>
public sealed class FeedTests
{
    public static TheoryData<bool> Shapes => [false, true];

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_reader_that_follows_the_feed_ends_with_what_was_written_last(bool postgres)
    {
        await using var feed = await FeedHost.StartAsync(postgres);
        var seen = new Dictionary<string, FeedItem>();
        var reader = feed.FollowAsync(seen, until: items => items.ContainsKey("client:final"));

        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 25; i++) await feed.WriteAsync(new ClientItem($"c{(writer * 25 + i) % 19}", AppId.New()));
        })));
        await feed.WriteAsync(new ClientItem("final", AppId.New()));

        await reader.WaitAsync(Deadline.Default);
        var truth = await feed.SnapshotAsync();
        seen.Values.Cast<ClientItem>().OrderBy(c => c.ClientId, StringComparer.Ordinal)
            .ShouldBe(truth.Items.Cast<ClientItem>().OrderBy(c => c.ClientId, StringComparer.Ordinal));
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_waiting_poll_is_answered_when_something_changes(bool postgres)
    {
        await using var feed = await FeedHost.StartAsync(postgres);
        var start = await feed.SnapshotAsync();
        var poll = feed.ReadAsync(start.Version, start.Epoch, waitSeconds: 30);
        await feed.WriteAsync(new ClientItem("new", AppId.New()));
        var answer = await poll.WaitAsync(TimeSpan.FromSeconds(20));
        answer.IsSnapshot.ShouldBeFalse();
        answer.Items.ShouldHaveSingleItem().Key.ShouldBe("new");
        answer.Version.ShouldBeGreaterThan(start.Version);
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_waiting_poll_is_answered_when_its_node_stops(bool postgres)
    {
        await using var feed = await FeedHost.StartAsync(postgres);
        var start = await feed.SnapshotAsync();
        var poll = feed.ReadAsync(start.Version, start.Epoch, waitSeconds: 30);
        await Deadline.UntilAsync("the poll waits", () => Task.FromResult(feed.Polls > 1));
        await feed.StopAsync();
        var answer = await poll.WaitAsync(TimeSpan.FromSeconds(20));
        answer.Items.ShouldBeEmpty();
        answer.Version.ShouldBe(start.Version);
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task What_was_removed_is_told_to_followers_and_left_out_of_snapshots(bool postgres)
    {
        await using var feed = await FeedHost.StartAsync(postgres);
        await feed.WriteAsync(new ClientItem("gone", AppId.New()), new ClientItem("stays", AppId.New()));
        var before = await feed.SnapshotAsync();
        await feed.WriteAsync(new RemovedItem("client", "gone"));
        (await feed.ReadAsync(before.Version, before.Epoch)).Items.ShouldHaveSingleItem().ShouldBe(new RemovedItem("client", "gone"));
        (await feed.SnapshotAsync()).Items.ShouldHaveSingleItem().Key.ShouldBe("stays");
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_change_that_is_rolled_back_is_never_seen(bool postgres)
    {
        await using var feed = await FeedHost.StartAsync(postgres);
        var before = await feed.SnapshotAsync();
        await using (var db = feed.Open())
        await using (await db.Database.BeginTransactionAsync())
            await db.SaveWithChangesAsync([new ClientItem("never", AppId.New())], default);
        (await feed.SnapshotAsync()).ShouldBeEquivalentTo(before);
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task Another_history_is_answered_with_a_snapshot(bool postgres)
    {
        await using var feed = await FeedHost.StartAsync(postgres);
        await feed.WriteAsync(new ClientItem("one", AppId.New()));
        var answer = await feed.ReadAsync(after: 7, epoch: "of-a-database-that-is-no-more");
        answer.IsSnapshot.ShouldBeTrue();
        answer.Items.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Only_holders_of_a_gateway_token_are_answered()
    {
        await using var feed = await FeedHost.StartAsync(postgres: false);
        foreach (var token in new[] { null, "", "tgw_wrong", feed.Token + "x", feed.Token[..^1] })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/feeds/test?after=0&wait=0");
            if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
            var answer = await feed.Client.SendAsync(request);
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            answer.Headers.WwwAuthenticate.ShouldHaveSingleItem().Scheme.ShouldBe("Bearer");
        }
    }

    [Fact]
    public async Task The_public_port_does_not_know_the_feeds()
    {
        await using var feed = await FeedHost.StartAsync(postgres: false);
        (await feed.PublicClient.GetAsync("/feeds/test?after=0&wait=0")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await feed.PublicClient.GetAsync("/hello")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await feed.Client.GetAsync("/hello")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Both_ports_may_use_the_same_path()
    {
        await using var feed = await FeedHost.StartAsync(postgres: false);
        (await feed.PublicClient.GetStringAsync("/both")).ShouldBe("public");
        (await feed.Client.GetStringAsync("/both")).ShouldBe("internal");
    }

    private sealed record FeedAnswer(string Epoch, bool IsSnapshot, long Version, IReadOnlyList<FeedItem> Items);

    private class LogDb(DbContextOptions options) : DbContext(options)
    {
        protected override void ConfigureConventions(ModelConfigurationBuilder model) => model.UseTollgateTypes(Database.IsSqlite());

        protected override void OnModelCreating(ModelBuilder model) => model.AddChangeLog();
    }

    private sealed class SqliteLogDb(DbContextOptions<SqliteLogDb> options) : LogDb(options);

    private sealed class PostgresLogDb(DbContextOptions<PostgresLogDb> options) : LogDb(options);

    /// <summary>A control plane with nothing but a change log.</summary>
    private sealed class FeedHost : IAsyncDisposable
    {
        private readonly TempFolder _folder = new();
        private WebApplication _app = null!;
        private int _polls;

        public int Polls => Volatile.Read(ref _polls);
        public string Token { get; } = GatewayToken.New();
        public HttpClient Client { get; private set; } = null!;
        public HttpClient PublicClient { get; private set; } = null!;

        public static async Task<FeedHost> StartAsync(bool postgres)
        {
            var host = new FeedHost();
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.Configuration["Data"] = host._folder.Path;
            builder.Configuration["ControlPlane:GatewayTokenSha256:0"] = GatewayToken.Sha256(host.Token);
            if (postgres) builder.Configuration["ConnectionStrings:Postgres"] = await (await PostgresServer.SharedAsync()).NewDatabaseAsync();
            builder.Services.AddSingleton(TimeProvider.System);
            builder.Services.AddInternalPort(builder.Configuration);
            builder.Services.AddTollgateDatabase<LogDb, SqliteLogDb, PostgresLogDb>(builder.Configuration, "log");
            builder.WebHost.UseUrls("http://127.0.0.1:0", "http://127.0.0.1:0");
            host._app = builder.Build();
            var internalPort = 0;
            host._app.Use(next => http =>
            {
                Interlocked.Increment(ref host._polls);
                return next(http);
            });
            host._app.UseRouting();
            host._app.UseInternalPort(port => port == internalPort);
            host._app.MapFeed<LogDb>("test");
            host._app.MapGet("/hello", () => "hello");
            host._app.MapGet("/both", () => "public");
            host._app.MapInternal().MapGet("/both", () => "internal");
            await using (var db = host.Open())
            {
                await db.Database.EnsureCreatedAsync();
                await ChangeLog.EnsureHeadAsync(db, default);
            }

            await host._app.StartAsync();
            var addresses = host._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToArray();
            internalPort = new Uri(addresses[0]).Port;
            host.Client = new HttpClient { BaseAddress = new Uri(addresses[0]) };
            host.PublicClient = new HttpClient { BaseAddress = new Uri(addresses[1]) };
            return host;
        }

        public LogDb Open() => _app.Services.GetRequiredService<IDbContextFactory<LogDb>>().CreateDbContext();

        public async Task WriteAsync(params FeedItem[] items)
        {
            await using var db = Open();
            await db.SaveWithChangesAsync(items, default);
        }

        public Task StopAsync() => _app.StopAsync();

        public Task<FeedAnswer> SnapshotAsync() => ReadAsync(0, null, 0);

        public async Task<FeedAnswer> ReadAsync(long after, string? epoch, int waitSeconds = 0)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/feeds/test?after={after}&epoch={epoch}&wait={waitSeconds}");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
            using var answer = await Client.SendAsync(request);
            var lines = (await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonSerializer.Deserialize(line, ContractJson.Default.FeedLine)!).ToList();
            var begin = lines[0].ShouldBeOfType<FeedBegin>();
            var end = lines[^1].ShouldBeOfType<FeedEnd>();
            return new FeedAnswer(begin.Epoch, begin.Snapshot, end.Version, [.. lines.OfType<FeedItem>()]);
        }

        public async Task FollowAsync(Dictionary<string, FeedItem> into, Func<Dictionary<string, FeedItem>, bool> until)
        {
            var (after, epoch) = (0L, (string?)null);
            while (!until(into))
            {
                var answer = await ReadAsync(after, epoch, 10);
                if (answer.IsSnapshot) into.Clear();
                foreach (var item in answer.Items) into[$"{item.Kind}:{item.Key}"] = item;
                (after, epoch) = (answer.Version, answer.Epoch);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _app.DisposeAsync();
            _folder.Dispose();
        }
    }
}
