using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Identity.OAuth.CleanUp;
using Tollgate.Identity.Storage;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>What the service does by itself: cleaning up, limits, writing down.</summary>
public sealed class UpkeepTests
{
    [Theory]
    [OnBothDatabases]
    public async Task What_is_over_is_deleted_in_small_steps_and_what_lives_stays(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:CleanUp:BatchSize", "2"));
        using var person = await SignedInAsync(site);
        var old = new List<Answer>();
        for (var i = 0; i < 5; i++) old.Add(await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid offline_access weather.read"))));
        await site.PostAsync("/connect/revocation", OAuthSite.Form(("token", old[0].Text("access_token"))), OAuthSite.Basic("web", "web secret"));
        await site.Host.UseAsync<IDbContextFactory<IdentityDb>, int>(async databases =>
        {
            await using var db = await databases.CreateDbContextAsync();
            var past = DateTimeOffset.UtcNow.AddDays(-40);
            await db.AuthorizationCodes.ExecuteUpdateAsync(c => c.SetProperty(x => x.Expires, past));
            await db.RefreshTokens.ExecuteUpdateAsync(c => c.SetProperty(x => x.Expires, past));
            await db.FamilyAccessTokens.ExecuteUpdateAsync(c => c.SetProperty(x => x.Expires, past));
            await db.RevokedTokens.ExecuteUpdateAsync(c => c.SetProperty(x => x.Expires, past));
            return await db.Database.ExecuteSqlRawAsync(shape == Shape.Postgres
                ? """UPDATE identity.token_families SET "Created" = now() - interval '40 days'"""
                : $"UPDATE token_families SET \"Created\" = {past.UtcTicks}");
        });
        var live = await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid offline_access weather.read")));

        (await site.Host.Services.GetRequiredService<CleanUpJob>().RunAsync(CancellationToken.None)).ShouldBeGreaterThanOrEqualTo(11);
        (await site.Host.UseAsync<IDbContextFactory<IdentityDb>, int>(async databases =>
        {
            await using var db = await databases.CreateDbContextAsync();
            return await db.AuthorizationCodes.CountAsync() + await db.RefreshTokens.CountAsync() + await db.FamilyAccessTokens.CountAsync() + await db.TokenFamilies.CountAsync()
                + await db.RevokedTokens.CountAsync();
        })).ShouldBe(4);
        (await site.Host.FeedAsync()).Items.OfType<Contracts.Feeds.RevokedTokenItem>().ShouldBeEmpty();
        (await RefreshAsync(site, old[1].Text("refresh_token"))).ShouldBeError("invalid_grant");
        (await RefreshAsync(site, live.Text("refresh_token"))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_anybody_could_pile_up_is_carried_off(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:CleanUp:BatchSize", "2"));
        using var visitor = new Visitor(site.Host.Url);
        foreach (var i in Enumerable.Range(0, 5)) await visitor.SignUpAsync($"never{i}@example.com", Visitor.Password, $"Never {i}");
        await visitor.SignUpAsync("again@example.com", Visitor.Password, "Again");
        await visitor.SignUpAsync("new@example.com", Visitor.Password, "New");
        var job = site.Host.Services.GetRequiredService<CleanUpJob>();
        (await job.RunAsync(CancellationToken.None)).ShouldBe(0);
        await site.Host.UseAsync<IDbContextFactory<IdentityDb>, int>(async databases =>
        {
            await using var db = await databases.CreateDbContextAsync();
            var past = DateTimeOffset.UtcNow.AddDays(-500);
            await db.Accounts.Where(a => a.Email != "new@example.com").ExecuteUpdateAsync(a => a.SetProperty(x => x.Created, past));
            var organisation = await db.Organisations.Where(o => o.Name == "New").Select(o => o.Id).SingleAsync();
            foreach (var (expires, digest) in new[] { (past, 'a'), (DateTimeOffset.UtcNow.AddDays(1), 'b') })
            {
                db.Add(new Tollgate.Identity.Organisations.Invitation
                {
                    Id = Guid.NewGuid(), Organisation = organisation, Email = "x@example.com", Role = Tollgate.Identity.Organisations.OrganisationRole.Viewer, Sha256 = new string(digest, 64),
                    InvitedBy = Guid.NewGuid(), Created = past, Expires = expires,
                });
                db.Add(new Tollgate.Identity.ManagementTokens.ManagementToken
                {
                    Id = Guid.NewGuid(), Prefix = "tg_pat_" + digest, Sha256 = new string(digest, 64), Name = "x", Organisation = organisation, Scopes = [], CreatedBy = Guid.NewGuid(), Created = past, Expires = expires,
                });
                db.Add(new Tollgate.Identity.OAuth.Clients.OAuthClientSecret { Id = Guid.NewGuid(), ClientId = "web", Sha256 = new string(digest, 64), LastFour = "last", Created = past, Expires = expires });
            }

            return await db.SaveChangesAsync();
        });
        await visitor.SignUpAsync("again@example.com", Visitor.Password, "Again and again");   // waits anew

        (await job.RunAsync(CancellationToken.None)).ShouldBe(5 + 3);
        await site.Host.UseAsync<IdentityDb, bool>(async db =>
        {
            (await db.Accounts.Where(a => !a.EmailConfirmed).Select(a => a.Email).OrderBy(e => e).ToListAsync()).ShouldBe(["again@example.com", "new@example.com"]);
            (await db.Organisations.CountAsync(o => o.Name.StartsWith("Never"))).ShouldBe(0);
            (await db.Accounts.CountAsync(a => a.Email == OAuthSite.Person)).ShouldBe(1);
            (await db.Invitations.CountAsync(), await db.ManagementTokens.CountAsync(), await db.Set<Tollgate.Identity.OAuth.Clients.OAuthClientSecret>().CountAsync(s => s.LastFour == "last")).ShouldBe((1, 1, 1));
            return true;
        });
        (await visitor.SignInAsync(OAuthSite.Person)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_was_deleted_long_ago_goes_for_good_once_nothing_speaks_of_it(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:CleanUp:BatchSize", "1"));
        using var person = await SignedInAsync(site);
        (await person.SubmitAsync(Ask("asks", "https://third.example/cb"), ("decision", "allow"))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        await CodeAsync(person, Ask());
        var job = site.Host.Services.GetRequiredService<CleanUpJob>();
        var (apps, now) = (Enumerable.Range(0, 3).Select(_ => Contracts.AppId.New()).ToArray(), DateTimeOffset.UtcNow);
        await UseAsync(async db =>
        {
            var organisation = await db.Organisations.Select(o => o.Id).FirstAsync();
            foreach (var (app, years) in apps.Zip([11, 11, 2]))
            {
                var deleted = now.AddYears(-years);
                db.Add(new Tollgate.Identity.Applications.Application { Id = app, Organisation = organisation, Name = "Gone", Created = deleted, DeletedAt = deleted });
                db.Add(new Tollgate.Identity.Keys.ApiKey
                {
                    Id = Contracts.ApiKeyId.New(), Application = app, Name = "x", Sha256 = app.Value.ToString("N").PadLeft(64, '0'), Prefix = "tg_live_x", LastFour = "last", Test = false, Created = deleted,
                    RevokedAt = app == apps[1] ? now.AddDays(-300) : deleted, LeftFeed = true,   // not for so long yet
                });
                db.Add(new Tollgate.Identity.OAuth.Clients.OAuthClient { ClientId = $"app_{years}{app}", Application = app, Name = "x", Created = deleted, DeletedAt = deleted });
            }

            // One more a day ago; of two a month ago, one that still holds what somebody gave it.
            await db.OAuthClients.Where(c => c.ClientId == "stranger").ExecuteUpdateAsync(c => c.SetProperty(x => x.DeletedAt, now.AddDays(-1)));
            await db.OAuthClients.Where(c => c.ClientId == "worker" || c.ClientId == "web").ExecuteUpdateAsync(c => c.SetProperty(x => x.DeletedAt, now.AddDays(-31)));
            return await db.SaveChangesAsync();
        });

        (await job.RunAsync(CancellationToken.None)).ShouldBe(2 + 4 + 1);   // keys, clients, an application
        await UseAsync(async db =>
        {
            (await db.Applications.Select(a => a.Id).ToListAsync()).ShouldBe(apps[1..], ignoreOrder: true);
            (await db.Keys.Select(k => k.Application).ToListAsync()).ShouldBe([apps[1]]);
            var clients = await db.OAuthClients.Select(c => c.ClientId).ToListAsync();
            clients.ShouldNotContain(c => c.StartsWith("app_") || c == "worker");
            (clients.Contains("web"), clients.Contains("stranger"), clients.Contains("asks"), await db.Consents.CountAsync()).ShouldBe((true, true, true, 1));
            await db.TokenFamilies.ExecuteDeleteAsync();
            return await db.OAuthClients.Where(c => c.ClientId == "asks").ExecuteUpdateAsync(c => c.SetProperty(x => x.DeletedAt, now.AddDays(-31)));
        });
        (await job.RunAsync(CancellationToken.None)).ShouldBe(2);
        (await UseAsync(db => db.Consents.CountAsync())).ShouldBe(0);
        (await job.RunAsync(CancellationToken.None)).ShouldBe(0);

        Task<int> UseAsync(Func<IdentityDb, Task<int>> use) => site.Host.UseAsync<IDbContextFactory<IdentityDb>, int>(async databases =>
        {
            await using var db = await databases.CreateDbContextAsync();
            return await use(db);
        });
    }

    [Theory]
    [OnBothDatabases]
    public async Task Whoever_guesses_at_a_client_is_told_to_wait_and_the_client_itself_never(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:TokenLimits:FailuresPerClientPerMinute", "5"));
        var answers = new List<Answer>();
        for (var i = 0; i < 12; i++) answers.Add(await site.TokenAsync("grant_type=client_credentials", OAuthSite.Basic("worker", "guess " + i)));
        answers[0].ShouldBeError("invalid_client", 401);
        ((int)answers[^1].Status).ShouldBe(429);
        answers[^1].Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
        for (var i = 0; i < 20; i++) await site.WorkerTokenAsync();
        (await site.TokenAsync("grant_type=client_credentials", OAuthSite.Basic("plain-worker", "wrong"))).ShouldBeError("invalid_client", 401);
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_programs_do_is_written_down_without_their_tokens(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        var token = await site.WorkerTokenAsync();
        await site.TokenAsync("grant_type=client_credentials", OAuthSite.Basic("worker", "wrong secret of a client"));
        await site.TokenAsync("grant_type=client_credentials&scope=nothing", OAuthSite.Basic("worker", OAuthSite.Secret));
        await site.IntrospectAsync(token);
        await site.IntrospectAsync("nonsense");
        string[] wanted = ["client.authenticated worker ok-or-method", "client.refused", "token.issued", "token.refused", "token.introspected"];
        var events = await Deadline.UntilAsync("the events are written", () => site.Host.UseAsync<IDbContextFactory<IdentityDb>, List<string>?>(async databases =>
        {
            await using var db = await databases.CreateDbContextAsync();
            var all = await db.AuditEvents.Select(e => e.Action + " " + e.Target + " " + e.Result + " " + e.Address).ToListAsync();
            return wanted.All(w => all.Any(e => e.StartsWith(w.Split(' ')[0], StringComparison.Ordinal))) && all.Count(e => e.StartsWith("token.introspected", StringComparison.Ordinal)) == 2 ? all : null;
        }));
        events.ShouldContain(e => e.StartsWith("token.refused worker invalid_scope", StringComparison.Ordinal));
        events.ShouldContain(e => e.StartsWith("client.refused worker client_secret_basic", StringComparison.Ordinal));
        events.ShouldAllBe(e => !e.Contains(token) && !e.Contains("wrong secret"));
    }

    [Theory]
    [OnBothDatabases("0", HttpStatusCode.BadRequest)]
    [OnBothDatabases("10", HttpStatusCode.OK)]
    public async Task A_used_refresh_token_is_good_again_only_within_the_leeway_that_the_operator_allows(string seconds, HttpStatusCode second, Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:RefreshTokenLeewaySeconds", seconds));
        using var person = await SignedInAsync(site);
        var first = await RedeemAsync(site, await CodeAsync(person, Ask(scope: "openid offline_access")));
        (await RefreshAsync(site, first.Text("refresh_token"))).Status.ShouldBe(HttpStatusCode.OK);
        (await RefreshAsync(site, first.Text("refresh_token"))).Status.ShouldBe(second);
    }

    [Theory]
    [OnBothDatabases]
    public async Task The_organisation_is_told_for_its_scope_alone(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, file: OAuthSite.File.Replace("\"scopes\": [\"openid\", \"profile\"", "\"scopes\": [\"openid\", \"org\", \"profile\""));
        using var person = await SignedInAsync(site);
        foreach (var (scope, told) in new[] { ("openid org weather.read", true), ("openid weather.read", false) })
        {
            var tokens = await RedeemAsync(site, await CodeAsync(person, Ask(scope: scope)));
            var access = new Microsoft.IdentityModel.JsonWebTokens.JsonWebToken(tokens.Text("access_token"));
            access.TryGetClaim("org_role", out var role).ShouldBe(told);
            var info = await UserInfoAsync(site, tokens.Text("access_token"));
            info.Json.TryGetProperty("org_id", out _).ShouldBe(told);
            if (told) (role.Value, info.Text("org_id")).ShouldBe(("owner", access.GetClaim("org_id").Value));
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task Who_signs_in_as_another_than_was_asked_for_goes_back_with_the_reason(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, file: OAuthSite.File.Replace("\"users\": [", "\"users\": [{ \"email\": \"eve@example.com\", \"password\": \"" + Visitor.Password + "\", \"confirmed\": true }, "));
        using var person = await SignedInAsync(site);
        var hint = (await RedeemAsync(site, await CodeAsync(person, Ask()))).Text("id_token");
        using var eve = new Visitor(site.Host.Url);
        await eve.SignInAsync("eve@example.com");
        var page = (await eve.GetAsync(Ask(more: "&state=s&id_token_hint=" + hint))).Headers.Location!.OriginalString;
        page.ShouldStartWith("/account/sign-in?");   // they may be the one who is meant, with another account
        var back = await eve.SubmitAsync(page, ("email", "eve@example.com"), ("password", Visitor.Password));
        var answer = Query(await eve.GetAsync(back.Headers.Location!.OriginalString));
        (answer["error"], answer["state"], answer["iss"]).ShouldBe(("login_required", "s", OAuthSite.Issuer));

        using var ada = new Visitor(site.Host.Url);
        await ada.SignInAsync("eve@example.com");
        page = (await ada.GetAsync(Ask(more: "&state=s&id_token_hint=" + hint))).Headers.Location!.OriginalString;
        back = await ada.SubmitAsync(page, ("email", OAuthSite.Person), ("password", Visitor.Password));
        Query(await ada.GetAsync(back.Headers.Location!.OriginalString))["code"].ShouldNotBeNull();
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_token_comes_in_one_place(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var token = (await RedeemAsync(site, await CodeAsync(person, Ask()))).Text("access_token");
        (await site.PostAsync("/connect/userinfo", "access_token=" + token)).Status.ShouldBe(HttpStatusCode.OK);
        (await site.PostAsync("/connect/userinfo", $"access_token={token}&access_token={token}")).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await site.PostAsync("/connect/userinfo", "access_token=" + token, "Bearer " + token)).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory]
    [OnBothDatabases]
    public async Task How_a_person_must_have_signed_in_cannot_be_written_into_the_address(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        foreach (var mark in new[] { "0", "1", "CfDJ8" })
            (await person.GetAsync(Ask(more: "&prompt=login&tollgate_signed_in_since=" + mark))).Headers.Location!.OriginalString.ShouldStartWith("/account/sign-in?");
        using var other = await SignedInAsync(site);
        var tokens = await RedeemAsync(site, await CodeAsync(other, Ask()));
        Query(await person.GetAsync(Ask(more: "&prompt=none&id_token_hint=" + tokens.Text("id_token"))))["code"].ShouldNotBeNull();
    }
}
