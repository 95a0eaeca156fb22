using Tollgate.Billing.Invoicing;
using Tollgate.Contracts;

namespace Tollgate.Billing.Metering;

/// <summary>Which usage is looked at: all of an organisation's, or one application's, one product's, or both.</summary>
/// <param name="Test">Calls with test keys, which are counted apart, in the place of all others.</param>
public sealed record UsageFilter(AppId? Application = null, string? Product = null, bool Test = false);

/// <summary>How finely a series is cut.</summary>
public enum UsageBucket
{
    Minute,
    Hour,
}

/// <summary>Usage from one moment to the next bucket's.</summary>
/// <param name="Errors">Calls answered with a status from 400 on.</param>
public sealed record UsagePoint(DateTimeOffset At, long Calls, long Units, long Errors);

/// <summary>A subscription's usage in its running billing period.</summary>
/// <param name="Errors">Calls answered with a status from 400 on.</param>
/// <param name="TestCalls">Calls with test keys, which are in none of the other numbers, and on no invoice.</param>
public sealed record UsageSum(
    SubscriptionId Subscription, AppId Application, string ProductName, string ProductTitle, BillingPeriod Period, long Calls, long Units, long Errors,
    long TestCalls = 0, long TestUnits = 0);
