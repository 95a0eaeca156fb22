using System.Net;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Storage;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity;

/// <summary>A browser in which a person is asked for no code: for as long as they want it, and never longer than their password.</summary>
public sealed class RememberedDeviceTests
{
    private const string Email = "ada@example.com";
    private const string NextPassword = "seven quiet lanterns drift";

    [Theory]
    [OnBothDatabases]
    public async Task A_remembered_device_is_asked_for_the_password_alone_until_it_is_forgotten(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, Email);
        var app = await Authenticator.TurnOnAsync(person);
        await person.SubmitAsync("/account/sign-out");

        (await person.SignInAsync(Email)).Headers.Location!.OriginalString.ShouldBe("/account/two-factor");
        (await person.GetStringAsync("/account/two-factor")).ShouldContain("Ask for no code on this device for 30 days");
        (await person.SubmitAsync("/account/two-factor", ("code", app.Code()), ("device", "true"))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var cookie = person.Cookies["tollgate-device"].ShouldNotBeNull();
        (cookie.HttpOnly, cookie.Expires > DateTime.Now.AddDays(29)).ShouldBe((true, true));
        await host.UseAsync<IdentityDb, bool>(async db =>
        {
            (await db.RememberedDevices.AnyAsync(d => d.Sha256 == cookie.Value)).ShouldBeFalse();   // its digest alone
            (await db.RememberedDevices.CountAsync()).ShouldBe(1);
            return true;
        });

        await person.SubmitAsync("/account/sign-out");
        (await person.SignInAsync(Email, "wrong")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await person.SignInAsync(Email)).Headers.Location!.OriginalString.ShouldBe("/account");
        await host.UseAsync<IdentityDb, bool>(async db =>
        {
            (await db.Sessions.OrderByDescending(s => s.Opened).Select(s => s.Methods).FirstAsync()).ShouldBe("pwd");   // says what was proven this time
            return true;
        });

        // Elsewhere, and for somebody else in the same browser, it is worth nothing.
        using var elsewhere = new Visitor(host.Url);
        (await elsewhere.SignInAsync(Email)).Headers.Location!.OriginalString.ShouldBe("/account/two-factor");
        using var forger = new Visitor(host.Url);
        forger.SetCookie("tollgate-device", Forged.EndOf(cookie.Value));
        (await forger.SignInAsync(Email)).Headers.Location!.OriginalString.ShouldBe("/account/two-factor");
        using var other = await Visitor.SignedUpAsync(host, "bob@example.com", "Bob's");
        await Authenticator.TurnOnAsync(other);
        await other.SubmitAsync("/account/sign-out");
        other.SetCookie("tollgate-device", cookie.Value);
        (await other.SignInAsync("bob@example.com")).Headers.Location!.OriginalString.ShouldBe("/account/two-factor");

        (await person.GetStringAsync("/account/sessions")).ShouldContain("One device is asked for the password alone");
        (await person.SubmitToAsync("/account/sessions", "/account/sessions/forget-devices")).Headers.Location!.OriginalString.ShouldBe("/account/sessions?notice=forgotten");
        await person.SubmitAsync("/account/sign-out");
        (await person.SignInAsync(Email)).Headers.Location!.OriginalString.ShouldBe("/account/two-factor");
        (await person.SubmitAsync("/account/recovery", ("code", app.RecoveryCodes[0]), ("device", "true"))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        await person.SubmitAsync("/account/sign-out");
        (await person.SignInAsync(Email)).Headers.Location!.OriginalString.ShouldBe("/account/two-factor");   // a recovery code remembers nothing

        // Another password forgets it, too.
        (await person.SubmitAsync("/account/two-factor", ("code", app.Code(+1)), ("device", "true"))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await person.SubmitAsync("/account/password", ("current", Visitor.Password), ("password", NextPassword))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        await person.SubmitAsync("/account/sign-out");
        (await person.SignInAsync(Email, NextPassword)).Headers.Location!.OriginalString.ShouldBe("/account/two-factor");
    }

    [Fact]
    public async Task Where_the_operator_wants_a_code_each_time_none_is_remembered()
    {
        await using var host = await IdentityHost.StartAsync(settings: ("Identity:RememberDeviceDays", "0"));
        using var person = await Visitor.SignedUpAsync(host, Email);
        var app = await Authenticator.TurnOnAsync(person);
        await person.SubmitAsync("/account/sign-out");
        await person.SignInAsync(Email);
        (await person.GetStringAsync("/account/two-factor")).ShouldNotContain("name=\"device\"");
        await person.SubmitAsync("/account/two-factor", ("code", app.Code()), ("device", "true"));
        person.Cookies["tollgate-device"].ShouldBeNull();
    }
}
