using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Tollgate.Identity.OAuth.Logout;
using Tollgate.Identity.Storage;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>How word of ended sessions reaches clients: after the commit, each in a line of its own, by one node at a time, until it is heard.</summary>
public sealed class LogoutNoticeTests
{
    [Theory]
    [OnBothDatabases]
    public async Task The_sender_is_woken_by_the_commit_of_whoever_opened_the_transaction_and_by_nothing_less(Shape shape)
    {
        await using var site = await SiteAsync("https://client.example", ["web"], shape);
        using var person = await SignedInAsync(site);
        await CodeAsync(person, Ask());
        await site.Host.UseAsync<IDbContextFactory<IdentityDb>, bool>(async databases =>
        {
            var signal = new LogoutSignal();
            var ends = new SessionEnds(signal, TimeProvider.System);
            var session = await OfAsync(databases, db => db.Sessions.Select(s => s.Id).SingleAsync());
            foreach (var ending in new[] { "left", "rolled back", "committed" })
            {
                await using var db = await databases.CreateDbContextAsync();
                await using (var transaction = await db.Database.BeginTransactionAsync())
                {
                    (await ends.EndAsync(db, [session], default)).ShouldBe(1);
                    (await signal.WaitAsync(TimeSpan.Zero, default)).ShouldBeFalse(ending);
                    if (ending == "rolled back") await transaction.RollbackAsync();
                    if (ending == "committed") await transaction.CommitAsync();
                }

                // What the same context commits afterwards is another matter.
                await using (var transaction = await db.Database.BeginTransactionAsync())
                {
                    if (ending != "committed") await transaction.CommitAsync();
                }

                (await signal.WaitAsync(TimeSpan.Zero, default)).ShouldBe(ending == "committed", ending);
            }

            return true;
        });
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_client_that_keeps_us_waiting_keeps_nobody_else(Shape shape)
    {
        var told = new ConcurrentBag<string>();
        var (waiting, mostWaiting) = (0, 0);
        using var end = new CancellationTokenSource();
        await using var listener = await Listener.StartAsync(app =>
        {
            app.MapPost("/hangs", async (HttpContext http) =>
            {
                var here = Interlocked.Increment(ref waiting);
                for (var most = mostWaiting; here > most; most = mostWaiting) Interlocked.CompareExchange(ref mostWaiting, here, most);
                using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, end.Token);
                await Task.Delay(Timeout.Infinite, over.Token).ContinueWith(_ => { }, TaskScheduler.Default);
                Interlocked.Decrement(ref waiting);
            });
            app.MapPost("/{who}", (string who) => told.Add(who));
        });
        var others = Enumerable.Range(0, 20).Select(i => "other" + i).ToArray();
        await using var site = await SiteAsync(listener.Url, ["hangs", .. others], shape);

        // The one that hangs has far more to hear, and was first.
        var now = DateTimeOffset.UtcNow;
        await OfAsync(site.Host, db =>
        {
            for (var i = 0; i < 25; i++)
                db.Add(new LogoutNotice { Id = Guid.NewGuid(), ClientId = "hangs", Account = Guid.NewGuid(), Session = Guid.NewGuid(), Created = now, Due = now.AddMinutes(-1) });
            return db.SaveChangesAsync();
        });

        using var person = await SignedInAsync(site);
        foreach (var client in others) await CodeAsync(person, Ask(client));
        await person.SubmitAsync("/connect/endsession");
        await Deadline.UntilAsync("the others are told", () => Task.FromResult(told.Distinct().Count() == others.Length));
        mostWaiting.ShouldBeLessThanOrEqualTo(1);   // one line, and one notice in it
        (await OfAsync(site.Host, db => db.LogoutNotices.CountAsync(n => n.ClientId == "hangs"))).ShouldBe(25);
        await end.CancelAsync();
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_is_not_heard_is_told_again_after_a_restart_and_not_for_longer_than_a_day(Shape shape)
    {
        var isUp = false;
        var told = new ConcurrentBag<string>();
        await using var listener = await Listener.StartAsync(app => app.MapPost("/{who}", (string who) =>
        {
            if (isUp && who == "web") told.Add(who);
            return Results.StatusCode(isUp && who == "web" ? 200 : 503);
        }));
        await using var site = await SiteAsync(listener.Url, ["web", "gone"], shape);
        using var person = await SignedInAsync(site);
        foreach (var client in new[] { "web", "gone" }) await CodeAsync(person, Ask(client));
        await person.SubmitAsync("/connect/endsession");
        await Deadline.UntilAsync("both were tried", () => OfAsync(site.Host, async db => await db.LogoutNotices.CountAsync(n => n.Attempts > 0) == 2));
        await site.Host.StopAsync();

        await OfAsync(site.Host, db => db.LogoutNotices.ExecuteUpdateAsync(n => n.SetProperty(x => x.Due, DateTimeOffset.UtcNow)));
        var old = DateTimeOffset.UtcNow.AddHours(-25);
        await OfAsync(site.Host, db => db.Database.ExecuteSqlRawAsync(shape == Shape.Postgres
            ? """UPDATE identity.logout_notices SET "Created" = now() - interval '25 hours' WHERE "ClientId" = 'gone'"""
            : $"UPDATE logout_notices SET \"Created\" = {old.UtcTicks} WHERE \"ClientId\" = 'gone'"));
        isUp = true;
        await using var next = await SiteAsync(listener.Url, ["web", "gone"], shape, site);
        await Deadline.UntilAsync("nothing is left to tell", () => OfAsync(next.Host, async db => await db.LogoutNotices.CountAsync() == 0));
        told.Distinct().ShouldBe(["web"]);   // whose answer comes too late is told again
        await Deadline.UntilAsync("the operator reads it", () => Task.FromResult(next.Host.Logs.All.Contains("Client gone has not answered for a day")));
    }

    [Fact]
    public async Task Two_nodes_never_tell_the_same_at_once()
    {
        var (told, telling, twice) = (new ConcurrentBag<string>(), new ConcurrentDictionary<string, bool>(), new ConcurrentBag<string>());
        await using var listener = await Listener.StartAsync(app => app.MapPost("/{who}", async (HttpRequest request) =>
        {
            var token = new JsonWebToken((await request.ReadFormAsync())["logout_token"].ToString());
            var notice = token.Audiences.Single() + " " + token.GetClaim("sid").Value;
            if (!telling.TryAdd(notice, true)) twice.Add(notice);
            await Task.Yield();
            told.Add(notice);
            telling.TryRemove(notice, out _);
        }));
        var clients = Enumerable.Range(0, 6).Select(i => "client" + i).ToArray();
        await using var one = await SiteAsync(listener.Url, clients, Shape.Postgres);
        await using var two = await SiteAsync(listener.Url, clients, Shape.Postgres, one);
        var people = new List<Visitor>();
        for (var i = 0; i < 6; i++)
        {
            var person = await SignedInAsync(one);
            foreach (var client in clients) await CodeAsync(person, Ask(client));
            people.Add(person);
        }

        await Task.WhenAll(people.Select(p => p.SubmitAsync("/connect/endsession")));
        await Deadline.UntilAsync("all is told", async () =>
        {
            foreach (var node in new[] { one, two }) node.Host.Services.GetRequiredService<LogoutSignal>().Set();   // both are awake
            return await OfAsync(one.Host, async db => await db.LogoutNotices.CountAsync() == 0);
        });
        told.Distinct().Count().ShouldBe(36);
        twice.ShouldBeEmpty();
        people.ForEach(p => p.Dispose());
    }

    /// <summary>A service with clients that are told at an address that ends in their name.</summary>
    private static Task<OAuthSite> SiteAsync(string at, string[] clients, Shape shape, OAuthSite? beside = null) => OAuthSite.StartAsync(shape, beside, file: $$"""
        {
          "users": [{ "email": "{{OAuthSite.Person}}", "password": "{{Visitor.Password}}", "confirmed": true }],
          "clients": [{{string.Join(',', clients.Select(c => $$"""
            { "clientId": "{{c}}", "secret": "web secret", "grants": ["authorization_code"], "scopes": ["openid"], "redirectUris": ["https://app.example/cb"], "backChannelLogoutUri": "{{at}}/{{c}}" }
            """))}}]
        }
        """);

    private static Task<T> OfAsync<T>(IdentityHost host, Func<IdentityDb, Task<T>> ask) => host.UseAsync<IDbContextFactory<IdentityDb>, T>(databases => OfAsync(databases, ask));

    private static async Task<T> OfAsync<T>(IDbContextFactory<IdentityDb> databases, Func<IdentityDb, Task<T>> ask)
    {
        await using var db = await databases.CreateDbContextAsync();
        return await ask(db);
    }
}
