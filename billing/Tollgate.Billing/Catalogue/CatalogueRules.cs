using System.Text.Json;
using System.Text.RegularExpressions;
using Tollgate.Billing.Rating;
using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Scopes;
using Tollgate.Contracts.Usage;

namespace Tollgate.Billing.Catalogue;

/// <summary>What a product, a plan and its terms must be like. One sentence a field says what to do.</summary>
internal static partial class CatalogueRules
{
    public const int NameLength = 64;
    public const int TitleLength = 100;
    public const int DescriptionLength = 2_000;
    public const int PathLength = 200;
    private const int OpenApiLength = 2 * 1024 * 1024;
    private const int Most = 20;
    private const long MostUnits = 1_000_000_000_000;
    private const decimal MostMoney = 1_000_000_000;
    private const int PriceDecimals = 12;
    private const long ShortestWindowMs = 100;
    private const long LongestWindowMs = 31L * 24 * 60 * 60 * 1000;

    public static Dictionary<string, string> Check(string name, ProductForm form)
    {
        var errors = new Dictionary<string, string>();
        CheckName(errors, name);
        CheckTexts(errors, form.Title, form.Description);
        if (form.BasePath.Length > PathLength || !BasePath().IsMatch(form.BasePath))
            errors["basePath"] = $"The base path starts with / and holds letters, digits, -, _, . and /, at most {PathLength} characters, such as /weather/v1.";
        if (OpenApiError(form.OpenApi) is { } error) errors["openApi"] = error;
        if (ScopesError(form.Scopes ?? []) is { } scopes) errors["scopes"] = scopes;
        return errors;
    }

    public static Dictionary<string, string> Check(string name, PlanForm form)
    {
        var errors = new Dictionary<string, string>();
        CheckName(errors, name);
        CheckTexts(errors, form.Title, form.Description);
        if (form.Order is < 0 or > 1000) errors["order"] = "The order is a number from 0 to 1000.";
        return errors;
    }

    public static Dictionary<string, string> Check(PlanTerms terms)
    {
        var errors = new Dictionary<string, string>();
        if (!Currency.TryParse(terms.Currency, out _)) errors["currency"] = "The currency is a code of ISO 4217 in capitals, such as EUR.";
        if (PricesError(terms.Prices) is { } prices) errors["prices"] = prices;
        if (LimitsError(terms) is { } limits) errors["limits"] = limits;
        if (QuotasError(terms) is { } quotas) errors["quotas"] = quotas;
        if (ConcurrencyError(terms) is { } concurrency) errors["concurrency"] = concurrency;
        if (SpendCapError(terms) is { } cap) errors["spendCap"] = cap;
        if (!Enum.IsDefined(terms.OnLedgerLoss)) errors["onLedgerLoss"] = "On loss of the ledger a plan says fair-share, closed or open.";
        return errors;
    }

    private static void CheckName(Dictionary<string, string> errors, string name)
    {
        if (name.Length > NameLength || !Slug().IsMatch(name))
            errors["name"] = $"A name has 1 to {NameLength} lower-case letters, digits and hyphens, and begins and ends with a letter or digit, such as weather.";
    }

    private static void CheckTexts(Dictionary<string, string> errors, string title, string description)
    {
        if (string.IsNullOrWhiteSpace(title) || title.Length > TitleLength || title.Any(char.IsControl))
            errors["title"] = $"A title has 1 to {TitleLength} characters on one line.";
        if (description.Length > DescriptionLength || description.Contains('\0'))
            errors["description"] = $"A description has at most {DescriptionLength} characters.";
    }

    private static string? ScopesError(IReadOnlyList<string> scopes)
    {
        if (scopes.Count > Most) return $"A product has at most {Most} scopes.";
        if (scopes.Any(s => s is null || !ScopeNames.IsWellFormed(s)))
            return $"A scope has 1 to {ScopeNames.MaxLength} visible ASCII characters, without spaces, quotes and backslashes, such as weather.read.";
        if (scopes.FirstOrDefault(ScopeNames.IsReserved) is { } taken) return $"{taken} means something else already: choose another name.";
        return scopes.Distinct().Count() < scopes.Count ? "A scope is there twice." : null;
    }

    private static string? OpenApiError(string document)
    {
        if (document.Length > OpenApiLength || document.Contains('\0')) return "The OpenAPI document has at most 2 MiB of text.";
        if (!document.AsSpan().TrimStart().StartsWith("{")) return null;   // YAML is read by those who show it
        try
        {
            using var json = JsonDocument.Parse(document);
            return json.RootElement.TryGetProperty("openapi", out _) ? null : "The document has no openapi member: it is not an OpenAPI 3 document.";
        }
        catch (JsonException wrong)
        {
            return $"The OpenAPI document is not JSON: line {wrong.LineNumber + 1} cannot be read.";
        }
    }

    private static string? PricesError(IReadOnlyList<Price> prices)
    {
        if (prices.Count > Most) return $"A plan has at most {Most} prices.";
        var meters = new HashSet<string>();
        foreach (var price in prices)
        {
            var error = price switch
            {
                FlatPrice flat => IsMoney(flat.Fee) ? null : "A base fee is from 0 to 1,000,000,000 with at most 12 decimals.",
                GraduatedPrice graduated => !SlugOrWord().IsMatch(graduated.Meter) || graduated.Meter.Length > 64
                    ? "A meter's name has letters, digits, - and _, such as requests."
                    : graduated.Meter == Meters.Test ? "The meter test counts calls with test keys, which cost nothing; give the price another."
                    : meters.Add(graduated.Meter) ? TiersError(graduated.Tiers) : $"The meter {graduated.Meter} has two prices; give it one.",
                _ => "This kind of price is not known.",
            };
            if (error is not null) return error;
        }

        return null;
    }

