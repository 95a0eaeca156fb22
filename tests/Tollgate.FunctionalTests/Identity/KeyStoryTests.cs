using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Applications;
using Tollgate.Identity.Keys;
using Tollgate.Identity.Organisations;

namespace Tollgate.FunctionalTests.Identity;

public sealed class KeyStoryTests
{
    [Theory]
    [OnBothDatabases]
    public async Task A_person_signs_up_and_issues_a_key_that_the_gateways_hear_of(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com", "Analytical Engines");
        person.Cookies["tollgate"].ShouldNotBeNull().HttpOnly.ShouldBeTrue();

        var organisation = await OrganisationAsync(host, "Analytical Engines");
        var application = await CreateAsync(host, organisation, "Weather watch");
        var key = await IssueAsync(host, organisation, application, new IssueKeyRequest("laptop", Scopes: ["read"], Networks: ["10.0.0.0/8"]));
        ApiKeyFormat.IsWellFormed(key.Secret).ShouldBeTrue();

        var snapshot = await host.FeedAsync();
        snapshot.Items.OfType<ApplicationItem>().ShouldHaveSingleItem()
            .ShouldBe(new ApplicationItem(application, organisation, "Weather watch", "Analytical Engines", Suspended: false));
        var item = snapshot.Items.OfType<KeyItem>().ShouldHaveSingleItem();
        item.Sha256.ShouldBe(ApiKeyFormat.Sha256Hex(key.Secret));
        (item.Application, item.Revoked, item.Prefix).ShouldBe((application, false, key.Secret[..12]));
        item.Scopes.ShouldBe(["read"]);
        item.Networks.ShouldBe(["10.0.0.0/8"]);

        (await host.UseAsync<KeyService, bool>(k => k.RevokeAsync(organisation, application, key.View.Id, default))).ShouldBeTrue();
        (await host.FeedAsync(snapshot)).Items.ShouldHaveSingleItem().ShouldBeOfType<KeyItem>().Revoked.ShouldBeTrue();
        (await KeysAsync(host, organisation, application)).ShouldHaveSingleItem().State.ShouldBe(KeyState.Revoked);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Another_organisations_ids_are_simply_not_found(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var ada = await Visitor.SignedUpAsync(host, "ada@example.com", "Ada");
        using var eve = await Visitor.SignedUpAsync(host, "eve@example.com", "Eve");
        var (adas, eves) = (await OrganisationAsync(host, "Ada"), await OrganisationAsync(host, "Eve"));
        var application = await CreateAsync(host, adas, "Hers");
        var key = await IssueAsync(host, adas, application, new IssueKeyRequest("hers"));
        var before = await host.FeedAsync();

        (await host.UseAsync<ApplicationService, ApplicationView?>(a => a.GetAsync(eves, application, default))).ShouldBeNull();
        (await host.UseAsync<ApplicationService, IReadOnlyList<ApplicationView>>(a => a.ListAsync(eves, default))).ShouldBeEmpty();
        (await host.UseAsync<ApplicationService, UpdateApplicationOutcome>(a => a.UpdateAsync(eves, application, "Mine", null, default)))
            .ShouldBeOfType<UpdateApplicationOutcome.NotFound>();
        (await host.UseAsync<ApplicationService, bool>(a => a.DeleteAsync(eves, application, default))).ShouldBeFalse();
        (await KeysAsync(host, eves, application)).ShouldBeEmpty();
        (await host.UseAsync<KeyService, IssueKeyOutcome>(k => k.IssueAsync(eves, application, new IssueKeyRequest("mine"), default)))
            .ShouldBeOfType<IssueKeyOutcome.ApplicationNotFound>();
        (await host.UseAsync<KeyService, IssueKeyOutcome>(k => k.RotateAsync(eves, application, key.View.Id, TimeSpan.Zero, default)))
            .ShouldBeOfType<IssueKeyOutcome.ApplicationNotFound>();
        (await host.UseAsync<KeyService, bool>(k => k.RevokeAsync(eves, application, key.View.Id, default))).ShouldBeFalse();
        (await host.FeedAsync(before)).Items.ShouldBeEmpty();
    }

    [Theory]
    [OnBothDatabases]
    public async Task However_many_ask_at_once_an_application_holds_no_more_keys_than_it_may(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        var organisation = host.FirstAdmin!.Organisation;
        var application = await CreateAsync(host, organisation, "Greedy");

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(() =>
            host.UseAsync<KeyService, IssueKeyOutcome>(k => k.IssueAsync(organisation, application, new IssueKeyRequest($"key {i}"), default)))));

