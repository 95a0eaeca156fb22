using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Rating;
using Tollgate.Contracts.Feeds;

namespace Tollgate.FunctionalTests.Billing;

public sealed class CatalogueTests
{
    private static readonly ProductForm Maps = new("Maps", "Tiles.", "/maps/v2", """{ "openapi": "3.1.0" }""", IsPublished: true);
    private static readonly PlanForm Basic = new("Basic", "For a start.", 1);

    private static readonly PlanTerms Terms = new("EUR", [new FlatPrice(10m), GraduatedPrice.PerUnit(0.002m)],
        [new RateLimit("minute", 60, 60_000)], [new PlanQuota("month", 1_000, QuotaPeriod.Month, Hard: true)], LedgerLoss.Closed);

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task What_is_published_comes_back_as_it_was_said(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres, seedDemo: false);
        (await billing.Catalogue.CreateProductAsync("maps", Maps, default)).ShouldBeOfType<CatalogueOutcome.ProductSaved>();
        var plan = (await billing.Catalogue.CreatePlanAsync("maps", "basic", Basic, default)).ShouldBeOfType<CatalogueOutcome.PlanSaved>().Plan;
        (await billing.Catalogue.ListPublishedAsync(default)).ShouldHaveSingleItem().Plans.ShouldBeEmpty("a plan without terms cannot be offered");

        (await billing.Catalogue.PublishPlanVersionAsync(plan.Id, Terms, default)).ShouldBeOfType<CatalogueOutcome.VersionPublished>().Version.Number.ShouldBe(1);

