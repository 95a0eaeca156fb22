using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Tollgate.Identity.Organisations;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Portal;

/// <summary>Programs that come with a token of the management API instead of a session.</summary>
public sealed class ManagementTokenTests(PortalFixture fixture) : IClassFixture<PortalFixture>
{
    [Fact]
    public async Task A_personal_token_does_what_its_person_may_and_is_shown_once()
    {
        using var person = await fixture.Host.SignInAsync("Token makers", OrganisationRole.Developer);
        var (secret, id) = await MakeAsync(person, new { name = "pipeline" });
        secret.ShouldStartWith("tg_pat_");

        using var program = Program(secret);
        var me = await program.GetAsync("/api/v1/me").JsonAsync();
        me.GetProperty("token").GetBoolean().ShouldBeTrue();
        me.GetProperty("role").GetString().ShouldBe("developer");
        me.GetProperty("scopes").EnumerateArray().Select(s => s.GetString()).ShouldBe(["read", "applications"], ignoreOrder: true);
        (await program.PostAsJsonAsync("/api/v1/applications", new { name = "By program" }).JsonAsync(HttpStatusCode.Created)).Id().ShouldNotBeNull();

        var listed = (await person.GetAsync("/api/v1/account/tokens").JsonAsync()).EnumerateArray().Single();
        listed.GetRawText().ShouldNotContain(secret);
        listed.GetProperty("prefix").GetString().ShouldBe(secret[..15]);
        listed.GetProperty("lastUsed").GetDateTimeOffset().Second.ShouldBe(0);
        (listed.GetProperty("expires").GetDateTimeOffset() - listed.GetProperty("created").GetDateTimeOffset()).ShouldBe(TimeSpan.FromDays(90));

        (await person.DeleteAsync($"/api/v1/account/tokens/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        using var refused = await program.GetAsync("/api/v1/me");
        await refused.ShouldBeProblemAsync(401, "invalid-token");
        refused.Headers.WwwAuthenticate.ToString().ShouldContain("invalid_token");
    }

    [Fact]
    public async Task A_scope_that_is_not_there_is_a_door_that_stays_shut()
    {
        using var owner = await fixture.Host.SignInAsync("Scopes", OrganisationRole.Owner);
        var (secret, _) = await MakeAsync(owner, new { name = "reader", scopes = new[] { "read" } });
        using var program = Program(secret);
        (await program.GetAsync("/api/v1/applications")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await program.PostAsJsonAsync("/api/v1/applications", new { name = "no" })).ShouldBeProblemAsync(403, "scope");
        await (await program.GetAsync("/api/v1/organisation/tokens")).ShouldBeProblemAsync(403, "scope");
        await (await program.GetAsync("/api/v1/account/tokens")).ShouldBeProblemAsync(403, "scope");
    }

    [Fact]
    public async Task A_personal_token_manages_members_for_as_long_as_its_person_may_and_makes_no_tokens()
    {
        using var owner = await fixture.Host.SignInAsync("Members by program", OrganisationRole.Owner);
        using var admin = await fixture.Host.SignInAsync("Members by program", OrganisationRole.Admin);
        var (secret, _) = await MakeAsync(admin, new { name = "hr", scopes = new[] { "members" } });
        using var program = Program(secret);
        Task<HttpResponseMessage> InviteAsync(string role) => program.PostAsJsonAsync("/api/v1/organisation/invitations", new { email = $"{Guid.NewGuid():N}@example.com", role });
        (await InviteAsync("developer")).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await InviteAsync("owner")).StatusCode.ShouldBe(HttpStatusCode.Forbidden, "an admin makes no owners, nor does a program of theirs");
        await (await program.PostAsJsonAsync("/api/v1/account/tokens", new { name = "more" })).ShouldBeProblemAsync(403, "scope");
        await (await program.PostAsJsonAsync("/api/v1/organisation/tokens", new { name = "more", role = "viewer" })).ShouldBeProblemAsync(403, "scope");
        await (await program.PostAsJsonAsync("/api/v1/organisation/leave", new { })).ShouldBeProblemAsync(403, "scope");

        var made = await owner.PostAsJsonAsync("/api/v1/organisation/tokens", new { name = "ci", role = "admin", scopes = new[] { "members" } }).JsonAsync(HttpStatusCode.Created);
        using var service = Program(made.GetProperty("token").GetString()!);
        (await service.GetAsync("/api/v1/organisation/invitations")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await service.PostAsJsonAsync("/api/v1/organisation/invitations", new { email = "z@example.com", role = "viewer" })).ShouldBeProblemAsync(403, "scope");

        var id = (await program.GetAsync("/api/v1/organisation/members").JsonAsync()).EnumerateArray().Single(m => m.GetProperty("role").GetString() == "admin").Id();
        (await owner.PutAsJsonAsync($"/api/v1/organisation/members/{id}", new { role = "viewer" })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await InviteAsync("viewer")).ShouldBeProblemAsync(403, "scope");
    }

    [Fact]
    public async Task Nobody_gives_a_token_more_than_they_have()
    {
        using var viewer = await fixture.Host.SignInAsync("Greedy", OrganisationRole.Viewer);
        foreach (var scope in new[] { "applications", "billing", "members", "routes", "platform", "platform:read", "nonsense" })
            await (await viewer.PostAsJsonAsync("/api/v1/account/tokens", new { name = "t", scopes = new[] { scope } })).ShouldBeProblemAsync(422, "validation");
        await (await viewer.PostAsJsonAsync("/api/v1/account/tokens", new { name = "t", expires = DateTimeOffset.UtcNow.AddDays(400) })).ShouldBeProblemAsync(422, "validation");
        await (await viewer.PostAsJsonAsync("/api/v1/account/tokens", new { name = "t", expires = DateTimeOffset.UtcNow.AddDays(-1) })).ShouldBeProblemAsync(422, "validation");
        await (await viewer.PostAsJsonAsync("/api/v1/account/tokens", new { name = " " })).ShouldBeProblemAsync(422, "validation");
    }

    [Fact]
    public async Task A_service_token_belongs_to_the_organisation_and_reaches_as_far_as_its_role()
    {
        using var owner = await fixture.Host.SignInAsync("Services", OrganisationRole.Owner);
        await (await owner.PostAsJsonAsync("/api/v1/organisation/tokens", new { name = "ci", role = "owner" })).ShouldBeProblemAsync(422, "validation");
        await (await owner.PostAsJsonAsync("/api/v1/organisation/tokens", new { name = "ci", role = "viewer", scopes = new[] { "applications" } })).ShouldBeProblemAsync(422, "validation");
        await (await owner.PostAsJsonAsync("/api/v1/organisation/tokens", new { name = "ci", scopes = new[] { "routes" } })).ShouldBeProblemAsync(422, "validation");

        var made = await owner.PostAsJsonAsync("/api/v1/organisation/tokens", new { name = "ci", role = "developer" }).JsonAsync(HttpStatusCode.Created);
        using var program = Program(made.GetProperty("token").GetString()!);
        (await program.PostAsJsonAsync("/api/v1/applications", new { name = "By service" })).StatusCode.ShouldBe(HttpStatusCode.Created);
        await (await program.PostAsJsonAsync("/api/v1/account/tokens", new { name = "another" })).ShouldBeProblemAsync(403, "scope");
        await (await program.GetAsync("/api/v1/admin/products/weather")).ShouldBeProblemAsync(403, "scope");

        using var other = await fixture.Host.SignInAsync("Not services", OrganisationRole.Owner);
        var id = made.GetProperty("view").Id();
        await (await other.DeleteAsync($"/api/v1/organisation/tokens/{id}")).ShouldBeProblemAsync(404, "not-found");
        await (await other.DeleteAsync($"/api/v1/account/tokens/{id}")).ShouldBeProblemAsync(404, "not-found");
        (await owner.DeleteAsync($"/api/v1/organisation/tokens/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await (await program.GetAsync("/api/v1/applications")).ShouldBeProblemAsync(401, "invalid-token");
    }

    [Fact]
    public async Task An_admin_revokes_what_a_member_made()
    {
        using var member = await fixture.Host.SignInAsync("Watched", OrganisationRole.Developer);
        using var admin = await fixture.Host.SignInAsync("Watched", OrganisationRole.Admin);
        var (secret, id) = await MakeAsync(member, new { name = "forgotten" });
        (await admin.GetAsync("/api/v1/organisation/tokens").JsonAsync()).EnumerateArray().Select(t => t.Id()).ShouldContain(id);
        (await admin.DeleteAsync($"/api/v1/organisation/tokens/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        using var program = Program(secret);
        await (await program.GetAsync("/api/v1/me")).ShouldBeProblemAsync(401, "invalid-token");
    }

    [Theory]
    [InlineData("Bearer tg_pat_00000000_00000000000000000000000000000000_000000")]
    [InlineData("Bearer tg_live_abcdefghijklmnopqrstuvwxyz0123456789")]
    [InlineData("Bearer ")]
    [InlineData("Basic YWRtaW46YWRtaW4=")]
    [InlineData("tg_pat_x")]
    public async Task A_wrong_token_is_not_helped_by_a_cookie(string header)
    {
        using var person = await fixture.Host.SignInAsync("Cookies", OrganisationRole.Owner);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/me");
        request.Headers.TryAddWithoutValidation("Authorization", header);
        await (await person.SendAsync(request)).ShouldBeProblemAsync(401, "invalid-token");
    }

    [Fact]
    public async Task A_token_needs_no_proof_of_origin_and_a_cookie_does()
    {
        using var person = await fixture.Host.SignInAsync("Origins", OrganisationRole.Owner);
        var (secret, _) = await MakeAsync(person, new { name = "elsewhere" });
        using var program = Program(secret);
        foreach (var (client, status) in new[] { (program, HttpStatusCode.Created), (person, HttpStatusCode.Forbidden) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/applications") { Content = JsonContent.Create(new { name = "Crossing" }) };
            request.Headers.Add("Origin", "https://elsewhere.example");
            (await client.SendAsync(request)).StatusCode.ShouldBe(status);
        }
    }

    private static async Task<(string Secret, string Id)> MakeAsync(HttpClient person, object wish)
    {
        JsonElement made = await person.PostAsJsonAsync("/api/v1/account/tokens", wish).JsonAsync(HttpStatusCode.Created);
        return (made.GetProperty("token").GetString()!, made.GetProperty("view").Id());
    }

    private HttpClient Program(string secret)
    {
        var client = fixture.Host.Anonymous();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        return client;
    }
}
