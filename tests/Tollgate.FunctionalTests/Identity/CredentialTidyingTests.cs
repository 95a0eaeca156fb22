using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Usage;
using Tollgate.Identity.Applications;
using Tollgate.Identity.Keys;
using Tollgate.Identity.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.FunctionalTests.Identity;

/// <summary>What leaves the credentials feed in time, and what comes in from gateways.</summary>
public sealed class CredentialTidyingTests
{
    [Theory]
    [OnBothDatabases]
    public async Task Keys_that_have_been_dead_for_a_month_leave_the_feed_and_so_do_revocations_of_expired_tokens(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com", "Analytical Engines");
        var organisation = (await host.UseAsync<Tollgate.Identity.Organisations.OrganisationService, Tollgate.Storage.Page<Tollgate.Identity.Organisations.OrganisationView>>(
            o => o.ListAsync("Analytical", 1, default))).Items.Single().Id;
        var application = (await host.UseAsync<ApplicationService, CreateApplicationOutcome>(a => a.CreateAsync(organisation, "Weather watch", null, default)))
            .ShouldBeOfType<CreateApplicationOutcome.Created>().Application.Id;
        var now = DateTimeOffset.UtcNow;
        var live = await IssueAsync(null);
        var forYears = await IssueAsync(now.AddYears(2));
        var expiring = await IssueAsync(now.AddDays(2));
        var revoked = await IssueAsync(null);
        (await host.UseAsync<KeyService, bool>(k => k.RevokeAsync(organisation, application, revoked, default))).ShouldBeTrue();
        var databases = host.Services.GetRequiredService<IDbContextFactory<IdentityDb>>();
        await using (var db = await databases.CreateDbContextAsync())
            await db.SaveWithChangesAsync(
                [
                    new RevokedTokenItem("old", now.AddDays(-1).ToUnixTimeMilliseconds()), new RevokedTokenItem("new", now.AddDays(400).ToUnixTimeMilliseconds()),
                    new RevokedBeforeItem(TokenHolder.Client, "old", 1, now.AddDays(-1).ToUnixTimeMilliseconds()),
                    new RevokedBeforeItem(TokenHolder.Subject, "new", 1, now.AddDays(400).ToUnixTimeMilliseconds()),
                ], default);
        var before = await host.FeedAsync();
        before.Items.OfType<KeyItem>().Count().ShouldBe(4);

        (await TidyAsync(now.AddDays(29))).ShouldBe(0);
        (await TidyAsync(now.AddDays(31))).ShouldBe(1);
        (await TidyAsync(now.AddDays(33))).ShouldBe(1);
        (await TidyAsync(now.AddDays(33))).ShouldBe(0);

        var after = await host.FeedAsync();
        after.Items.OfType<KeyItem>().Select(key => key.Id).ShouldBe([live, forYears], ignoreOrder: true);
        after.Items.OfType<RevokedTokenItem>().ShouldHaveSingleItem().Jti.ShouldBe("new");
        after.Items.OfType<RevokedBeforeItem>().ShouldHaveSingleItem().Name.ShouldBe("new");
        (await host.FeedAsync(before)).Items.OfType<RemovedItem>().Select(removed => removed.Id).ShouldBe([revoked.ToString(), expiring.ToString()], ignoreOrder: true);
        (await host.UseAsync<KeyService, IReadOnlyList<KeyView>>(k => k.ListAsync(organisation, application, default))).Count.ShouldBe(4, "people still see them");

        async Task<ApiKeyId> IssueAsync(DateTimeOffset? expires) => (await host.UseAsync<KeyService, IssueKeyOutcome>(k => k.IssueAsync(organisation, application, new IssueKeyRequest("k", Expires: expires), default)))
            .ShouldBeOfType<IssueKeyOutcome.Issued>().Key.View.Id;

        Task<int> TidyAsync(DateTimeOffset at) => new CredentialTidying(databases, new At(at), NullLogger<CredentialTidying>.Instance).TidyAsync(default);
    }

    [Theory]
    [OnBothDatabases]
    public async Task The_latest_minute_in_which_any_gateway_saw_a_key_is_kept(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com", "Analytical Engines");
        var organisation = (await host.UseAsync<Tollgate.Identity.Organisations.OrganisationService, Tollgate.Storage.Page<Tollgate.Identity.Organisations.OrganisationView>>(
            o => o.ListAsync("Analytical", 1, default))).Items.Single().Id;
        var application = (await host.UseAsync<ApplicationService, CreateApplicationOutcome>(a => a.CreateAsync(organisation, "Weather watch", null, default)))
            .ShouldBeOfType<CreateApplicationOutcome.Created>().Application.Id;
        var sha256 = ApiKeyFormat.Sha256Hex("a key of long ago");
        var key = (await host.UseAsync<KeyService, IssueKeyOutcome>(k => k.ImportAsync(organisation, application, new ImportKeyRequest("old", sha256.ToUpperInvariant(), "ago"), default)))
            .ShouldBeOfType<IssueKeyOutcome.Imported>().Key;
        (key.Imported, key.LastFour, key.LastUsed).ShouldBe((true, "ago", null));
        (await host.UseAsync<KeyService, IssueKeyOutcome>(k => k.ImportAsync(organisation, application, new ImportKeyRequest("again", sha256), default))).ShouldBeOfType<IssueKeyOutcome.KeyTaken>();
        (await host.UseAsync<KeyService, IssueKeyOutcome>(k => k.ImportAsync(organisation, application, new ImportKeyRequest("bad", "xyz", "12345"), default)))
            .ShouldBeOfType<IssueKeyOutcome.Invalid>().Errors.Keys.ShouldBe(["sha256", "lastFour"], ignoreOrder: true);

        var minute = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 60_000 * 60_000);
        using var gateway = host.Gateway();
        (await TellAsync(new KeyUseReport([new(key.Id, minute.AddMinutes(-3).ToUnixTimeMilliseconds()), new(ApiKeyId.New(), minute.ToUnixTimeMilliseconds())]))).ShouldBe(204);
        (await LastUsedAsync()).ShouldBe(minute.AddMinutes(-3));
        (await TellAsync(new KeyUseReport([new(key.Id, minute.ToUnixTimeMilliseconds() + 59_000)]))).ShouldBe(204);
        (await TellAsync(new KeyUseReport([new(key.Id, minute.AddMinutes(-9).ToUnixTimeMilliseconds()), new(key.Id, minute.AddDays(1).ToUnixTimeMilliseconds()), new(key.Id, -5)]))).ShouldBe(204);
        (await LastUsedAsync()).ShouldBe(minute);
        (await PostAsync("{ \"keys\": 1 }")).ShouldBe(400);
        (await PostAsync("null")).ShouldBe(400);
        gateway.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "tgw_other");
        (await PostAsync("{ \"keys\": [] }")).ShouldBe(401);

        async Task<int> TellAsync(KeyUseReport report)
        {
            using var answer = await gateway.PostAsJsonAsync(InternalPaths.KeyUse, report, ContractJson.Default.KeyUseReport);
            return (int)answer.StatusCode;
        }

        async Task<int> PostAsync(string json)
        {
            using var answer = await gateway.PostAsync(InternalPaths.KeyUse, new StringContent(json, null, "application/json"));
            return (int)answer.StatusCode;
        }

        async Task<DateTimeOffset?> LastUsedAsync() => (await host.UseAsync<KeyService, IReadOnlyList<KeyView>>(k => k.ListAsync(organisation, application, default))).Single().LastUsed;
    }

    private sealed class At(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
