using System.Net;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Storage;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity;

public sealed class PasskeyTests
{
    private const string Email = "ada@example.com";

    [Theory]
    [OnBothDatabases]
    public async Task A_passkey_is_added_signs_in_gets_a_name_and_is_removed(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, Email);
        using var device = new PasskeyDevice();
        await AddAsync(person, device, "Work laptop");
        await host.MailAsync(Email, "A passkey was added");
        (await person.GetStringAsync("/account/passkeys")).ShouldContain("Work laptop");

        using var elsewhere = new Visitor(host.Url);
        var inside = await ShowAsync(elsewhere, device, "/account/passkey?returnUrl=%2Fapps");
        (inside.StatusCode, inside.Headers.Location?.OriginalString).ShouldBe((HttpStatusCode.SeeOther, "/apps"));
        (await elsewhere.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await host.UseAsync<IdentityDb, bool>(async db =>
        {
            (await db.Sessions.OrderByDescending(s => s.Opened).Select(s => s.Methods).FirstAsync()).ShouldBe("hwk user mfa");
            return true;
        });

        (await person.SubmitToAsync("/account/passkeys", "/account/passkeys/rename", ("name", "Old laptop"))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await person.GetStringAsync("/account/passkeys")).ShouldContain("Old laptop");
        (await person.SubmitToAsync("/account/passkeys", "/account/passkeys/remove")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await person.GetStringAsync("/account/passkeys")).ShouldContain("You have none yet.");
        using var late = new Visitor(host.Url);
        await ShouldBeRefusedAsync(await ShowAsync(late, device), "not known here");
    }

