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

    /// <summary>Every column that could name a person: in which part of the export it is, or why in none.</summary>
    private static readonly Dictionary<string, string> Considered = new()
    {
        ["Account.Id"] = "account", ["Account.Email"] = "account", ["Account.UserName"] = "the address again", ["Account.NormalizedEmail"] = "the address again",
        ["Account.NormalizedUserName"] = "the address again", ["Account.PhoneNumber"] = "never written",
        ["AuditEvent.Id"] = "names the event", ["AuditEvent.Actor"] = "events", ["AuditEvent.Target"] = "events", ["AuditEvent.Address"] = "events", ["AuditEvent.Agent"] = "events",
        ["AuthorizationCode.Family"] = "belongs to a grant, for a minute", ["Consent.Account"] = "consents",
        ["DeviceRequest.UserCodeSha256"] = "a digest", ["IdentityPasskeyData.Name"] = "passkeys", ["DeviceRequest.Family"] = "belongs to a grant, for minutes", ["DeviceRequest.Address"] = "of a device that nobody has let in yet; then it is the session's",
        ["FamilyAccessToken.Family"] = "belongs to a grant: digests and times", ["GatewayAnswer.Question"] = "names a question",
        ["IdentityUserClaim<Guid>.UserId"] = "never written", ["IdentityUserLogin<Guid>.UserId"] = "connections", ["IdentityUserPasskey<Guid>.UserId"] = "passkeys",
        ["IdentityUserToken<Guid>.UserId"] = "secrets of the second factor",
        ["Invitation.Id"] = "names the invitation", ["Invitation.Email"] = "invitations", ["Invitation.InvitedBy"] = "invitationsSent",
        ["LogoutNotice.Id"] = "names the notice", ["LogoutNotice.Account"] = "until it is told, a day at most: the ended session is in the export", ["LogoutNotice.Session"] = "the same",
        ["ManagementToken.Id"] = "accessTokens", ["ManagementToken.Account"] = "accessTokens", ["ManagementToken.CreatedBy"] = "serviceTokensMade",
        ["Membership.Account"] = "organisations", ["OAuthClientSecret.Id"] = "names the secret", ["OutgoingMail.Id"] = "names a letter, which is sealed and gone when it is out",
        ["RecoveryCode.Account"] = "secrets of the second factor",
        ["RefreshToken.Family"] = "belongs to a grant: digests and times", ["RememberedDevice.Account"] = "rememberedDevices",
        ["RememberedDevice.Agent"] = "rememberedDevices", ["Session.Id"] = "sessions", ["Session.Account"] = "sessions", ["Session.Address"] = "sessions", ["Session.Agent"] = "sessions",
        ["TokenFamily.Id"] = "names the grant", ["TokenFamily.Account"] = "grants", ["TokenFamily.Session"] = "grants",
    };

    [Theory]
    [OnBothDatabases]
    public async Task Whatever_could_name_a_person_is_in_the_export_or_has_a_reason(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        string[] telling = ["email", "name", "phone", "address", "agent", "actor", "account", "user", "person", "createdby", "invitedby", "target"];
        var columns = await host.UseAsync<Tollgate.Identity.Storage.IdentityDb, List<string>>(db => Task.FromResult(db.Model.GetEntityTypes()
            .SelectMany(e => e.GetProperties().Where(p => (Nullable.GetUnderlyingType(p.ClrType) ?? p.ClrType) == typeof(Guid)
                    || (p.ClrType == typeof(string) && e.ClrType != typeof(Tollgate.Identity.OAuth.Clients.OAuthClient) && telling.Any(word => p.Name.Contains(word, StringComparison.OrdinalIgnoreCase))))
                .Select(p => $"{e.DisplayName()}.{p.Name}")).ToList()));
        string[] notOfPeople = ["Organisation.Name", "Application.Name", "ApiKey.Name", "OAuthScope.Name", "ManagementToken.Name", "IdentityUserToken<Guid>.Name", "StoredKey.FriendlyName",
            "IdentityUserLogin<Guid>.ProviderDisplayName"];
        columns.Except(notOfPeople).Except(Considered.Keys).ShouldBeEmpty("new columns: put what they hold of a person into AccountService.ExportAsync, and say so here");
        Considered.Keys.Except(columns).ShouldBeEmpty("gone");

        using var ada = await Visitor.SignedUpAsync(host, "ada@example.com");
        var parts = JsonDocument.Parse(await ada.GetStringAsync("/account/export")).RootElement.EnumerateObject().Select(p => p.Name).ToArray();
        Considered.Values.Where(v => !v.Contains(' ') && v.Length > 0).Distinct().ShouldBe(parts.Except(["exportedAt"]), ignoreOrder: true);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Each_part_of_the_export_holds_what_is_the_persons_and_nothing_of_another(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var ada = await Visitor.SignedUpAsync(host, "ada@example.com");
        using var mallory = await Visitor.SignedUpAsync(host, "mallory@example.com", "Evil");
        await host.UseAsync<Tollgate.Identity.Storage.IdentityDb, int>(async db =>
        {
            var now = DateTimeOffset.UtcNow;
            db.Add(new Tollgate.Identity.OAuth.Clients.OAuthClient { ClientId = "web", Name = "Web", Created = now });
            foreach (var name in new[] { "ada", "mallory" })
            {
                var account = await db.Accounts.SingleAsync(a => a.Email == name + "@example.com");
                var organisation = await db.Memberships.Where(m => m.Account == account.Id).Select(m => m.Organisation).SingleAsync();
                var session = await db.Sessions.FirstAsync(s => s.Account == account.Id);
                string Digest(char c) => name.PadRight(64, c);
                db.Add(new Tollgate.Identity.OAuth.Families.Consent { Account = account.Id, ClientId = "web", Scopes = [name + "-consent"], Given = now });
                db.Add(new Tollgate.Identity.OAuth.Families.TokenFamily
                {
                    Id = Guid.NewGuid(), ClientId = "web", Account = account.Id, Session = session.Id, Stamp = "", Scopes = [name + "-grant"], SignedIn = now, Created = now,
                });
                db.Add(new Tollgate.Identity.SecondFactor.RememberedDevice { Account = account.Id, Sha256 = Digest('d'), Stamp = "", Created = now, Expires = now.AddDays(1), Agent = name + "-device" });
                db.Add(new Microsoft.AspNetCore.Identity.IdentityUserLogin<Guid> { UserId = account.Id, LoginProvider = "work", ProviderKey = name + "-connection", ProviderDisplayName = "Work" });
                foreach (var (email, by, mark) in new[] { ($"{name}@example.com", Guid.NewGuid(), 'i'), ($"{name}-guest@example.com", account.Id, 's') })
                    db.Add(new Tollgate.Identity.Organisations.Invitation
                    {
                        Id = Guid.NewGuid(), Organisation = organisation, Email = email, Role = Tollgate.Identity.Organisations.OrganisationRole.Viewer, Sha256 = Digest(mark), InvitedBy = by, Created = now, Expires = now,
                    });
                foreach (var (own, mark) in new[] { (true, 'p'), (false, 'q') })
                    db.Add(new Tollgate.Identity.ManagementTokens.ManagementToken
                    {
                        Id = Guid.NewGuid(), Prefix = name + mark, Sha256 = Digest(mark), Name = $"{name}-{(own ? "own" : "service")}-token", Organisation = organisation, Account = own ? account.Id : null, Scopes = [],
                        CreatedBy = account.Id, Created = now, Expires = now,
                    });
            }

            return await db.SaveChangesAsync();
        });

        var text = await ada.GetStringAsync("/account/export");
        var all = JsonDocument.Parse(text).RootElement;
        text.ShouldNotContain("mallory");
        text.ShouldNotContain("Evil");
        foreach (var (part, mark) in new[]
        {
            ("consents", "ada-consent"), ("grants", "ada-grant"), ("rememberedDevices", "ada-device"), ("connections", "ada-connection"), ("invitations", "viewer"),
            ("invitationsSent", "ada-guest@example.com"), ("accessTokens", "ada-own-token"), ("serviceTokensMade", "ada-service-token"), ("organisations", "Acme"), ("sessions", "address"), ("events", "account.registered"),
        })
        {
            all.GetProperty(part).GetArrayLength().ShouldBeGreaterThan(0, part);
            all.GetProperty(part).GetRawText().ShouldContain(mark);
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_a_stranger_at_an_open_screen_must_not_do_asks_who_it_is_after_half_an_hour(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var ada = await Visitor.SignedUpAsync(host, "ada@example.com");
        var forms = await ada.GetStringAsync("/account/password");
        var token = System.Text.RegularExpressions.Regex.Match(forms, "name=\"__RequestVerificationToken\" value=\"([^\"]+)\"").Groups[1].Value;
        string[] posts = ["authenticator", "authenticator/off", "recovery-codes", "passkeys", "passkeys/rename", "passkeys/remove", "tokens", "connections", "connections/remove", "delete"];
        (await ada.GetAsync("/account/export")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await host.UseAsync<Tollgate.Identity.Storage.IdentityDb, int>(db =>
        {
            var past = DateTimeOffset.UtcNow.AddMinutes(-31);
            return db.Sessions.ExecuteUpdateAsync(s => s.SetProperty(x => x.Opened, past));
        });

        (await ada.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.OK);   // the rest goes on
        ShouldAsk(await ada.GetAsync("/account/export"), "/account/export");
        foreach (var post in posts)
            ShouldAsk(await ada.PostBlindlyAsync("/account/" + post, new FormUrlEncodedContent([KeyValuePair.Create("__RequestVerificationToken", token), KeyValuePair.Create("email", "ada@example.com")])), "/account");

        // Who proves it goes on; so does who knows the password, which changing it asks for anyway.
        var back = await ada.SubmitAsync("/account/sign-in?again=true&fresh=0&returnUrl=%2Faccount%2Fexport", ("email", "ada@example.com"), ("password", Visitor.Password));
        back.Headers.Location!.OriginalString.ShouldBe("/account/export");
        (await ada.GetAsync("/account/export")).StatusCode.ShouldBe(HttpStatusCode.OK);

        static void ShouldAsk(HttpResponseMessage answer, string back)
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
            answer.Headers.Location!.OriginalString.ShouldBe($"/account/sign-in?again=true&fresh=0&notice=again&returnUrl={Uri.EscapeDataString(back)}");
        }
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
