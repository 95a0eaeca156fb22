using System.Text;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Consumers;

namespace Tollgate.UnitTests.Consumers;

public sealed class ConsumersFileTests
{
    private static readonly string Key = ApiKeyFormat.Generate(false);

    [Fact]
    public void The_file_of_the_documentation_is_read()
    {
        var file = Read($$"""
            { "plans": [ { "name": "gold", "products": ["weather"], "onLedgerLoss": "fair-share",
                           "limits": [ { "name": "minute", "calls": 1000, "window": "60s" } ],
                           "quotas": [ { "name": "month", "calls": 100000, "period": "month", "hard": true } ] } ],
              "applications": [ { "name": "app", "organisation": "acme", "subscriptions": [ { "plan": "gold" } ],
                                  "keys": [ { "key": "{{Key}}" }, { "sha256": "{{new string('A', 64)}}", "expires": "2027-01-01T00:00:00Z" } ], "clients": ["client-id"] } ] }
            """);

        var application = file.Credentials.OfType<ApplicationItem>().Single();
        (application.Name, application.OrganisationName, application.Suspended).ShouldBe(("app", "acme", false));
        var keys = file.Credentials.OfType<KeyItem>().ToArray();
        keys[0].Sha256.ShouldBe(ApiKeyFormat.Sha256Hex(Key));
        keys[0].Prefix.ShouldBe(Key[..12]);
        keys[1].Sha256.ShouldBe(new string('a', 64));
        keys[1].ExpiresUnixMs.ShouldBe(1_798_761_600_000);
        keys.ShouldAllBe(key => key.Application == application.Id && !key.Revoked);
        file.Credentials.OfType<ClientItem>().Single().ClientId.ShouldBe("client-id");

        var entitlement = (EntitlementItem)file.Entitlements.Single();
        (entitlement.Application, entitlement.Product, entitlement.Plan, entitlement.State, entitlement.OnLedgerLoss)
            .ShouldBe((application.Id, "weather", "gold", EntitlementState.Active, LedgerLoss.FairShare));
        entitlement.Limits.ShouldBe([new RateLimit("minute", 1000, 60_000)]);
        entitlement.Quotas.Single().ShouldBe(new Quota("month", 100_000, QuotaPeriod.Month, true, 1_704_067_200_000));
    }

    [Fact]
    public void A_restart_and_a_sibling_give_the_same_ids()
    {
        var text = $$"""{ "plans": [{ "name": "p", "products": ["a"] }], "applications": [{ "name": "x", "keys": [{ "key": "{{Key}}" }], "subscriptions": [{ "plan": "p" }] }] }""";
        Read(text).Credentials.ShouldBe(Read(text).Credentials);
        ((EntitlementItem)Read(text).Entitlements[0]).Subscription.ShouldBe(((EntitlementItem)Read(text).Entitlements[0]).Subscription);
        ((ApplicationItem)Read(text).Credentials[0]).Id.Value.Version.ShouldBe(8);
    }

    [Fact]
    public void What_is_optional_is_taken_as_written()
    {
        var file = Read($$"""
            // comments are welcome
            { "$schema": "x",
              "plans": [ { "name": "p", "products": ["a", "b"], "onLedgerLoss": "open",
                           "quotas": [ { "name": "week", "calls": 5, "period": "week", "hard": false, "timeZone": "Europe/Berlin" } ] } ],
              "applications": [ { "name": "x", "suspended": true,
                                  "subscriptions": [ { "plan": "p", "state": "unpaid", "anchor": "2026-01-31T10:00:00Z" }, ],
                                  "keys": [ { "key": "old-key", "scopes": ["read"], "networks": ["10.0.0.0/8", "::1"], "revoked": true } ] } ] }
            """);
        file.Credentials.OfType<ApplicationItem>().Single().ShouldSatisfyAllConditions(x => x.ApplicationSuspended.ShouldBeTrue(), x => x.OrganisationName.ShouldBe("x"));
        file.Credentials.OfType<KeyItem>().Single().ShouldSatisfyAllConditions(
            x => x.Prefix.ShouldBe(""), x => x.Scopes.ShouldBe(["read"]), x => x.Networks.ShouldBe(["10.0.0.0/8", "::1"]), x => x.Revoked.ShouldBeTrue());
        file.Entitlements.Cast<EntitlementItem>().Select(x => x.Product).ShouldBe(["a", "b"]);
        file.Entitlements.Cast<EntitlementItem>().ShouldAllBe(x => x.State == EntitlementState.Unpaid && x.OnLedgerLoss == LedgerLoss.Open);
        ((EntitlementItem)file.Entitlements[0]).Quotas.Single().ShouldBe(new Quota("week", 5, QuotaPeriod.Week, false, 1_769_853_600_000, "Europe/Berlin"));
    }