    private static string? TiersError(IReadOnlyList<Tier> tiers)
    {
        if (tiers.Count is 0 or > Most) return $"A graduated price has 1 to {Most} tiers.";
        var before = 0m;
        for (var i = 0; i < tiers.Count; i++)
        {
            var (upTo, unitPrice) = tiers[i];
            if (!IsMoney(unitPrice)) return "A unit price is from 0 to 1,000,000,000 with at most 12 decimals.";
            if (i == tiers.Count - 1) return upTo is null ? null : "The last tier has no end: leave its upper bound empty.";
            if (upTo is not { } end || end <= before || end > MostUnits || end != decimal.Truncate(end))
                return "Each tier but the last ends at a whole number of units above the tier before.";
            before = end;
        }

        return null;
    }

    private static string? LimitsError(PlanTerms terms)
    {
        if (terms.Limits.Count > Most) return $"A plan has at most {Most} limits.";
        foreach (var limit in terms.Limits)
        {
            if (NameError(terms, limit.Name) is { } error) return error;
            if (limit.Units is < 1 or > MostUnits) return $"The limit {limit.Name} allows 1 to 1,000,000,000,000 units.";
            if (limit.Burst is { } burst && (burst < 1 || burst > limit.Units)) return $"The burst of {limit.Name} is from 1 to what the limit allows.";
            if (ReachError(terms, limit) is { } reach) return reach;
            if (limit.WindowMs is < ShortestWindowMs or > LongestWindowMs) return $"The window of {limit.Name} is from 100 milliseconds to 31 days.";
        }

        return null;
    }

    private static string? ReachError(PlanTerms terms, Contracts.Feeds.RateLimit limit)
    {
        if (limit.Reach is not { } reach) return null;
        if (!Enum.IsDefined(reach.Per)) return $"The limit {limit.Name} is per subscription, organisation or key.";
        if (reach.Operations is { } operations && (operations.Count is 0 or > Most || operations.Any(name => name.Length is 0 or > PathLength)))
            return $"The limit {limit.Name} names 1 to {Most} operations, or is for all.";
        if (reach.Overrides is { } overridden && (reach.Operations is null || overridden == limit.Name || terms.Limits.All(other => other.Name != overridden)))
            return $"The limit {limit.Name} takes the place of another limit of the plan, for the operations that it names.";
        return null;
    }

    private static string? QuotasError(PlanTerms terms)
    {
        if (terms.Quotas.Count > Most) return $"A plan has at most {Most} quotas.";
        foreach (var quota in terms.Quotas)
        {
            if (NameError(terms, quota.Name) is { } error) return error;
            if (quota.Units is < 1 or > MostUnits) return $"The quota {quota.Name} holds 1 to 1,000,000,000,000 units.";
            if (!Enum.IsDefined(quota.Period)) return $"The period of {quota.Name} is day, week or month.";
        }

        return null;
    }

    private static string? ConcurrencyError(PlanTerms terms)
    {
        if (terms.Concurrency is not { } limits) return null;
        if (limits.Count > Most) return $"A plan has at most {Most} limits of calls at a time.";
        foreach (var limit in limits)
        {
            if (NameError(terms, limit.Name) is { } error) return error;
            if (limit.Calls is < 1 or > 1_000_000) return $"The limit {limit.Name} allows 1 to 1,000,000 calls at a time.";
            if (limit.Reach is not { } reach) continue;
            if (!Enum.IsDefined(reach.Per)) return $"The limit {limit.Name} is per subscription, organisation or key.";
            if (reach.Overrides is not null) return $"The limit {limit.Name} of calls at a time takes the place of no other.";
            if (reach.Operations is { } operations && (operations.Count is 0 or > Most || operations.Any(name => name.Length is 0 or > PathLength)))
                return $"The limit {limit.Name} names 1 to {Most} operations, or is for all.";
        }

        return null;
    }

    private static string? SpendCapError(PlanTerms terms)
    {
        if (terms.SpendCap is not { } cap) return null;
        if (cap <= 0 || !IsMoney(cap)) return "A spend cap is above 0 and at most 1,000,000,000 with at most 12 decimals.";
        if (PricesError(terms.Prices) is not null) return null;    // told there
        return SpendCap.UnitsFor(cap, terms.Prices) switch
        {
            null => "Calls of this plan never cost as much as its spend cap. Give them a price, or leave the cap empty.",
            0 => "The spend cap does not buy a single call. Raise it.",
            > MostUnits => "The spend cap buys more calls than can be counted. Lower it, or leave it empty.",
            _ => null,
        };
    }

    private static string? NameError(PlanTerms terms, string name)
    {
        if (name.Length > 40 || !SlugOrWord().IsMatch(name)) return "A limit's or quota's name has 1 to 40 letters, digits, - and _, such as minute.";
        var uses = terms.Limits.Count(l => l.Name == name) + terms.Quotas.Count(q => q.Name == name) + (terms.Concurrency ?? []).Count(c => c.Name == name)
            + (terms.SpendCap is not null && name == Quota.SpendCap ? 1 : 0);
        return uses > 1 ? $"Two limits or quotas are called {name}; callers tell them apart by name." : null;
    }

    private static bool IsMoney(decimal amount) => amount is >= 0 and <= MostMoney && decimal.Round(amount, PriceDecimals) == amount;

    [GeneratedRegex(@"\A[a-z0-9]([a-z0-9-]*[a-z0-9])?\z")]
    private static partial Regex Slug();

    [GeneratedRegex(@"\A[A-Za-z0-9_-]+\z")]
    private static partial Regex SlugOrWord();

    [GeneratedRegex(@"\A/[A-Za-z0-9/._-]*\z")]
    private static partial Regex BasePath();
}
