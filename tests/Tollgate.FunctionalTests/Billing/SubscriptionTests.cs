using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;

namespace Tollgate.FunctionalTests.Billing;

public sealed class SubscriptionTests
{
    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Who_subscribes_is_told_to_the_gateways(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("pro");
        subscription.State.ShouldBe(SubscriptionState.Active);
        subscription.Anchor.ShouldBe(new DateTimeOffset(2026, 3, 10, 12, 0, 0, TimeSpan.Zero));

        var item = (await billing.FeedAsync()).Items.ShouldHaveSingleItem().ShouldBeOfType<EntitlementItem>();
        item.Subscription.ShouldBe(subscription.Id);
        item.Application.ShouldBe(subscription.Application);
        (item.Product, item.Plan, item.State).ShouldBe(("weather", "pro v1", EntitlementState.Active));
        item.Limits.ShouldBe([new RateLimit("minute", 100, 60_000)]);
        item.Quotas.ShouldBe([new Quota("month", 50_000, QuotaPeriod.Month, Hard: false, subscription.Anchor.ToUnixTimeMilliseconds())]);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task A_change_of_plan_is_one_change_in_the_feed(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("free");
        await billing.SubscribeAsync("free");
        var before = await billing.FeedAsync();

        var changed = (await billing.Subscriptions.ChangePlanAsync(subscription.Organisation, subscription.Id, (await billing.PlanAsync("business")).Id, default))
            .ShouldBeOfType<SubscriptionOutcome.Changed>().Subscription;

        changed.PlanName.ShouldBe("business");
        changed.Anchor.ShouldBe(subscription.Anchor);
        var delta = (await billing.FeedAsync(before.Version, before.Epoch)).Items.ShouldHaveSingleItem().ShouldBeOfType<EntitlementItem>();
        (delta.Subscription, delta.Plan, delta.Limits.Count).ShouldBe((subscription.Id, "business v1", 2));

        var after = await billing.FeedAsync();
        (await billing.Subscriptions.ChangePlanAsync(subscription.Organisation, subscription.Id, changed.PlanId, default)).ShouldBeOfType<SubscriptionOutcome.Changed>();
        (await billing.FeedAsync()).Version.ShouldBe(after.Version, "nothing changed, so nothing is told");
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task An_application_has_one_subscription_to_a_product_until_it_cancels(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var (organisation, application) = (OrganisationId.New(), AppId.New());
        var (free, pro) = ((await billing.PlanAsync("free")).Id, (await billing.PlanAsync("pro")).Id);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(i =>
            billing.Subscriptions.SubscribeAsync(organisation, application, i % 2 == 0 ? free : pro, default)));
        var first = outcomes.OfType<SubscriptionOutcome.Subscribed>().ShouldHaveSingleItem().Subscription;
        outcomes.OfType<SubscriptionOutcome.AlreadySubscribed>().Count().ShouldBe(5);

        (await billing.Subscriptions.CancelAsync(organisation, first.Id, default)).ShouldBeOfType<SubscriptionOutcome.Changed>();
        (await billing.FeedAsync()).Items.ShouldHaveSingleItem().ShouldBeOfType<EntitlementItem>().State.ShouldBe(EntitlementState.Cancelled);
        var second = await billing.SubscribeAsync("pro", organisation, application);
        (await billing.FeedAsync()).Items.Select(item => (item.Key, ((EntitlementItem)item).State))
            .ShouldBe([(first.Id.ToString(), EntitlementState.Cancelled), (second.Id.ToString(), EntitlementState.Active)]);
        (await billing.Subscriptions.ListAsync(organisation, default)).ShouldHaveSingleItem().Id.ShouldBe(second.Id);
        (await billing.Subscriptions.ListAsync(organisation, default, withCancelled: true)).Count.ShouldBe(2);
        (await billing.Subscriptions.ResumeAsync(first.Id, default)).ShouldBe(new SubscriptionOutcome.WrongState(SubscriptionState.Cancelled));
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Gateways_are_told_for_a_month_that_a_subscription_was_cancelled(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var (organisation, application) = (OrganisationId.New(), AppId.New());
        var first = await billing.SubscribeAsync("pro", organisation, application);
        await billing.Subscriptions.CancelAsync(organisation, first.Id, default);
        var told = (await billing.FeedAsync()).Items.ShouldHaveSingleItem().ShouldBeOfType<EntitlementItem>();
        (told.Subscription, told.State, told.Limits.Count, told.Quotas.Count).ShouldBe((first.Id, EntitlementState.Cancelled, 0, 0));

        billing.Clock.Advance(TimeSpan.FromDays(29));
        var second = await billing.SubscribeAsync("pro", organisation, application);
        (await billing.Tidying.TidyAsync(default)).ShouldBe(0);
        var before = await billing.FeedAsync();
        before.Items.Count.ShouldBe(2);

        billing.Clock.Advance(TimeSpan.FromDays(2));
        (await billing.Tidying.TidyAsync(default)).ShouldBe(1);
        (await billing.Tidying.TidyAsync(default)).ShouldBe(0);
        (await billing.FeedAsync(before.Version, before.Epoch)).Items.ShouldHaveSingleItem().ShouldBe(new RemovedItem("entitlement", first.Id.ToString()));
        (await billing.FeedAsync()).Items.ShouldHaveSingleItem().ShouldBeOfType<EntitlementItem>().Subscription.ShouldBe(second.Id);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Who_subscribes_twice_is_told_so_and_the_log_says_nothing_of_a_failure(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var first = await billing.SubscribeAsync("free");
        var logs = new Identity.RecordedLogs();
        billing.Services.GetRequiredService<ILoggerFactory>().AddProvider(logs);
        foreach (var plan in new[] { "free", "pro" })
        {
            (await billing.Subscriptions.SubscribeAsync(first.Organisation, first.Application, (await billing.PlanAsync(plan)).Id, default))
                .ShouldBeOfType<SubscriptionOutcome.AlreadySubscribed>();
        }
        logs.All.ShouldNotContain("Exception");
        logs.All.ShouldNotContain("Error ");
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task A_plan_that_asks_for_approval_waits_for_it(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var business = await billing.PlanAsync("business");
        await billing.Catalogue.SavePlanAsync(business.Id, new PlanForm("Business", "", 3, RequiresApproval: true), default);
        var (organisation, application) = (OrganisationId.New(), AppId.New());
        var waiting = (await billing.Subscriptions.SubscribeAsync(organisation, application, business.Id, default))
            .ShouldBeOfType<SubscriptionOutcome.PendingApproval>().Subscription;
        State().ShouldBe(EntitlementState.Pending);
        (await billing.Invoices.DraftAsync(organisation, default)).ShouldBeEmpty("nothing is owed for what does not run");

        billing.Clock.Advance(TimeSpan.FromDays(3));
        var approved = (await billing.Subscriptions.ApproveAsync(waiting.Id, default)).ShouldBeOfType<SubscriptionOutcome.Changed>().Subscription;
        approved.Anchor.ShouldBe(waiting.Anchor + TimeSpan.FromDays(3));
        State().ShouldBe(EntitlementState.Active);
        (await billing.Subscriptions.ApproveAsync(waiting.Id, default)).ShouldBe(new SubscriptionOutcome.WrongState(SubscriptionState.Active));

        var free = await billing.SubscribeAsync("free");
        (await billing.Subscriptions.ChangePlanAsync(free.Organisation, free.Id, business.Id, default)).ShouldBeOfType<SubscriptionOutcome.PlanNeedsApproval>();
        (await billing.Subscriptions.ReassignAsync(free.Id, business.Id, default)).ShouldBeOfType<SubscriptionOutcome.Changed>();

        var refused = (await billing.Subscriptions.SubscribeAsync(OrganisationId.New(), AppId.New(), business.Id, default))
            .ShouldBeOfType<SubscriptionOutcome.PendingApproval>().Subscription;
        (await billing.Subscriptions.RejectAsync(refused.Id, default)).ShouldBeOfType<SubscriptionOutcome.Changed>();
        (await billing.FeedAsync()).Items.ShouldNotContain(i => i.Key == refused.Id.ToString());

        EntitlementState State() => billing.FeedAsync().Result.Items.OfType<EntitlementItem>().Single(i => i.Subscription == waiting.Id).State;
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Pause_and_resume_reach_the_gateways(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("free");
        await billing.Subscriptions.PauseAsync(subscription.Id, default);
        (await billing.FeedAsync()).Items.ShouldHaveSingleItem().ShouldBeOfType<EntitlementItem>().State.ShouldBe(EntitlementState.Paused);
        await billing.Subscriptions.ResumeAsync(subscription.Id, default);
        (await billing.FeedAsync()).Items.ShouldHaveSingleItem().ShouldBeOfType<EntitlementItem>().State.ShouldBe(EntitlementState.Active);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Another_organisations_subscription_is_not_found(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var theirs = await billing.SubscribeAsync("free");
        var me = OrganisationId.New();
        var pro = (await billing.PlanAsync("pro")).Id;
        (await billing.Subscriptions.GetAsync(me, theirs.Id, default)).ShouldBeNull();
        (await billing.Subscriptions.ListAsync(me, default)).ShouldBeEmpty();
        (await billing.Subscriptions.CancelAsync(me, theirs.Id, default)).ShouldBeOfType<SubscriptionOutcome.NotFound>();
        (await billing.Subscriptions.ChangePlanAsync(me, theirs.Id, pro, default)).ShouldBeOfType<SubscriptionOutcome.NotFound>();
        (await billing.Subscriptions.GetAsync(theirs.Organisation, theirs.Id, default))!.PlanName.ShouldBe("free");
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Changes_at_the_same_time_are_all_made_one_after_the_other(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("free");
        var plans = (await billing.Catalogue.GetAsync("weather", default))!.Product.Plans;
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            await Task.Yield();
            return await billing.Subscriptions.ChangePlanAsync(subscription.Organisation, subscription.Id, plans[i % 3].Id, default);
        }));
        outcomes.ShouldAllBe(o => o is SubscriptionOutcome.Changed);
        var now = (await billing.Subscriptions.GetAsync(subscription.Organisation, subscription.Id, default))!;
        (await billing.FeedAsync()).Items.ShouldHaveSingleItem().ShouldBeOfType<EntitlementItem>().PlanVersion.ShouldBe(now.Version.Id, "the feed tells the last of them");
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Admins_see_a_products_subscribers_in_pages_and_assign_private_plans(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        for (var i = 0; i < 28; i++) await billing.SubscribeAsync("free");
        var page = await billing.Subscriptions.ListForProductAsync("weather", 2, default);
        (page.Items.Count, page.Number, page.Pages, page.Total).ShouldBe((3, 2, 2, 28));
        (await billing.Subscriptions.CountByProductAsync(default)).ShouldHaveSingleItem().ShouldBe(KeyValuePair.Create("weather", new SubscriberCount(28, 0)));

        var pro = await billing.PlanAsync("pro");
        await billing.Catalogue.SavePlanAsync(pro.Id, new PlanForm("Pro", "", 2, IsPublic: false), default);
        (await billing.Subscriptions.SubscribeAsync(OrganisationId.New(), AppId.New(), pro.Id, default)).ShouldBeOfType<SubscriptionOutcome.PlanNotFound>();
        (await billing.Subscriptions.AssignAsync(OrganisationId.New(), AppId.New(), pro.Id, default)).ShouldBeOfType<SubscriptionOutcome.Subscribed>();
    }
}
