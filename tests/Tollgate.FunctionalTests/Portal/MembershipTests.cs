using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Tollgate.Identity.Organisations;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Portal;

/// <summary>Who belongs to an organisation, who lets them in, and who may see what happened.</summary>
public sealed partial class MembershipTests(PortalFixture fixture) : IClassFixture<PortalFixture>
{
    [Fact]
    public async Task An_invitation_works_once_and_for_its_address_alone()
    {
        using var owner = await fixture.Host.SignInAsync("Hosts", OrganisationRole.Owner);
        using var guest = await fixture.Host.SignInAsync("Guests home", OrganisationRole.Owner);
        using var stranger = await fixture.Host.SignInAsync("Strangers home", OrganisationRole.Owner);
        var email = (await guest.GetAsync("/api/v1/me").JsonAsync()).GetProperty("email").GetString()!;

        var sent = await owner.PostAsJsonAsync("/api/v1/organisation/invitations", new { email, role = "developer" }).JsonAsync(HttpStatusCode.Created);
        sent.GetRawText().ShouldNotContain("sha256");
        var code = await CodeFromMailAsync(email);

        await (await stranger.PostAsJsonAsync("/api/v1/invitations/accept", new { code })).ShouldBeProblemAsync(403, "invitation");
        await (await guest.PostAsJsonAsync("/api/v1/invitations/accept", new { code = code + "x" })).ShouldBeProblemAsync(404, "not-found");
        (await guest.PostAsJsonAsync("/api/v1/invitations/accept", new { code })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await guest.PostAsJsonAsync("/api/v1/invitations/accept", new { code })).ShouldBeProblemAsync(404, "not-found");

        // They look at it from now on, and may switch back.
        (await guest.GetAsync("/api/v1/me").JsonAsync()).GetProperty("role").GetString().ShouldBe("developer");
        var mine = (await guest.GetAsync("/api/v1/organisations").JsonAsync()).EnumerateArray().ToList();
        mine.Select(o => o.GetProperty("name").GetString()).ShouldBe(["Guests home", "Hosts"]);
        (await guest.PostAsync($"/api/v1/organisations/{mine[0].Id()}/choose", JsonContent.Create(new { }))).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await guest.GetAsync("/api/v1/me").JsonAsync()).GetProperty("role").GetString().ShouldBe("owner");
        await (await stranger.PostAsync($"/api/v1/organisations/{mine[1].Id()}/choose", JsonContent.Create(new { }))).ShouldBeProblemAsync(404, "not-found");
    }

    [Fact]
    public async Task A_withdrawn_invitation_is_dead_and_another_organisation_cannot_touch_it()
    {
        using var owner = await fixture.Host.SignInAsync("Fickle", OrganisationRole.Owner);
        using var other = await fixture.Host.SignInAsync("Meddlers", OrganisationRole.Owner);
        using var guest = await fixture.Host.SignInAsync("Waiting", OrganisationRole.Owner);
        var email = (await guest.GetAsync("/api/v1/me").JsonAsync()).GetProperty("email").GetString()!;
        var id = (await owner.PostAsJsonAsync("/api/v1/organisation/invitations", new { email, role = "viewer" }).JsonAsync(HttpStatusCode.Created)).Id();
        var code = await CodeFromMailAsync(email);

        await (await other.DeleteAsync($"/api/v1/organisation/invitations/{id}")).ShouldBeProblemAsync(404, "not-found");
        (await owner.DeleteAsync($"/api/v1/organisation/invitations/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await guest.PostAsJsonAsync("/api/v1/invitations/accept", new { code })).ShouldBeProblemAsync(404, "not-found");
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("demoted")]
    public async Task An_invitation_does_not_outlive_the_right_to_send_it(string fate)
    {
        using var owner = await fixture.Host.SignInAsync("Vouching " + fate, OrganisationRole.Owner);
        using var admin = await fixture.Host.SignInAsync("Vouching " + fate, OrganisationRole.Admin);
        using var guest = await fixture.Host.SignInAsync("Elsewhere " + fate, OrganisationRole.Owner);
        var email = (await guest.GetAsync("/api/v1/me").JsonAsync()).GetProperty("email").GetString()!;
        var own = (await admin.GetAsync("/api/v1/me").JsonAsync()).GetProperty("email").GetString();
        await admin.PostAsJsonAsync("/api/v1/organisation/invitations", new { email, role = "admin" }).JsonAsync(HttpStatusCode.Created);
        var code = await CodeFromMailAsync(email);
        var id = (await owner.GetAsync("/api/v1/organisation/members").JsonAsync()).EnumerateArray().Single(m => m.GetProperty("email").GetString() == own).Id();
        if (fate == "removed") (await owner.DeleteAsync($"/api/v1/organisation/members/{id}")).IsSuccessStatusCode.ShouldBeTrue();
        else (await owner.PutAsJsonAsync($"/api/v1/organisation/members/{id}", new { role = "developer" })).IsSuccessStatusCode.ShouldBeTrue();
        await (await guest.PostAsJsonAsync("/api/v1/invitations/accept", new { code })).ShouldBeProblemAsync(404, "not-found");
        (await owner.GetAsync("/api/v1/organisation/invitations").JsonAsync()).EnumerateArray().Single().GetProperty("state").GetString().ShouldBe("withdrawn");
    }

    [Fact]
    public async Task One_organisations_invitations_take_nothing_from_anothers()
    {
        await using var host = await PortalHost.StartAsync(settings: ("Identity:Limits:MailsPerAddressPerHour", "3"));
        using var busy = await host.SignInAsync("Busy", OrganisationRole.Owner);
        using var calm = await host.SignInAsync("Calm", OrganisationRole.Owner);
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 5; i++) answers.Add((await busy.PostAsJsonAsync("/api/v1/organisation/invitations", new { email = $"guest{i}@example.com", role = "viewer" })).StatusCode);
        answers[0].ShouldBe(HttpStatusCode.Created);
        answers[^1].ShouldNotBe(HttpStatusCode.Created);
        (await calm.PostAsJsonAsync("/api/v1/organisation/invitations", new { email = "somebody@example.com", role = "viewer" })).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_removed_member_is_out_at_once_with_every_token()
    {
        using var owner = await fixture.Host.SignInAsync("Strict", OrganisationRole.Owner);
        using var member = await fixture.Host.SignInAsync("Strict", OrganisationRole.Developer);
        var email = (await member.GetAsync("/api/v1/me").JsonAsync()).GetProperty("email").GetString();
        var secret = (await member.PostAsJsonAsync("/api/v1/account/tokens", new { name = "mine" }).JsonAsync(HttpStatusCode.Created)).GetProperty("token").GetString();
        var id = (await owner.GetAsync("/api/v1/organisation/members").JsonAsync()).EnumerateArray().Single(m => m.GetProperty("email").GetString() == email).Id();

        (await owner.PutAsJsonAsync($"/api/v1/organisation/members/{id}", new { role = "viewer" })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await member.PostAsJsonAsync("/api/v1/applications", new { name = "Too late" })).ShouldBeProblemAsync(403, "role");
        (await owner.DeleteAsync($"/api/v1/organisation/members/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await member.GetAsync("/api/v1/applications")).ShouldBeProblemAsync(403, "role");
        using var program = fixture.Host.Anonymous();
        program.DefaultRequestHeaders.Add("Authorization", "Bearer " + secret);
        await (await program.GetAsync("/api/v1/applications")).ShouldBeProblemAsync(401, "invalid-token");
        await (await owner.DeleteAsync($"/api/v1/organisation/members/{id}")).ShouldBeProblemAsync(404, "not-found");
    }

    [Fact]
    public async Task An_organisation_keeps_an_owner_and_only_owners_make_owners()
    {
        using var owner = await fixture.Host.SignInAsync("Kept", OrganisationRole.Owner);
        using var admin = await fixture.Host.SignInAsync("Kept", OrganisationRole.Admin);
        using var viewer = await fixture.Host.SignInAsync("Kept", OrganisationRole.Viewer);
        var members = (await owner.GetAsync("/api/v1/organisation/members").JsonAsync()).EnumerateArray().ToDictionary(m => m.GetProperty("role").GetString()!, m => m.Id());

        await (await owner.PostAsync("/api/v1/organisation/leave", JsonContent.Create(new { }))).ShouldBeProblemAsync(409, "last-owner");
        await (await owner.PutAsJsonAsync($"/api/v1/organisation/members/{members["owner"]}", new { role = "admin" })).ShouldBeProblemAsync(409, "last-owner");
        await (await admin.PutAsJsonAsync($"/api/v1/organisation/members/{members["viewer"]}", new { role = "owner" })).ShouldBeProblemAsync(403, "role");
        await (await admin.DeleteAsync($"/api/v1/organisation/members/{members["owner"]}")).ShouldBeProblemAsync(403, "role");
        await (await admin.PostAsJsonAsync("/api/v1/organisation/invitations", new { email = "x@example.com", role = "owner" })).ShouldBeProblemAsync(403, "role");
        await (await admin.PostAsJsonAsync("/api/v1/organisation/transfer", new { member = members["admin"] })).ShouldBeProblemAsync(403, "role");

        (await owner.PostAsJsonAsync("/api/v1/organisation/transfer", new { member = members["admin"] })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await admin.GetAsync("/api/v1/me").JsonAsync()).GetProperty("role").GetString().ShouldBe("owner");
        (await owner.GetAsync("/api/v1/me").JsonAsync()).GetProperty("role").GetString().ShouldBe("admin");
        (await owner.PostAsync("/api/v1/organisation/leave", JsonContent.Create(new { }))).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await viewer.PostAsync("/api/v1/organisation/leave", JsonContent.Create(new { }))).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task An_owner_reads_what_happened_in_their_own_organisation_and_nothing_else()
    {
        using var owner = await fixture.Host.SignInAsync("Watchers", OrganisationRole.Owner);
        using var other = await fixture.Host.SignInAsync("Others", OrganisationRole.Owner);
        await other.PostAsJsonAsync("/api/v1/applications", new { name = "Theirs" });
        var (application, _, _) = await owner.StoryAsync();

        var events = (await owner.GetAsync("/api/v1/organisation/audit").JsonAsync()).GetProperty("items").EnumerateArray().ToList();
        events.Select(e => e.GetProperty("action").GetString()).ShouldContain("application.created");
        events.Where(e => e.GetProperty("action").GetString() == "application.created").Select(e => e.GetProperty("target").GetString()).ShouldBe([application]);
        events.ShouldAllBe(e => e.GetProperty("organisationName").GetString() == "Watchers");
        var keys = (await owner.GetAsync("/api/v1/organisation/audit?action=key.").JsonAsync()).GetProperty("items").EnumerateArray().ToList();
        keys.ShouldAllBe(e => e.GetProperty("action").GetString()!.StartsWith("key."));
        keys.ShouldNotBeEmpty();
        (await owner.GetAsync("/api/v1/organisation/audit?actor=nobody@example.com").JsonAsync()).GetProperty("total").GetInt32().ShouldBe(0);
        await (await owner.GetAsync("/api/v1/organisation/audit?from=yesterday-ish")).ShouldBeProblemAsync(400, "parameter");
        await (await owner.GetAsync("/api/v1/admin/audit")).ShouldBeProblemAsync(403, "role");
    }

    [Fact]
    public async Task Staff_reach_as_far_as_their_role()
    {
        using var admin = await fixture.Host.SignInAsync("Staff room", OrganisationRole.Owner, platformAdmin: true);
        using var person = await fixture.Host.SignInAsync("Future staff", OrganisationRole.Owner);
        var email = (await person.GetAsync("/api/v1/me").JsonAsync()).GetProperty("email").GetString();
        foreach (var (role, mayRead, mayPrice, mayAudit) in new[] { ("support", true, false, false), ("auditor", true, false, true), ("billing", true, true, false) })
        {
            (await admin.PutAsJsonAsync("/api/v1/admin/staff", new { email, role })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
            (await person.GetAsync("/api/v1/admin/products/weather")).IsSuccessStatusCode.ShouldBe(mayRead, role);
            (await person.GetAsync("/api/v1/admin/audit")).IsSuccessStatusCode.ShouldBe(mayAudit, role);
            (await person.PostAsJsonAsync("/api/v1/admin/products/no-such/plans", new { name = "x", title = "X" })).StatusCode.ShouldBe(mayPrice ? HttpStatusCode.NotFound : HttpStatusCode.Forbidden, role);
            await (await person.PostAsync($"/api/v1/admin/organisations/{Guid.NewGuid()}/suspend", JsonContent.Create(new { }))).ShouldBeProblemAsync(403, "role");
            await (await person.PutAsJsonAsync("/api/v1/admin/staff", new { email, role = "admin" })).ShouldBeProblemAsync(403, "role");
            using var page = await PageAsync(person, "/admin/products/weather");
            page.StatusCode.ShouldBe(HttpStatusCode.OK, role);
            (await page.Content.ReadAsStringAsync()).Contains("New plan").ShouldBe(mayPrice, role);
        }

        var id = (await admin.GetAsync("/api/v1/admin/staff").JsonAsync()).EnumerateArray().Single(s => s.GetProperty("email").GetString() == email).Id();
        (await admin.DeleteAsync($"/api/v1/admin/staff/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await person.GetAsync("/api/v1/admin/products/weather")).ShouldBeProblemAsync(403, "role");
    }

    [Fact]
    public async Task The_pages_of_an_organisation_are_there_for_who_may_see_them()
    {
        using var owner = await fixture.Host.SignInAsync("Pages", OrganisationRole.Owner);
        using var viewer = await fixture.Host.SignInAsync("Pages", OrganisationRole.Viewer);
        using var admin = await fixture.Host.SignInAsync("Page staff", OrganisationRole.Owner, platformAdmin: true);
        foreach (var (who, path, status) in new[]
        {
            (owner, "/organisation", HttpStatusCode.OK), (owner, "/organisation/audit", HttpStatusCode.OK), (viewer, "/organisation", HttpStatusCode.OK),
            (viewer, "/organisation/audit", HttpStatusCode.Redirect), (owner, "/admin/audit", HttpStatusCode.Redirect), (owner, "/admin/staff", HttpStatusCode.Redirect),
            (admin, "/admin/audit?action=application.", HttpStatusCode.OK), (admin, "/admin/staff", HttpStatusCode.OK), (owner, "/account", HttpStatusCode.OK),
        })
        {
            using var answer = await PageAsync(who, path);
            answer.StatusCode.ShouldBe(status, path);
        }

        using var seen = await PageAsync(viewer, "/organisation");
        (await seen.Content.ReadAsStringAsync()).ShouldNotContain("Invite somebody");
    }

    private static async Task<HttpResponseMessage> PageAsync(HttpClient who, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Accept", "text/html");
        return await who.SendAsync(request);
    }

    private async Task<string> CodeFromMailAsync(string email) => await Deadline.UntilAsync($"an invitation to {email}", () => Task.FromResult(
        Directory.Exists(fixture.Host.MailFolder)
            ? Directory.GetFiles(fixture.Host.MailFolder, "*.eml").Select(File.ReadAllText).Where(m => m.Contains($"To: {email}\r\n") && m.Contains("Subject: Join "))
                .Select(m => CodePattern().Match(m).Groups[1].Value).FirstOrDefault()
            : null));

    [GeneratedRegex(@"/account/invitation\?code=([A-Za-z0-9_-]+)\r")]
    private static partial Regex CodePattern();
}
