using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Tollgate.Identity.Organisations;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Portal;

/// <summary>Who may call what, over every operation that the API describes.</summary>
public sealed partial class ApiAccessTests(PortalFixture fixture) : IClassFixture<PortalFixture>
{
    private static readonly OrganisationRole[] Everybody = Enum.GetValues<OrganisationRole>();
    private static readonly OrganisationRole[] Developers = [OrganisationRole.Owner, OrganisationRole.Admin, OrganisationRole.Developer];
    private static readonly OrganisationRole[] Managers = [OrganisationRole.Owner, OrganisationRole.Admin];
    private static readonly OrganisationRole[] NotViewers = [.. Developers, OrganisationRole.Billing];

    private static readonly (string Method, string Path, OrganisationRole[] Allowed)[] Operations =
    [
        ("GET", "/products", Everybody),
        ("GET", "/applications", Everybody),
        ("POST", "/applications", Developers),
        ("GET", "/applications/{id}", Everybody),
        ("DELETE", "/applications/{id}", Developers),
        ("GET", "/applications/{application}/keys", Everybody),
        ("POST", "/applications/{application}/keys", Developers),
        ("POST", "/applications/{application}/keys/import", Developers),
        ("DELETE", "/applications/{application}/keys/{key}", Developers),
        ("GET", "/applications/{application}/keys/{key}/explain", Everybody),
        ("GET", "/explain/{requestId}", Everybody),
        ("POST", "/applications/{application}/keys/{key}/rotate", Developers),
        ("GET", "/subscriptions", Everybody),
        ("POST", "/subscriptions", NotViewers),
        ("PUT", "/subscriptions/{id}/plan", NotViewers),
        ("DELETE", "/subscriptions/{id}", NotViewers),
        ("GET", "/usage", Everybody),
        ("GET", "/usage/period", Everybody),
        ("GET", "/invoices/draft", Everybody),
        ("GET", "/me", Everybody),
        ("GET", "/account/tokens", Everybody),
        ("POST", "/account/tokens", Everybody),
        ("DELETE", "/account/tokens/{id}", Everybody),
        ("GET", "/organisation/tokens", Managers),
        ("POST", "/organisation/tokens", Managers),
        ("DELETE", "/organisation/tokens/{id}", Managers),
        ("GET", "/organisations", Everybody),
        ("POST", "/organisations", Everybody),
        ("POST", "/organisations/{id}/choose", Everybody),
        ("POST", "/invitations/accept", Everybody),
        ("GET", "/organisation", Everybody),
        ("PUT", "/organisation", Managers),
        ("GET", "/organisation/members", Everybody),
        ("PUT", "/organisation/members/{id}", Managers),
        ("DELETE", "/organisation/members/{id}", Managers),
        ("POST", "/organisation/transfer", [OrganisationRole.Owner]),
        ("GET", "/organisation/invitations", Managers),
        ("POST", "/organisation/invitations", Managers),
        ("DELETE", "/organisation/invitations/{id}", Managers),
        ("GET", "/organisation/audit", [OrganisationRole.Owner]),
        ("POST", "/admin/subscriptions/{id}/reset-counters", []),
        ("GET", "/admin/audit", []),
        ("GET", "/admin/staff", []),
        ("PUT", "/admin/staff", []),
        ("DELETE", "/admin/staff/{id}", []),
        ("DELETE", "/admin/tokens/{id}", []),
        ("GET", "/applications/{application}/clients", Everybody),
        ("POST", "/applications/{application}/clients", Developers),
        ("PUT", "/applications/{application}/clients/{client}", Developers),
        ("DELETE", "/applications/{application}/clients/{client}", Developers),
        ("POST", "/applications/{application}/clients/{client}/rotate", Developers),
        ("DELETE", "/applications/{application}/clients/{client}/secrets/{secret}", Developers),
        ("GET", "/admin/conformance", []),
        ("GET", "/admin/clients", []),
        ("POST", "/admin/clients/{client}/disable", []),
        ("POST", "/admin/clients/{client}/enable", []),
        ("GET", "/routes", []),
        ("GET", "/routes/{service}", []),
        ("PUT", "/routes/{service}", []),
        ("DELETE", "/routes/{service}", []),
        ("GET", "/routes/{service}/versions", []),
        ("GET", "/routes/{service}/versions/{version}", []),
        ("GET", "/routes/{service}/diff", []),
        ("POST", "/routes/{service}/rollback", []),
        ("DELETE", "/cache", []),
        ("DELETE", "/cache/regions/{region}", []),
        ("DELETE", "/cache/tags/{tag}", []),
        ("GET", "/destinations", []),
        ("POST", "/destinations/{host}/drain", []),
        ("POST", "/destinations/{host}/resume", []),
        ("GET", "/admin/explain/{requestId}", []),
        ("POST", "/admin/explain", []),
        ("GET", "/admin/products", []),
        ("GET", "/admin/products/{name}", []),
        ("DELETE", "/admin/products/{name}", []),
        ("PUT", "/admin/products/{name}/plans/{plan}", []),
        ("GET", "/admin/products/{name}/plans/{plan}/versions", []),
        ("POST", "/admin/products/{name}/plans/{plan}/move-subscribers", []),
        ("POST", "/admin/products/{name}/plans/{plan}/archive", []),
        ("POST", "/admin/products/{name}/plans/{plan}/restore", []),
        ("POST", "/admin/subscriptions", []),
        ("PUT", "/admin/subscriptions/{id}/plan", []),
        ("POST", "/admin/subscriptions/{id}/approve", []),
        ("POST", "/admin/subscriptions/{id}/reject", []),
        ("POST", "/admin/subscriptions/{id}/pause", []),
        ("POST", "/admin/subscriptions/{id}/resume", []),
        ("POST", "/admin/subscriptions/{id}/move-to-latest", []),
        ("GET", "/admin/organisations", []),
        ("GET", "/admin/organisations/{id}", []),
        ("GET", "/admin/organisations/{id}/applications", []),
        ("PUT", "/admin/products/{name}", []),
        ("POST", "/admin/products/{name}/plans", []),
        ("POST", "/admin/products/{name}/plans/{plan}/versions", []),
        ("GET", "/admin/products/{name}/subscribers", []),
        ("POST", "/admin/applications/{id}/suspend", []),
        ("POST", "/admin/applications/{id}/resume", []),
        ("POST", "/admin/organisations/{id}/suspend", []),
        ("POST", "/admin/organisations/{id}/resume", []),
        ("POST", "/organisation/leave", Everybody),    // the last: who could leave is gone
    ];

