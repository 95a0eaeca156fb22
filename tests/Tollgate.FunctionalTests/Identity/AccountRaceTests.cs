using System.Net;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Storage;

namespace Tollgate.FunctionalTests.Identity;

/// <summary>The same wish, several times at the same moment: one is granted, and the others are told why not.</summary>
public sealed class AccountRaceTests
{
    private const string Mail = "ada@example.com";
    private const int AtOnce = 6;

    [Theory]
    [OnBothDatabases]
    public async Task A_confirmation_counts_once_however_often_its_form_is_sent(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = new Visitor(host.Url);
        await person.SignUpAsync(Mail, Visitor.Password, "Acme");
        var link = Visitor.LinkIn(await host.MailAsync(Mail, "Confirm your address"));
        var answers = await AllAtOnceAsync(host, visitor => visitor.ConfirmAsync(link, Visitor.Password));
        answers.Count(a => a == HttpStatusCode.SeeOther).ShouldBe(1, string.Join(' ', answers));
        answers.ShouldAllBe(a => a == HttpStatusCode.SeeOther || a == HttpStatusCode.Gone);
        (await person.SignInAsync(Mail)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_link_for_another_password_counts_once_however_often_its_form_is_sent(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var owner = await Visitor.SignedUpAsync(host, Mail);
        await owner.SubmitAsync("/account/forgot", ("email", Mail));
        var link = new Uri(Visitor.LinkIn(await host.MailAsync(Mail, "Choose a new password"))).PathAndQuery;
        var answers = await AllAtOnceAsync(host, (visitor, i) => visitor.SubmitAsync(link, ("password", $"password of thief or owner {i}")));
        answers.Count(a => a == HttpStatusCode.SeeOther).ShouldBe(1, string.Join(' ', answers));
        answers.ShouldAllBe(a => a == HttpStatusCode.SeeOther || a == HttpStatusCode.Gone);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Of_many_new_passwords_at_once_one_is_saved_and_its_session_lives(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var owner = await Visitor.SignedUpAsync(host, Mail);
        var pages = new List<(Visitor Visitor, string Page)>();
        for (var i = 0; i < AtOnce; i++)
        {
            var visitor = new Visitor(host.Url);
            await visitor.SignInAsync(Mail);
            pages.Add((visitor, await visitor.GetStringAsync("/account/password")));
        }

        var answers = await Task.WhenAll(pages.Select((p, i) => p.Visitor.SubmitHtmlAsync(p.Page, ("current", Visitor.Password), ("password", $"quite another password {i}"))));
        var saved = Enumerable.Range(0, AtOnce).Where(i => answers[i].Headers.Location?.OriginalString == "/account?notice=password").ToList();
        saved.Count.ShouldBe(1, string.Join(' ', answers.Select(a => (int)a.StatusCode)));
        answers.ShouldAllBe(a => (int)a.StatusCode < 500);
        (await pages[saved[0]].Visitor.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var later = new Visitor(host.Url);
        (await later.SignInAsync(Mail, $"quite another password {saved[0]}")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        foreach (var (visitor, _) in pages) visitor.Dispose();
    }

    [Theory]
    [OnBothDatabases]
    public async Task Of_two_platform_admins_who_leave_at_once_one_stays(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape, settings: ("Identity:AdminPassword", Visitor.Password));
        using var second = await Visitor.SignedUpAsync(host, Mail, "Second");
        await host.UseAsync<StaffService, StaffOutcome>(staff => staff.SetAsync(Mail, PlatformRole.Admin, default));
        using var first = new Visitor(host.Url);
        await first.SignInAsync("admin@tollgate.local");
        var pages = new[] { (first, "admin@tollgate.local", await first.GetStringAsync("/account/delete")), (second, Mail, await second.GetStringAsync("/account/delete")) };
        var answers = await Task.WhenAll(pages.Select(p => p.Item1.SubmitHtmlAsync(p.Item3, ("email", p.Item2))));
        answers.Select(a => a.StatusCode).ShouldBe([HttpStatusCode.OK, HttpStatusCode.Conflict], ignoreOrder: true);
        (await host.UseAsync<IdentityDb, int>(db => db.Accounts.CountAsync(a => a.PlatformRole == PlatformRole.Admin))).ShouldBe(1);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Of_admins_who_take_each_other_out_at_once_one_stays(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape, settings: ("Identity:AdminPassword", Visitor.Password));
        var mails = Enumerable.Range(0, 3).Select(i => $"admin{i}@example.com").ToList();
        foreach (var mail in mails)
        {
            using var one = await Visitor.SignedUpAsync(host, mail, "One of many");
            await host.UseAsync<StaffService, StaffOutcome>(staff => staff.SetAsync(mail, PlatformRole.Admin, default));
        }

        var admins = await host.UseAsync<IdentityDb, List<Guid>>(db => db.Accounts.Where(a => a.PlatformRole == PlatformRole.Admin).Select(a => a.Id).ToListAsync());
        var outcomes = await Task.WhenAll(admins.Select(id => Task.Run(() => host.UseAsync<StaffService, StaffOutcome>(staff => staff.RemoveAsync(id, default)))));
        outcomes.Count(o => o == StaffOutcome.LastAdmin).ShouldBe(1, string.Join(' ', outcomes));
        (await host.UseAsync<IdentityDb, int>(db => db.Accounts.CountAsync(a => a.PlatformRole == PlatformRole.Admin))).ShouldBe(1);
    }

    private static Task<IReadOnlyList<HttpStatusCode>> AllAtOnceAsync(IdentityHost host, Func<Visitor, Task<HttpResponseMessage>> wish) => AllAtOnceAsync(host, (visitor, _) => wish(visitor));

    private static async Task<IReadOnlyList<HttpStatusCode>> AllAtOnceAsync(IdentityHost host, Func<Visitor, int, Task<HttpResponseMessage>> wish)
    {
        var visitors = Enumerable.Range(0, AtOnce).Select(_ => new Visitor(host.Url)).ToList();
        foreach (var visitor in visitors) await visitor.GetAsync("/account/sign-in");   // each has its cookie of the forms
        var answers = await Task.WhenAll(visitors.Select(async (visitor, i) =>
        {
            try
            {
                return (await wish(visitor, i)).StatusCode;
            }
            catch (HttpRequestException gone) when (gone.StatusCode is { } status)
            {
                return status;   // the page of the form was gone already
            }
        }));
        foreach (var visitor in visitors) visitor.Dispose();
        return answers;
    }
}
