using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Storage;

namespace Tollgate.FunctionalTests.Identity;

/// <summary>What people do with their own account.</summary>
public sealed partial class SettingsTests
{
    [Theory]
    [OnBothDatabases]
    public async Task A_session_that_is_ended_elsewhere_is_over_at_once(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var here = await Visitor.SignedUpAsync(host, "ada@example.com");
        using var there = new Visitor(host.Url);
        await there.SignInAsync("ada@example.com");
        var html = await here.GetStringAsync("/account/sessions");
        SessionPattern().Count(html).ShouldBe(2);
        html.ShouldContain("this one");

        (await here.SubmitToAsync("/account/sessions", "/account/sessions/end-others")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await there.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await here.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.OK);

        await there.SignInAsync("ada@example.com");
        (await here.SubmitToAsync("/account/sessions", "/account/sessions/end-all")).Headers.Location!.OriginalString.ShouldContain("signed-out");
        foreach (var visitor in new[] { here, there }) (await visitor.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.Redirect);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Nobody_ends_the_sessions_of_others(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var ada = await Visitor.SignedUpAsync(host, "ada@example.com");
        using var eve = await Visitor.SignedUpAsync(host, "eve@example.com");
        var session = SessionPattern().Match(await ada.GetStringAsync("/account/sessions")).Groups[1].Value;
        (await eve.SubmitToAsync("/account/sessions", "/account/sessions/end", ("session", session))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await ada.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Another_password_ends_every_other_session(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var here = await Visitor.SignedUpAsync(host, "ada@example.com");
        using var there = new Visitor(host.Url);
        await there.SignInAsync("ada@example.com");

        (await here.SubmitAsync("/account/password", ("current", "wrong wrong wrong"), ("password", "quite another password"))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await here.SubmitAsync("/account/password", ("current", Visitor.Password), ("password", "short"))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await here.SubmitAsync("/account/password", ("current", Visitor.Password), ("password", "quite another password"))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        (await there.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await here.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await there.SignInAsync("ada@example.com")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        await host.MailAsync("ada@example.com", "Your password was changed");
        (await host.FeedAsync()).Items.OfType<Tollgate.Contracts.Feeds.RevokedBeforeItem>().ShouldHaveSingleItem().Of.ShouldBe(Tollgate.Contracts.Feeds.TokenHolder.Subject, "gateways hear of it");
    }

    [Theory]
    [OnBothDatabases]
    public async Task The_export_holds_everything_and_no_secret(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var ada = await Visitor.SignedUpAsync(host, "ada@example.com");
        var app = await Authenticator.TurnOnAsync(ada);
        var answer = await ada.GetAsync("/account/export");
        answer.Content.Headers.ContentDisposition!.FileName.ShouldBe("tollgate-account.json");
        var text = await answer.Content.ReadAsStringAsync();
        var all = JsonDocument.Parse(text).RootElement;
        all.GetProperty("account").GetProperty("email").GetString().ShouldBe("ada@example.com");
        all.GetProperty("organisations").GetArrayLength().ShouldBe(1);
        all.GetProperty("sessions").GetArrayLength().ShouldBe(1);
        all.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("action").GetString()).ShouldContain("second-factor.on");
        foreach (var secret in app.RecoveryCodes.Append("passwordHash").Append("sha256").Append("totp")) text.ShouldNotContain(secret, Case.Insensitive);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_deleted_account_is_gone_and_its_address_free_again(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var ada = await Visitor.SignedUpAsync(host, "ada@example.com");
        (await ada.SubmitAsync("/account/delete", ("email", "eve@example.com"))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await ada.SubmitAsync("/account/delete", ("email", "ada@example.com"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await ada.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await ada.SignInAsync("ada@example.com")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        await host.MailAsync("ada@example.com", "Your account is deleted");
        (await host.FeedAsync()).Items.OfType<Tollgate.Contracts.Feeds.RevokedBeforeItem>().ShouldHaveSingleItem().Of.ShouldBe(Tollgate.Contracts.Feeds.TokenHolder.Subject, "gateways hear of it");
        foreach (var letter in Directory.GetFiles(Path.Combine(host.Folder, "mail"))) File.Delete(letter);   // the link of the first sign-up is not to be taken for the next
        using var again = await Visitor.SignedUpAsync(host, "ada@example.com");
        (await again.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [OnBothDatabases]
    public async Task The_only_platform_admin_stays(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape, settings: ("Identity:AdminPassword", Visitor.Password));
        using var admin = new Visitor(host.Url);
        await admin.SignInAsync("admin@tollgate.local");
        (await admin.SubmitAsync("/account/delete", ("email", "admin@tollgate.local"))).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_token_is_made_on_a_page_without_script_and_shown_once(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var ada = await Visitor.SignedUpAsync(host, "ada@example.com");
        var made = await ada.SubmitToAsync("/account/tokens", "/account/tokens", ("name", "laptop"), ("scopes", "read"), ("scopes", "applications"), ("days", "30"));
        var secret = SecretPattern().Match(await made.Content.ReadAsStringAsync()).Value;
        secret.Length.ShouldBe(55);
        var page = await ada.GetStringAsync("/account/tokens");
        page.ShouldNotContain(secret);
        page.ShouldContain(secret[..15]);
        (await ada.SubmitToAsync("/account/tokens", "/account/tokens/revoke")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await ada.GetStringAsync("/account/tokens")).ShouldContain(">revoked<");
        await host.UseAsync<IdentityDb, bool>(async db =>
        {
            (await db.AuditEvents.Select(e => e.Action).ToListAsync()).ShouldContain("token.made");
            return true;
        });
    }

    [Theory]
    [OnBothDatabases]
    public async Task The_platforms_own_clients_may_ask_what_a_token_of_the_management_API_is_worth(Shape shape)
    {
        using var files = new Testing.TempFolder();
        var bootstrap = files.Write("bootstrap.json", """
            {"scopes":[{"name":"maps","audience":"https://maps.example"}],
             "clients":[{"clientId":"gate","secret":"gate secret","grants":[],"introspect":true},{"clientId":"maps","secret":"maps secret","grants":[],"scopes":["maps"],"introspect":true}]}
            """);
        await using var host = await IdentityHost.StartAsync(shape, settings: [("Identity:Bootstrap", bootstrap)]);
        using var ada = await Visitor.SignedUpAsync(host, "ada@example.com");
        var made = await ada.SubmitToAsync("/account/tokens", "/account/tokens", ("name", "laptop"), ("scopes", "read"), ("days", "30"));
        var secret = SecretPattern().Match(await made.Content.ReadAsStringAsync()).Value;

        var told = await AskAsync("gate");
        told.GetProperty("active").GetBoolean().ShouldBeTrue();
        told.GetProperty("scope").GetString().ShouldBe("read");
        Guid.TryParse(told.GetProperty("sub").GetString(), out _).ShouldBeTrue();
        Guid.TryParse(told.GetProperty("org").GetString(), out _).ShouldBeTrue();
        (await AskAsync("maps")).GetRawText().ShouldBe("{\"active\":false}");
        await ada.SubmitToAsync("/account/tokens", "/account/tokens/revoke");
        (await AskAsync("gate")).GetRawText().ShouldBe("{\"active\":false}");

        async Task<JsonElement> AskAsync(string client)
        {
            using var http = new HttpClient { BaseAddress = host.Url };
            var answer = await http.PostAsync("/connect/introspect", new FormUrlEncodedContent(
                new Dictionary<string, string> { ["client_id"] = client, ["client_secret"] = client + " secret", ["token"] = secret }));
            return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.Clone();
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_happened_cannot_be_changed_even_with_the_database_in_hand(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        await host.UseAsync<IdentityDb, bool>(async db =>
        {
            await Should.ThrowAsync<System.Data.Common.DbException>(() => db.AuditEvents.ExecuteUpdateAsync(e => e.SetProperty(x => x.Action, "nothing")));
            await Should.ThrowAsync<System.Data.Common.DbException>(() => db.AuditEvents.ExecuteDeleteAsync());
            return true;
        });
    }

    [Theory]
    [OnBothDatabases]
    public async Task Mails_that_wait_survive_a_stop_and_lie_sealed(Shape shape)
    {
        await using var folder = await IdentityHost.StartAsync(shape, settings: [("Mail:Smtp:Host", "127.0.0.1"), ("Mail:Smtp:Port", Testing.FreePort.Next().ToString()), ("Mail:Smtp:Tls", "false")]);
        using var ada = new Visitor(folder.Url);
        await ada.SignUpAsync("ada@example.com", Visitor.Password, "Acme");
        await folder.UseAsync<IdentityDb, bool>(async db =>
        {
            var waiting = await db.OutgoingMails.AsNoTracking().SingleAsync();
            foreach (var text in new[] { waiting.Sealed, Encoding.UTF8.GetString(WebEncoders.Base64UrlDecode(waiting.Sealed)) }) text.ShouldNotContain("ada@example.com");
            return true;
        });

        // The next process, with a mail server that works (a folder), delivers it once it is due.
        await folder.StopAsync();
        await folder.UseAsync<IdentityDb, int>(db => db.OutgoingMails.ExecuteUpdateAsync(mail => mail.SetProperty(m => m.Due, DateTimeOffset.UtcNow)));
        await using var other = await IdentityHost.StartAsync(shape, beside: folder);
        (await other.MailAsync("ada@example.com", "Confirm your address")).ShouldContain("/account/confirm");
    }

    [GeneratedRegex("name=\"session\" value=\"([^\"]+)\"")]
    private static partial Regex SessionPattern();

    [GeneratedRegex("tg_pat_[0-9A-Za-z_]{48}")]
    private static partial Regex SecretPattern();
}