        var current = (await billing.Catalogue.ListPublishedAsync(default)).ShouldHaveSingleItem().Plans.ShouldHaveSingleItem().Current!;
        current.Number.ShouldBe(1);
        current.Terms.IsSameAs(Terms).ShouldBeTrue();
        current.Terms.Prices.ShouldBe([new FlatPrice(10m), current.Terms.Prices[1]]);
        current.Terms.Prices[1].ShouldBeOfType<GraduatedPrice>().Tiers.ShouldHaveSingleItem().ShouldBe(new Tier(null, 0.002m));
        (await billing.Catalogue.GetPublishedAsync("maps", default))!.OpenApi.ShouldBe(Maps.OpenApi);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task A_change_of_terms_is_a_new_version_and_subscribers_stay_on_theirs_until_moved(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("pro");
        var pro = await billing.PlanAsync("pro");
        var dearer = pro.Current!.Terms with { Prices = [new FlatPrice(39m)] };

        (await billing.Catalogue.PublishPlanVersionAsync(pro.Id, dearer, default)).ShouldBeOfType<CatalogueOutcome.VersionPublished>().Version.Number.ShouldBe(2);
        (await billing.Catalogue.PublishPlanVersionAsync(pro.Id, dearer with { Prices = [new FlatPrice(39.00m)] }, default))
            .ShouldBeOfType<CatalogueOutcome.VersionPublished>().IsNew.ShouldBeFalse();

        var seen = (await billing.Subscriptions.GetAsync(subscription.Organisation, subscription.Id, default))!;
        (seen.Version.Number, seen.LatestVersion).ShouldBe((1, 2));
        (await billing.Catalogue.HistoryAsync(pro.Id, default)).Select(h => (h.Version.Number, h.Subscribers)).ShouldBe([(2, 0), (1, 1)]);

        await billing.Subscriptions.MoveToLatestAsync(subscription.Id, default);
        (await billing.Catalogue.HistoryAsync(pro.Id, default)).Select(h => (h.Version.Number, h.Subscribers)).ShouldBe([(2, 1), (1, 0)]);
        (await billing.Catalogue.HistoryAsync(pro.Id, default))[1].Version.Terms.IsSameAs(pro.Current.Terms).ShouldBeTrue("a version never changes");
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task All_subscribers_of_a_plan_can_be_moved_at_once(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        for (var i = 0; i < 3; i++) await billing.SubscribeAsync("pro");
        var free = await billing.SubscribeAsync("free");
        var pro = await billing.PlanAsync("pro");
        await billing.Catalogue.PublishPlanVersionAsync(pro.Id, pro.Current!.Terms with { Limits = [new RateLimit("minute", 200, 60_000)] }, default);
        (await billing.Subscriptions.MoveAllToLatestAsync(pro.Id, default)).ShouldBe(3);
        (await billing.Subscriptions.MoveAllToLatestAsync(pro.Id, default)).ShouldBe(0);
        var told = (await billing.FeedAsync()).Items.Cast<EntitlementItem>().ToList();
        told.Where(i => i.Subscription != free.Id).ShouldAllBe(i => i.Plan == "pro v2" && i.Limits.Single().Units == 200);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Two_admins_who_publish_at_once_make_two_versions(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var pro = await billing.PlanAsync("pro");
        await Task.WhenAll(Enumerable.Range(1, 6).Select(fee =>
            billing.Catalogue.PublishPlanVersionAsync(pro.Id, pro.Current!.Terms with { Prices = [new FlatPrice(fee)] }, default)));
        (await billing.Catalogue.HistoryAsync(pro.Id, default)).Select(h => h.Version.Number).ShouldBe([7, 6, 5, 4, 3, 2, 1]);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Nobody_sees_drafts_private_plans_or_archived_ones(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var form = new PlanForm("Pro", "", 2);
        var pro = await billing.PlanAsync("pro");
        await billing.Catalogue.SavePlanAsync(pro.Id, form with { IsPublic = false }, default);
        await billing.Catalogue.ArchivePlanAsync((await billing.PlanAsync("business")).Id, default);
        (await billing.Catalogue.GetPublishedAsync("weather", default))!.Product.Plans.ShouldHaveSingleItem().Name.ShouldBe("free");
        (await billing.Catalogue.ListAllAsync(default)).ShouldHaveSingleItem().Plans.Count.ShouldBe(3);

        await billing.Catalogue.SaveProductAsync("weather", Maps with { IsPublished = false }, default);
        (await billing.Catalogue.ListPublishedAsync(default)).ShouldBeEmpty();
        (await billing.Catalogue.GetPublishedAsync("weather", default)).ShouldBeNull();
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task The_demo_is_planted_once_whatever_becomes_of_it(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        (await billing.Catalogue.ListPublishedAsync(default)).ShouldHaveSingleItem().Plans.Select(p => p.Name).ShouldBe(["free", "pro", "business"]);
        (await billing.Catalogue.DeleteProductAsync("weather", default)).ShouldBeOfType<CatalogueOutcome.Deleted>();

        await using var again = await billing.StartAnotherAsync();
        (await again.Catalogue.ListAllAsync(default)).ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Two_nodes_may_start_at_once(bool postgres)
    {
        await using var first = await BillingHost.StartAsync(postgres, seedDemo: false);
        var nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => first.StartAnotherAsync()));
        (await first.Catalogue.ListAllAsync(default)).ShouldHaveSingleItem().Plans.Count.ShouldBe(3);
        foreach (var node in nodes) await node.DisposeAsync();
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task What_has_subscribers_is_not_deleted_and_a_name_is_given_once(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        await billing.SubscribeAsync("free");
        (await billing.Catalogue.DeleteProductAsync("weather", default)).ShouldBeOfType<CatalogueOutcome.InUse>();
        (await billing.Catalogue.CreateProductAsync("weather", Maps, default)).ShouldBe(new CatalogueOutcome.NameTaken("weather"));
        (await billing.Catalogue.CreatePlanAsync("weather", "pro", Basic, default)).ShouldBe(new CatalogueOutcome.NameTaken("pro"));
        (await billing.Catalogue.CreatePlanAsync("nothing", "pro", Basic, default)).ShouldBeOfType<CatalogueOutcome.NotFound>();
    }
}