    [Theory]
    [InlineData("250ms", 250)]
    [InlineData("60s", 60_000)]
    [InlineData("5m", 300_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("1d", 86_400_000)]
    public void Windows_are_written_as_people_do(string text, long expectedMs)
    {
        WindowText.TryParse(text, out var windowMs).ShouldBeTrue();
        windowMs.ShouldBe(expectedMs);
    }

    [Theory]
    [InlineData("""{ "plans": [ { "products": ["a"] } ] }""", 1, "plans[0].name", "missing")]
    [InlineData("{ \"plans\": [\n { \"name\": \"p\", \"products\": [\"a\"],\n \"limits\": [ { \"name\": \"m\", \"calls\": 10, \"window\": \"60 s\" } ] } ] }", 3, "plans[0].limits[0].window", "window")]
    [InlineData("{ \"plans\": [\n { \"name\": \"p\", \"products\": [\"a\"],\n \"limits\": [ { \"name\": \"m\", \"calls\": 0, \"window\": \"60s\" } ] } ] }", 3, "plans[0].limits[0].calls", "whole number")]
    [InlineData("{ \"plans\": [\n { \"name\": \"p\", \"products\": [\"a\"],\n \"limits\": [ { \"name\": \"m\", \"calls\": 1.5, \"window\": \"60s\" } ] } ] }", 3, "plans[0].limits[0].calls", "whole number")]
    [InlineData("{ \"plans\": [\n { \"name\": \"p\", \"products\": [\"a\"],\n \"limts\": [] } ] }", 3, "plans[0].limts", "no property")]
    [InlineData("{ \"plans\": [ { \"name\": \"p\", \"products\": [\"a\"], \"onLedgerLoss\": \"panic\" } ] }", 1, "plans[0].onLedgerLoss", "fair-share")]
    [InlineData("{ \"applications\": [ { \"name\": \"x\",\n \"subscriptions\": [ { \"plan\": \"gone\" } ] } ] }", 2, "applications[0].subscriptions[0].plan", "no plan")]
    [InlineData("{ \"applications\": [ { \"name\": \"x\",\n \"keys\": [ { \"key\": \"tg_live_tooshort\" } ] } ] }", 2, "applications[0].keys[0].key", "cut off")]
    [InlineData("{ \"applications\": [ { \"name\": \"x\",\n \"keys\": [ { \"sha256\": \"abc\" } ] } ] }", 2, "applications[0].keys[0].sha256", "64 hexadecimal")]
    [InlineData("{ \"applications\": [ { \"name\": \"x\",\n \"keys\": [ { \"key\": \"a\" },\n { \"key\": \"a\" } ] } ] }", 3, "applications[0].keys[1]", "line 2")]
    [InlineData("{ \"applications\": [ { \"name\": \"x\", \"keys\": [ { \"key\": \"a\", \"networks\": [\"10.0.0.300/8\"] } ] } ] }", 1, "applications[0].keys[0].networks[0]", "network")]
    [InlineData("{ \"applications\": [ { \"name\": \"x\" }, { \"name\": \"x\" } ] }", 1, "applications[1]", "Two have the name")]
    [InlineData("{ \"applications\": [\n { \"name\": \"x\" }\n { \"name\": \"y\" } ] }", 3, "", "")]
    [InlineData("", 1, "", "")]
    [InlineData("[]", 1, "", "object")]
    [InlineData("{} {}", 1, "", "")]
    public void An_error_names_file_line_and_property(string text, int line, string property, string says)
    {
        var error = Should.Throw<ConsumersFileException>(() => Read(text));
        error.File.ShouldBe("consumers.json");
        error.Line.ShouldBe(line, error.Message);
        error.Property.ShouldBe(property);
        error.Message.ShouldContain(says);
    }

    [Fact]
    public void An_error_never_repeats_a_key()
    {
        var key = ApiKeyFormat.Generate(false)[..^1];
        Should.Throw<ConsumersFileException>(() => Read($$"""{ "applications": [ { "name": "x", "keys": [ { "key": "{{key}}" } ] } ] }""")).Message.ShouldNotContain(key[12..]);
    }

    private static ConsumersFile Read(string text) => ConsumersFile.Read(Encoding.UTF8.GetBytes(text), "consumers.json");
}