    /// <summary>A second page of the same browser asks another question, as tabs and pages that load in the background do.</summary>
    [Theory]
    [OnBothDatabases]
    public async Task Each_open_page_takes_the_answer_to_its_own_question(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, Email);
        using var device = new PasskeyDevice();
        var first = await person.GetStringAsync("/account/passkeys");
        await person.GetStringAsync("/account/passkeys");
        (await person.SubmitHtmlAsync(first, ("name", "Work laptop"), ("credential", device.Create(first)))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        using var elsewhere = new Visitor(host.Url);
        await elsewhere.GetStringAsync("/account/passkey");   // the browser has its anti-forgery cookie now
        var pages = new List<string>();
        foreach (var path in new[] { "/account/passkey", "/account/passkey", "/account/passkey" }) pages.Add(await elsewhere.GetStringAsync(path));
        await elsewhere.GetStringAsync("/account/sign-in");
        (await elsewhere.SubmitHtmlAsync(pages[1], ("credential", device.Prove(pages[1])))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        await ShouldBeRefusedAsync(await elsewhere.SubmitHtmlAsync(await elsewhere.GetStringAsync("/account/passkey"), ("credential", device.Prove(pages[0]))), "not known here");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_question_is_answered_once_whichever_node_is_asked(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        await using var beside = await IdentityHost.StartAsync(shape, host);
        using var person = await Visitor.SignedUpAsync(host, Email);
        using var device = new PasskeyDevice();
        await AddAsync(person, device, "Work laptop");

        using var elsewhere = new Visitor(host.Url);
        var page = await elsewhere.GetStringAsync("/account/passkey");
        var credential = device.Prove(page);
        var copies = new[] { host, beside, host, beside }.Select(node => new Visitor(node.Url)).ToArray();
        foreach (var copy in copies)
            foreach (Cookie cookie in elsewhere.Cookies) copy.SetCookie(cookie.Name, cookie.Value);
        var answers = await Task.WhenAll(copies.Select(copy => copy.SubmitHtmlAsync(page, ("credential", credential))));
        answers.Count(a => a.StatusCode == HttpStatusCode.SeeOther).ShouldBe(1);
        foreach (var answer in answers.Where(a => a.StatusCode != HttpStatusCode.SeeOther)) await ShouldBeRefusedAsync(answer, "Use the passkey once more.");
        foreach (var copy in copies) copy.Dispose();
    }

    [Theory]
    [OnBothDatabases]
    public async Task What_was_not_asked_here_or_not_of_this_person_is_refused(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, Email);
        using var device = new PasskeyDevice();
        await AddAsync(person, device, "Work laptop");
        using var elsewhere = new Visitor(host.Url);

        using var stranger = new PasskeyDevice();
        await ShouldBeRefusedAsync(await ShowAsync(elsewhere, stranger), "not known here");
        foreach (var bad in new[] { "", "{}", "null", "[]", "\"x\"", "{\"id\":1}", "{", new string('x', 9000), "{\"id\":\"AA\",\"rawId\":\"AA\",\"type\":\"public-key\",\"response\":{}}" })
        {
            var answer = await elsewhere.SubmitAsync("/account/passkey", ("credential", bad));
            answer.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity, bad);
        }

        var page = await elsewhere.GetStringAsync("/account/passkey");
        foreach (var forged in new[] { "", "x", "CfDJ8AAAA", new string('A', 9000) })
            await ShouldBeRefusedAsync(await elsewhere.SubmitHtmlAsync(page, ("credential", device.Prove(page)), ("ceremony", forged)), "once more");
        var enrolment = System.Text.RegularExpressions.Regex.Match(await person.GetStringAsync("/account/passkeys"), "name=\"ceremony\" value=\"([^\"]+)\"").Groups[1].Value;
        await ShouldBeRefusedAsync(await elsewhere.SubmitHtmlAsync(page, ("credential", device.Prove(page)), ("ceremony", enrolment)), "once more");

        using var mallory = await Visitor.SignedUpAsync(host, "mallory@example.com", "Mallory");
        var hers = await person.GetStringAsync("/account/passkeys");
        using var another = new PasskeyDevice();
        var crossed = await mallory.SubmitAsync("/account/passkeys", ("name", "Mine now"), ("credential", another.Create(hers)),
            ("ceremony", System.Text.RegularExpressions.Regex.Match(hers, "name=\"ceremony\" value=\"([^\"]+)\"").Groups[1].Value));
        crossed.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await mallory.GetStringAsync("/account/passkeys")).ShouldContain("You have none yet.");
    }

    public static TheoryData<string, string, bool> Browsers => new()
    {
        { "https://evil.example", "localhost", true },
        { "http://localhost:8090", "evil.example", true },
        { "http://localhost:8091", "localhost", true },
        { "http://localhost:8090", "localhost", false },
    };

    [Theory]
    [MemberData(nameof(Browsers))]
    public async Task A_passkey_of_another_origin_or_host_or_without_its_person_is_not_taken(string origin, string rp, bool verifies)
    {
        await using var host = await IdentityHost.StartAsync();
        using var person = await Visitor.SignedUpAsync(host, Email);
        using var device = new PasskeyDevice { Origin = origin, Host = rp, Verifies = verifies };
        var page = await person.GetStringAsync("/account/passkeys");
        var answer = await person.SubmitHtmlAsync(page, ("name", "Phished"), ("credential", device.Create(page)));
        await ShouldBeRefusedAsync(answer, "could not be verified");
        (await person.GetStringAsync("/account/passkeys")).ShouldContain("You have none yet.");
    }

    /// <summary>An office of twenty behind one address, all within a minute; the limit by address stands for passkeys too.</summary>
    [Fact]
    public async Task An_office_signs_in_by_passkeys_within_a_minute()
    {
        await using var host = await IdentityHost.StartAsync(Shape.Sqlite, null, ("Identity:Limits:SignInsPerEmailPerMinute", "2"), ("Identity:Limits:SignInsPerAddressPerMinute", "25"));
        using var person = await Visitor.SignedUpAsync(host, Email);
        using var device = new PasskeyDevice();
        await AddAsync(person, device, "Work laptop");
        for (var i = 0; i < 20; i++)
        {
            using var elsewhere = new Visitor(host.Url);
            (await ShowAsync(elsewhere, device)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        }

        await Deadline.UntilAsync("the address has had enough", async () =>
        {
            using var elsewhere = new Visitor(host.Url);
            var answer = await ShowAsync(elsewhere, device);
            return answer.StatusCode == HttpStatusCode.TooManyRequests && answer.Headers.RetryAfter is not null;
        });
    }

    private static async Task AddAsync(Visitor person, PasskeyDevice device, string name)
    {
        var page = await person.GetStringAsync("/account/passkeys");
        (await person.SubmitHtmlAsync(page, ("name", name), ("credential", device.Create(page)))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
    }

    private static async Task<HttpResponseMessage> ShowAsync(Visitor browser, PasskeyDevice device, string path = "/account/passkey")
    {
        var page = await browser.GetStringAsync(path);
        return await browser.SubmitHtmlAsync(page, ("credential", device.Prove(page)));
    }

    private static async Task ShouldBeRefusedAsync(HttpResponseMessage answer, string because)
    {
        answer.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await answer.Content.ReadAsStringAsync()).ShouldContain(because);
    }
}