        outcomes.OfType<IssueKeyOutcome.Issued>().Count().ShouldBe(KeyService.MaxLiveKeys);
        outcomes.OfType<IssueKeyOutcome.TooManyKeys>().Count().ShouldBe(10);
        (await host.FeedAsync()).Items.OfType<KeyItem>().Count().ShouldBe(KeyService.MaxLiveKeys);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_rotated_key_lives_on_for_the_overlap_beside_its_successor(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        var organisation = host.FirstAdmin!.Organisation;
        var application = await CreateAsync(host, organisation, "Careful");
        var old = await IssueAsync(host, organisation, application, new IssueKeyRequest("server", Test: true, Scopes: ["read", "write"]));

        var outcome = await host.UseAsync<KeyService, IssueKeyOutcome>(k => k.RotateAsync(organisation, application, old.View.Id, TimeSpan.FromHours(1), default));

        var next = outcome.ShouldBeOfType<IssueKeyOutcome.Issued>().Key;
        next.Secret.ShouldStartWith("tg_test_");
        next.View.Scopes.ShouldBe(["read", "write"]);
        var keys = (await host.FeedAsync()).Items.OfType<KeyItem>().ToDictionary(k => k.Id);
        keys[next.View.Id].ExpiresUnixMs.ShouldBeNull();
        DateTimeOffset.FromUnixTimeMilliseconds(keys[old.View.Id].ExpiresUnixMs.ShouldNotBeNull()).ShouldBe(next.View.Created.AddHours(1), TimeSpan.FromMilliseconds(1));

        (await host.UseAsync<KeyService, IssueKeyOutcome>(k => k.RotateAsync(organisation, application, old.View.Id, TimeSpan.FromDays(31), default)))
            .ShouldBeOfType<IssueKeyOutcome.Invalid>();
    }

    [Theory]
    [OnBothDatabases]
    public async Task Suspending_an_organisation_and_deleting_an_application_reach_the_feed(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        var organisation = host.FirstAdmin!.Organisation;
        var kept = await CreateAsync(host, organisation, "Kept");
        var gone = await CreateAsync(host, organisation, "Gone");
        var key = await IssueAsync(host, organisation, gone, new IssueKeyRequest("key"));
        var position = await host.FeedAsync();

        (await host.UseAsync<OrganisationService, bool>(o => o.SuspendAsync(organisation, true, default))).ShouldBeTrue();
        position = await host.FeedAsync(position);
        position.Items.Cast<ApplicationItem>().ShouldAllBe(a => a.Suspended);
        position.Items.Count.ShouldBe(2);

        (await host.UseAsync<OrganisationService, bool>(o => o.SuspendAsync(organisation, false, default))).ShouldBeTrue();
        position = await host.FeedAsync(position);
        position.Items.Cast<ApplicationItem>().ShouldAllBe(a => !a.Suspended);

        (await host.UseAsync<ApplicationService, bool>(a => a.DeleteAsync(organisation, gone, default))).ShouldBeTrue();
        (await host.FeedAsync(position)).Items.Cast<RemovedItem>().ShouldBe(
            [new RemovedItem("application", gone.ToString()), new RemovedItem("key", key.View.Id.ToString())], ignoreOrder: true);
        (await host.FeedAsync()).Items.ShouldHaveSingleItem().Key.ShouldBe(kept.ToString());

        var named = await host.UseAsync<ApplicationService, IReadOnlyDictionary<AppId, ApplicationView>>(a => a.FindAsync([gone, kept, AppId.New()], default));
        named.Count.ShouldBe(2);
        named[gone].Deleted.ShouldBeTrue();
        (await CreateAsync(host, organisation, "Gone")).ShouldNotBe(gone);   // the name is free again
    }

    [Theory]
    [OnBothDatabases]
    public async Task Who_finds_a_key_in_public_ends_it_and_its_owners_are_told(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var ada = await Visitor.SignedUpAsync(host, "ada@example.com", "Analytical Engines");
        var organisation = (await host.UseAsync<OrganisationService, Tollgate.Storage.Page<OrganisationView>>(o => o.ListAsync("Analytical", 1, default))).Items.Single().Id;
        var key = await IssueAsync(host, organisation, await CreateAsync(host, organisation, "Engine"), new IssueKeyRequest("published"));
        var position = await host.FeedAsync();
        using var anybody = new HttpClient { BaseAddress = host.Url };

        using var answer = await anybody.PostAsJsonAsync("/leaked-secrets", new[] { new { token = key.Secret, type = "tollgate" }, new { token = key.Secret + "0", type = "tollgate" } });
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).EnumerateArray().Select(one => one.GetProperty("label").GetString()).ShouldBe(["true_positive", "false_positive"]);

