using System.Reflection;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Rating;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Accounts;
using Tollgate.Portal;
using Tollgate.Portal.Admin;
using Tollgate.Portal.Developer;

namespace Tollgate.UnitTests.Portal;

public sealed class PageTests
{
    public static TheoryData<Type> Pages => [.. typeof(PortalModule).Assembly.GetTypes().Where(t => t.GetCustomAttributes<RouteAttribute>().Any())];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_page_says_who_may_see_it(Type page)
    {
        var policy = page.GetCustomAttribute<AuthorizeAttribute>()?.Policy;
        var isPublic = page.GetCustomAttribute<AllowAnonymousAttribute>() is not null;
        (isPublic ^ policy is not null).ShouldBeTrue($"{page.Name} needs [AllowAnonymous] or [Authorize(Policy = …)], and not both.");
        if (page.GetCustomAttributes<RouteAttribute>().Any(r => r.Template.StartsWith("/admin", StringComparison.Ordinal)))
            policy.ShouldBeOneOf(TollgatePolicies.PlatformAdmin, TollgatePolicies.PlatformStaff, TollgatePolicies.PlatformBilling, TollgatePolicies.PlatformAuditor);
    }

    [Theory]
    [InlineData(0, 4, 1)]
    [InlineData(1, 1, 1)]
    [InlineData(7, 8, 2)]
    [InlineData(274, 300, 100)]
    [InlineData(5_298, 6_000, 2_000)]
    public void An_axis_ends_and_steps_at_round_numbers(int highest, double max, double step) =>
        AxisScale.Of(highest, ticks: 4, whole: true).ShouldBe(new AxisScale(max, step));

    [Fact]
    public void Terms_survive_the_editor_unchanged()
    {
        var terms = new PlanTerms("EUR",
            [new FlatPrice(29m), new GraduatedPrice([new Tier(20_000, 0m), new Tier(null, 0.0006m)]), new GraduatedPrice([new Tier(null, 2m)], "tokens")],
            [new RateLimit("second", 50, 1_000), new RateLimit("odd", 7, 1_500), new RateLimit("day", 9, 86_400_000, 3),
                new RateLimit("search", 5, 1_000, null, new LimitReach(LimitPer.Key, ["search"], "second", Shadow: true))],
            [new PlanQuota("month", 50_000, QuotaPeriod.Month, false), new PlanQuota("day", 10, QuotaPeriod.Day, true)], LedgerLoss.Closed);
        var (read, errors) = new TermsDraft(terms).Read();
        errors.ShouldBeEmpty();
        read!.Currency.ShouldBe("EUR");
        read.OnLedgerLoss.ShouldBe(LedgerLoss.Closed);
        read.Limits.ShouldBe(terms.Limits);
        read.Quotas.ShouldBe(terms.Quotas);
        read.Prices.OfType<FlatPrice>().Single().Fee.ShouldBe(29m);
        read.Prices.OfType<GraduatedPrice>().Select(p => (p.Meter, Tiers: string.Join('|', p.Tiers)))
            .ShouldBe(terms.Prices.OfType<GraduatedPrice>().Select(p => (p.Meter, Tiers: string.Join('|', p.Tiers))));
    }

    [Fact]
    public void What_is_no_number_is_named()
    {
        var draft = new TermsDraft(null) { Fee = "a lot" };
        draft.Limits[0].Units = "ten";
        draft.Tiers.Add(new TermsDraft.TierRow { UpTo = "1.5", UnitPrice = "" });
        var (terms, errors) = draft.Read();
        terms.ShouldBeNull();
        errors.Keys.ShouldBe(["prices", "limits"], ignoreOrder: true);
        errors["limits"].ShouldContain("ten");
    }
}
