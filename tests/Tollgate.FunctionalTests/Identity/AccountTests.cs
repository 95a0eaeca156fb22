using System.Net;
using System.Security.Claims;
using Tollgate.Identity.Accounts;

namespace Tollgate.FunctionalTests.Identity;

public sealed class AccountTests
{
    [Theory]
    [OnBothDatabases]
    public async Task A_confirmed_person_signs_in_and_out(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");

        var left = await person.SubmitAsync("/account/sign-out");
        left.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        person.Cookies["tollgate"].ShouldBeNull();

        var back = await person.SignInAsync("ADA@example.com", query: "?returnUrl=%2Fapps%3Fpage%3D2");
        back.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        back.Headers.Location!.OriginalString.ShouldBe("/apps?page=2");
        person.Cookies["tollgate"].ShouldNotBeNull();
    }

    [Theory]
    [OnBothDatabases]
    public async Task The_first_admin_signs_in_with_the_printed_password(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape, settings: ("Identity:AdminEmail", "boss@example.com"));
        host.FirstAdmin!.Password.ShouldNotBeNull().Length.ShouldBe(20);
        using var admin = new Visitor(host.Url);
        (await admin.SignInAsync("boss@example.com", host.FirstAdmin.Password!)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Nobody_signs_in_before_the_address_is_confirmed(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = new Visitor(host.Url);
        await person.SignUpAsync("ada@example.com", Visitor.Password, "Ada");

        var answer = await person.SignInAsync("ada@example.com");
        answer.Headers.Location!.OriginalString.ShouldStartWith("/account/check-your-mail");
        person.Cookies["tollgate"].ShouldBeNull();
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_known_address_answers_like_a_new_one_and_its_owner_gets_a_mail(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var owner = await Visitor.SignedUpAsync(host, "ada@example.com");
        using var stranger = new Visitor(host.Url);

        var known = await stranger.SignUpAsync("ada@example.com", "another fine password", "Mallory");
        var fresh = await stranger.SignUpAsync("new@example.com", "another fine password", "Mallory");

        (known.StatusCode, known.Headers.Location).ShouldBe((fresh.StatusCode, fresh.Headers.Location));
        (await known.Content.ReadAsStringAsync()).ShouldBe(await fresh.Content.ReadAsStringAsync());
        await host.MailAsync("ada@example.com", "You already have an account");
        (await stranger.SignInAsync("ada@example.com", "another fine password")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Theory]
    [OnBothDatabases]
    public async Task An_account_prepared_on_a_strangers_address_gives_its_maker_nothing(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var mallory = new Visitor(host.Url);
        using var victim = new Visitor(host.Url);
        await mallory.SignUpAsync("victim@example.com", "mallory knows this one", "Trap");
        var trap = Visitor.LinkIn(await host.MailAsync("victim@example.com", "Confirm your address"));

        (await victim.ConfirmAsync(trap, Visitor.Password)).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        await victim.SubmitAsync("/account/forgot", ("email", "victim@example.com"));
        var reset = Visitor.LinkIn(await host.MailAsync("victim@example.com", "Choose a new password"));
        (await victim.ConfirmAsync(reset, Visitor.Password)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        (await victim.SignInAsync("victim@example.com")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await mallory.SignInAsync("victim@example.com", "mallory knows this one")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await mallory.ConfirmAsyncOrGone(trap, "mallory knows this one")).ShouldBe(HttpStatusCode.Gone);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Five_wrong_passwords_lock_the_account_without_saying_so(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var owner = await Visitor.SignedUpAsync(host, "ada@example.com");
        using var guesser = new Visitor(host.Url);

        var wrong = "";
        for (var i = 0; i < Lockout.MaxFailures; i++)
            wrong = await WithoutTokenAsync(await guesser.SignInAsync("ada@example.com", "wrong wrong wrong"));
        var right = await guesser.SignInAsync("ada@example.com");
        var unknown = await guesser.SignInAsync("nobody@example.com");

        right.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        unknown.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await WithoutTokenAsync(right)).ShouldBe(wrong);
        (await WithoutTokenAsync(unknown)).Replace("nobody@", "ada@").ShouldBe(wrong);
        guesser.Cookies["tollgate"].ShouldBeNull();
        (await host.FeedAsync()).Items.OfType<Tollgate.Contracts.Feeds.RevokedBeforeItem>().ShouldHaveSingleItem().Of.ShouldBe(Tollgate.Contracts.Feeds.TokenHolder.Subject, "gateways hear of it");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_reset_works_once_and_ends_open_sessions(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        var session = await host.UseAsync<IServiceProvider, ClaimsPrincipal>(services => services.PrincipalAsync("ada@example.com"));
        var check = (SessionCheck)host.Services.GetService(typeof(SessionCheck))!;
        (await check.IsCurrentAsync(session, default)).ShouldBeTrue();

        await person.SubmitAsync("/account/forgot", ("email", "ada@example.com"));
        var link = Visitor.LinkIn(await host.MailAsync("ada@example.com", "Choose a new password"));
        (await person.ConfirmAsync(link, "too short")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await person.ConfirmAsync(link, "quite another password")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        (await person.GetAsync(new Uri(link).PathAndQuery)).StatusCode.ShouldBe(HttpStatusCode.Gone);
        (await check.IsCurrentAsync(session, default)).ShouldBeFalse();
        using var again = new Visitor(host.Url);
        (await again.SignInAsync("ada@example.com")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await again.SignInAsync("ada@example.com", "quite another password")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        await host.MailAsync("ada@example.com", "Your password was changed");
        (await host.FeedAsync()).Items.OfType<Tollgate.Contracts.Feeds.RevokedBeforeItem>().ShouldHaveSingleItem().Of.ShouldBe(Tollgate.Contracts.Feeds.TokenHolder.Subject, "gateways hear of it");
    }

    [Theory]
    [OnBothDatabases]
    public async Task The_session_says_who_and_in_which_organisation(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        var admin = await host.UseAsync<IServiceProvider, ClaimsPrincipal>(services => services.PrincipalAsync("admin@tollgate.local"));

        admin.UserId().ShouldNotBe(Guid.Empty);
        admin.FindFirst("email")!.Value.ShouldBe("admin@tollgate.local");
        admin.Identity!.Name.ShouldBe("admin@tollgate.local");
        admin.OrganisationId().ShouldBe(host.FirstAdmin!.Organisation);
        admin.OrganisationRole().ShouldBe(Tollgate.Identity.Organisations.OrganisationRole.Owner);
        admin.IsPlatformAdmin().ShouldBeTrue();

        using var person = await Visitor.SignedUpAsync(host, "ada@example.com");
        (await host.UseAsync<IServiceProvider, ClaimsPrincipal>(services => services.PrincipalAsync("ada@example.com"))).IsPlatformAdmin().ShouldBeFalse();
    }

    [Theory]
    [OnBothDatabases]
    public async Task Wrong_fields_are_told_one_by_one_and_typed_values_are_kept(Shape shape)
    {
        await using var host = await IdentityHost.StartAsync(shape);
        using var person = new Visitor(host.Url);

        var answer = await person.SignUpAsync("ada<example.com", "password1234", "A");
        var html = await answer.Content.ReadAsStringAsync();

        answer.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        html.ShouldContain("id=\"email-wrong\"");
        html.ShouldContain("id=\"password-wrong\"");
        html.ShouldContain("id=\"organisation-wrong\"");
        html.ShouldContain("value=\"ada&lt;example.com\"");
        html.ShouldNotContain("password1234");
    }

    private static async Task<string> WithoutTokenAsync(HttpResponseMessage answer) =>
        System.Text.RegularExpressions.Regex.Replace(await answer.Content.ReadAsStringAsync(), "name=\"__RequestVerificationToken\" value=\"[^\"]+\"", "");
}