        (await host.FeedAsync(position)).Items.ShouldHaveSingleItem().ShouldBeOfType<KeyItem>().Revoked.ShouldBeTrue();
        (await host.MailAsync("ada@example.com", "A secret was found in public, and is revoked")).ShouldNotContain(key.Secret);
        foreach (var wrong in new object[] { Array.Empty<object>(), new[] { new { token = "" } }, new { token = key.Secret }, Enumerable.Repeat(new { token = "x" }, 101) })
            (await anybody.PostAsJsonAsync("/leaked-secrets", wrong)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Wrong_wishes_are_told_field_by_field(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        var organisation = host.FirstAdmin!.Organisation;
        var application = await CreateAsync(host, organisation, "Taken");

        (await host.UseAsync<ApplicationService, CreateApplicationOutcome>(a => a.CreateAsync(organisation, " Taken ", null, default)))
            .ShouldBeOfType<CreateApplicationOutcome.Invalid>().Errors.Keys.ShouldBe(["name"]);
        (await host.UseAsync<ApplicationService, CreateApplicationOutcome>(a => a.CreateAsync(OrganisationId.New(), "New", null, default)))
            .ShouldBeOfType<CreateApplicationOutcome.OrganisationNotFound>();
        (await host.UseAsync<KeyService, IssueKeyOutcome>(k => k.IssueAsync(organisation, application,
                new IssueKeyRequest("", Expires: DateTimeOffset.UnixEpoch, Scopes: ["two words"], Networks: ["10.0.0.1/8"]), default)))
            .ShouldBeOfType<IssueKeyOutcome.Invalid>().Errors.Keys.ShouldBe(["name", "expires", "scopes", "networks"], ignoreOrder: true);
    }

    [Theory]
    [OnBothDatabases]
    public async Task No_secret_is_in_the_database_or_in_a_log(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com", "Ada");
        var link = Visitor.LinkIn(await host.MailAsync("ada@example.com", "Confirm your address"));
        using (var guesser = new Visitor(host.Url)) await guesser.SignInAsync("ada@example.com", "not the password at all");
        var organisation = await OrganisationAsync(host, "Ada");
        var application = await CreateAsync(host, organisation, "App");
        var key = await IssueAsync(host, organisation, application, new IssueKeyRequest("key"));

        var code = link[(link.IndexOf("code=", StringComparison.Ordinal) + 5)..];
        string[] secrets = [key.Secret, Visitor.Password, "not the password at all", host.FirstAdmin!.Password!, code, person.Cookies["tollgate"]!.Value];
        var (stored, logged) = (await DumpAsync(host), host.Logs.All);
        stored.ShouldContain(ApiKeyFormat.Sha256Hex(key.Secret));   // the dump does see what is there
        foreach (var secret in secrets)
        {
            secret.Length.ShouldBeGreaterThan(10);
            stored.Contains(secret, StringComparison.Ordinal).ShouldBeFalse();
            logged.Contains(secret, StringComparison.Ordinal).ShouldBeFalse();
        }

        key.ToString().ShouldNotContain(key.Secret);
        host.FirstAdmin.ToString().ShouldNotContain(host.FirstAdmin.Password!);
    }

    private static async Task<OrganisationId> OrganisationAsync(IdentityHost host, string name) =>
        (await host.UseAsync<OrganisationService, Tollgate.Storage.Page<OrganisationView>>(o => o.ListAsync(name, 1, default))).Items.ShouldHaveSingleItem().Id;

    private static async Task<AppId> CreateAsync(IdentityHost host, OrganisationId organisation, string name) =>
        (await host.UseAsync<ApplicationService, CreateApplicationOutcome>(a => a.CreateAsync(organisation, name, null, default)))
        .ShouldBeOfType<CreateApplicationOutcome.Created>().Application.Id;

    private static async Task<IssuedKey> IssueAsync(IdentityHost host, OrganisationId organisation, AppId application, IssueKeyRequest request) =>
        (await host.UseAsync<KeyService, IssueKeyOutcome>(k => k.IssueAsync(organisation, application, request, default)))
        .ShouldBeOfType<IssueKeyOutcome.Issued>().Key;

    private static Task<IReadOnlyList<KeyView>> KeysAsync(IdentityHost host, OrganisationId organisation, AppId application) =>
        host.UseAsync<KeyService, IReadOnlyList<KeyView>>(k => k.ListAsync(organisation, application, default));

    /// <summary>Every row of every table, or the bytes of the files.</summary>
    private static async Task<string> DumpAsync(IdentityHost host)
    {
        var dump = new StringBuilder();
        if (host.Postgres is null)
        {
            foreach (var file in Directory.GetFiles(host.Folder, "identity.db*"))
            {
                await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                using var reader = new StreamReader(stream, Encoding.Latin1);
                dump.Append(await reader.ReadToEndAsync());
            }

            return dump.ToString();
        }

        await using var source = NpgsqlDataSource.Create(host.Postgres);
        var tables = new List<string>();
        await using (var list = source.CreateCommand("SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables WHERE table_schema = 'identity'"))
        await using (var reader = await list.ExecuteReaderAsync())
            while (await reader.ReadAsync()) tables.Add(reader.GetString(0));
        foreach (var table in tables)
        {
            await using var rows = source.CreateCommand($"SELECT t::text FROM {table} t");
            await using var reader = await rows.ExecuteReaderAsync();
            while (await reader.ReadAsync()) dump.AppendLine(reader.GetString(0));
        }

        return dump.ToString();
    }
}
