using System.Net;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Storage;

namespace Tollgate.FunctionalTests.Identity;

public sealed class SecondFactorTests
{
    [Theory]
    [OnBothDatabases]
    public async Task The_password_alone_no_longer_opens_a_session_and_no_code_is_good_twice(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        var app = await Authenticator.TurnOnAsync(person);
        await host.MailAsync("ada@example.com", "Two-factor sign-in is on");

        using var elsewhere = new Visitor(host.Url);
        var half = await elsewhere.SignInAsync("ada@example.com", query: "?returnUrl=%2Fapps");
        half.Headers.Location!.OriginalString.ShouldBe("/account/two-factor?returnUrl=%2Fapps");
        elsewhere.Cookies["tollgate"].ShouldBeNull();
        (await elsewhere.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.Redirect);

        (await elsewhere.SubmitAsync("/account/two-factor?returnUrl=%2Fapps", ("code", app.Wrong()))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        var code = app.Code();
        var inside = await elsewhere.SubmitAsync("/account/two-factor?returnUrl=%2Fapps", ("code", code));
        (inside.StatusCode, inside.Headers.Location?.OriginalString).ShouldBe((HttpStatusCode.SeeOther, "/apps"));
        (await elsewhere.GetAsync("/account")).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var thief = new Visitor(host.Url);
        await thief.SignInAsync("ada@example.com");
        (await thief.SubmitAsync("/account/two-factor", ("code", code))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await thief.SubmitAsync("/account/two-factor", ("code", app.Code(-1)))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);   // nor an older one
        (await thief.SubmitAsync("/account/two-factor", ("code", app.Code(+1)))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        await host.UseAsync<IdentityDb, bool>(async db =>
        {
            (await db.Sessions.OrderByDescending(s => s.Opened).Select(s => s.Methods).FirstAsync()).ShouldBe("pwd otp mfa");
            return true;
        });
    }

    [Theory]
    [OnBothDatabases]
    public async Task Of_many_who_type_one_code_at_once_one_gets_in(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        var app = await Authenticator.TurnOnAsync(person);
        var visitors = Enumerable.Range(0, 4).Select(_ => new Visitor(host.Url)).ToArray();
        foreach (var visitor in visitors) await visitor.SignInAsync("ada@example.com");

        var code = app.Code();
        var answers = await Task.WhenAll(visitors.Select(v => v.SubmitAsync("/account/two-factor", ("code", code))));
        answers.Count(a => a.StatusCode == HttpStatusCode.SeeOther).ShouldBe(1);
        foreach (var visitor in visitors) visitor.Dispose();
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_recovery_code_works_once_and_is_kept_as_a_digest(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        var app = await Authenticator.TurnOnAsync(person);
        var code = app.RecoveryCodes[3];
        await host.UseAsync<IdentityDb, bool>(async db =>
        {
            (await db.RecoveryCodes.CountAsync()).ShouldBe(10);
            (await db.RecoveryCodes.AnyAsync(c => c.Sha256.Contains(code))).ShouldBeFalse();
            return true;
        });

        using var first = new Visitor(host.Url);
        await first.SignInAsync("ada@example.com");
        (await first.SubmitAsync("/account/recovery", ("code", code.ToLowerInvariant().Replace("-", " ")))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await host.MailAsync("ada@example.com", "A recovery code was used")).ShouldContain("9 are left");

        using var second = new Visitor(host.Url);
        await second.SignInAsync("ada@example.com");
        (await second.SubmitAsync("/account/recovery", ("code", code))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);

        var renewed = await first.SubmitToAsync("/account/authenticator", "/account/recovery-codes");
        renewed.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await second.SubmitAsync("/account/recovery", ("code", app.RecoveryCodes[4]))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Who_has_the_password_cannot_guess_codes_for_ever(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        var app = await Authenticator.TurnOnAsync(person);
        using var guesser = new Visitor(host.Url);
        for (var i = 0; i < Lockout.MaxFailures; i++)
        {
            await guesser.SignInAsync("ada@example.com");   // the right password in between forgives nothing
            (await guesser.SubmitAsync("/account/two-factor", ("code", app.Wrong(i)))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        }

        (await guesser.SubmitAsync("/account/two-factor", ("code", app.Code()))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await guesser.SubmitAsync("/account/recovery", ("code", app.RecoveryCodes[0]))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await guesser.SignInAsync("ada@example.com")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Turning_it_off_takes_the_codes_along_and_the_second_pages_are_nobodys_without_a_first(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        await Authenticator.TurnOnAsync(person);
        (await person.SubmitToAsync("/account/authenticator", "/account/authenticator/off")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        await host.MailAsync("ada@example.com", "Two-factor sign-in is off");
        using var again = new Visitor(host.Url);
        (await again.SignInAsync("ada@example.com")).Headers.Location!.OriginalString.ShouldBe("/account");

        using var stranger = new Visitor(host.Url);
        (await stranger.GetAsync("/account/two-factor")).Headers.Location!.OriginalString.ShouldBe("/account/sign-in");
        (await stranger.GetAsync("/account/recovery")).Headers.Location!.OriginalString.ShouldBe("/account/sign-in");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_wrong_code_does_not_turn_it_on_and_shows_the_same_key_again(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        var before = await person.GetStringAsync("/account/authenticator");
        before.ShouldContain("<svg class=\"qr\"");
        var key = System.Text.RegularExpressions.Regex.Match(before, "<code class=\"key\">([^<]+)").Groups[1].Value;
        var ticket = System.Text.RegularExpressions.Regex.Match(before, "name=\"ticket\" value=\"([^\"]+)").Groups[1].Value;
        var answer = await person.SubmitToAsync("/account/authenticator", "/account/authenticator", ("ticket", ticket), ("code", Authenticator.On(before).Wrong()));
        answer.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await answer.Content.ReadAsStringAsync()).ShouldContain(key);
    }
}