    [Fact]
    public async Task The_matrix_below_knows_every_operation_of_the_description()
    {
        using var client = fixture.Host.Anonymous();
        var description = await client.GetAsync("/openapi/v1.json").JsonAsync();
        var described = description.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"));
        described.ShouldBe(Operations.Select(o => $"{o.Method} /api/v1{o.Path}"), ignoreOrder: true);
    }

    [Fact]
    public async Task Nobody_gets_anything_without_signing_in()
    {
        using var client = fixture.Host.Anonymous();
        foreach (var (method, path, _) in Operations)
        {
            using var answer = await client.SendAsync(Call(method, path));
            await answer.ShouldBeProblemAsync(401, "not-signed-in");
            answer.Headers.WwwAuthenticate.ShouldNotBeEmpty();
            answer.Headers.Location.ShouldBeNull();
        }
    }

    [Theory]
    [InlineData(OrganisationRole.Owner)]
    [InlineData(OrganisationRole.Admin)]
    [InlineData(OrganisationRole.Developer)]
    [InlineData(OrganisationRole.Billing)]
    [InlineData(OrganisationRole.Viewer)]
    public async Task A_role_reaches_as_far_as_it_says(OrganisationRole role)
    {
        using var client = await fixture.Host.SignInAsync("Roles " + role, role);
        foreach (var (method, path, allowed) in Operations)
        {
            using var answer = await client.SendAsync(Call(method, path));
            if (!allowed.Contains(role)) await answer.ShouldBeProblemAsync(403, "role");
            else ((int)answer.StatusCode).ShouldBeOneOf([200, 201, 204, 400, 404, 409], $"{method} {path}");    // past the door: what is asked for is not there
        }
    }

    [Fact]
    public async Task A_platform_admin_reaches_the_administration()
    {
        using var client = await fixture.Host.SignInAsync("Operators", OrganisationRole.Owner, platformAdmin: true);
        foreach (var (method, path, _) in Operations.Where(o => o.Path.StartsWith("/admin", StringComparison.Ordinal)))
        {
            using var answer = await client.SendAsync(Call(method, path));
            ((int)answer.StatusCode).ShouldBeOneOf([200, 400, 404], $"{method} {path}");
        }
    }

    [Fact]
    public async Task Another_organisations_things_are_not_there()
    {
        using var owner = await fixture.Host.SignInAsync("Victim", OrganisationRole.Owner);
        using var thief = await fixture.Host.SignInAsync("Thief", OrganisationRole.Owner);
        var (application, key, subscription) = await owner.StoryAsync();
        var plan = await thief.PlanAsync("pro");

        (string Method, string Path, object? Body)[] attempts =
        [
            ("GET", $"/applications/{application}", null),
            ("DELETE", $"/applications/{application}", null),
            ("GET", $"/applications/{application}/keys", null),
            ("POST", $"/applications/{application}/keys", new { name = "mine" }),
            ("DELETE", $"/applications/{application}/keys/{key}", null),
            ("POST", $"/applications/{application}/keys/{key}/rotate", new { overlapMinutes = 0 }),
            ("POST", "/subscriptions", new { application, plan }),
            ("PUT", $"/subscriptions/{subscription}/plan", new { plan }),
            ("DELETE", $"/subscriptions/{subscription}", null),
            ("GET", $"/usage?application={application}", null),
        ];
        foreach (var (method, path, body) in attempts)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "/api/v1" + path) { Content = body is null ? null : JsonContent.Create(body) };
            using var answer = await thief.SendAsync(request);
            await answer.ShouldBeProblemAsync(404, "not-found");
        }

        var keys = await owner.GetAsync($"/api/v1/applications/{application}/keys").JsonAsync();
        keys.EnumerateArray().Single().GetProperty("state").GetString().ShouldBe("live");
        (await owner.GetAsync("/api/v1/subscriptions").JsonAsync()).EnumerateArray().Single().GetProperty("planName").GetString().ShouldBe("free");
        (await thief.GetAsync("/api/v1/applications").JsonAsync()).GetArrayLength().ShouldBe(0);
        (await thief.GetAsync("/api/v1/subscriptions").JsonAsync()).GetArrayLength().ShouldBe(0);
    }

    /// <summary>A call that names nothing that is there, with a body that says nothing.</summary>
    private static HttpRequestMessage Call(string method, string template)
    {
        var path = Parameter().Replace(template, hole => hole.Value switch { "{version}" => "1", "{name}" or "{plan}" or "{client}" or "{service}" => "no-such-thing", _ => Guid.NewGuid().ToString() });
        return new HttpRequestMessage(new HttpMethod(method), "/api/v1" + path) { Content = method is "POST" or "PUT" ? JsonContent.Create(new { }) : null };
    }

    [GeneratedRegex("{[a-zA-Z]+}")]
    private static partial Regex Parameter();
}
