using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Rating;
using Tollgate.Billing.Storage;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Billing.Catalogue;

/// <summary>The product that a first start shows: current weather by city, in three plans.</summary>
internal static class DemoCatalogue
{
    private const string Planted = "demo-catalogue";
    private const long Second = 1_000;
    private const long Minute = 60 * Second;

    /// <summary>Plants it once in the life of a database: what an admin changes or deletes stays as the admin left it.</summary>
    public static async Task PlantOnceAsync(BillingDb db, string openApi, DateTimeOffset now, CancellationToken cancel)
    {
        if (await db.Milestones.AnyAsync(m => m.Name == Planted, cancel)) return;
        db.Add(new Milestone { Name = Planted, At = now });
        if (!await db.Products.AnyAsync(p => p.Name == "weather", cancel)) AddWeather(db, openApi, now);
        await db.SaveChangesAsync(cancel);
    }

    private static void AddWeather(BillingDb db, string openApi, DateTimeOffset now)
    {
        var weather = new Product
        {
            Id = ProductId.New(),
            Name = "weather",
            Title = "Weather",
            Description = "Current weather by city, from a small data set that never changes: made for trying things out.",
            BasePath = "/weather/v1",
            OpenApi = openApi,
            IsPublished = true,
            CreatedAt = now,
        };
        db.Add(weather);
        var position = 0;
        Plan("free", "Free", "To look around.", false, new PlanTerms("EUR",
            [new FlatPrice(0m)],
            [new RateLimit("minute", 10, Minute)],
            [new PlanQuota("month", 1_000, QuotaPeriod.Month, Hard: true)]));
        Plan("pro", "Pro", "For an application with users.", true, new PlanTerms("EUR",
            [new FlatPrice(29m), new GraduatedPrice([new Tier(20_000, 0.01m), new Tier(100_000, 0.005m), new Tier(null, 0.002m)])],
            [new RateLimit("minute", 100, Minute)],
            [new PlanQuota("month", 50_000, QuotaPeriod.Month, Hard: false)]));
        Plan("business", "Business", "For a product that depends on it.", false, new PlanTerms("EUR",
            [new FlatPrice(199m), new GraduatedPrice([new Tier(500_000, 0m), new Tier(2_000_000, 0.0004m), new Tier(null, 0.0002m)])],
            [new RateLimit("minute", 1_000, Minute), new RateLimit("second", 50, Second)],
            [new PlanQuota("month", 1_000_000, QuotaPeriod.Month, Hard: false)]));

        void Plan(string name, string title, string description, bool isPopular, PlanTerms terms)
        {
            var plan = new Plan
            {
                Id = PlanId.New(),
                ProductId = weather.Id,
                Name = name,
                Title = title,
                Description = description,
                Position = ++position,
                RequiresApproval = false,
                IsPublic = true,
                IsPopular = isPopular,
                CreatedAt = now,
            };
            db.AddRange(plan, PlanVersion.Of(plan.Id, 1, terms, now));
        }
    }
}
