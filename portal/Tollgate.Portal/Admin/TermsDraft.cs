using System.Globalization;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Rating;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Portal.Admin;

/// <summary>A plan's terms while an admin types them: texts that may not be numbers yet.</summary>
internal sealed class TermsDraft
{
    public const string Refused = "refused";
    public const string Billed = "billed";
    public const string Enforced = "enforced";
    public const string Reported = "reported";

    public sealed class LimitRow
    {
        public string Name { get; set; } = "";
        public string Units { get; set; } = "";
        public string Count { get; set; } = "1";
        public long UnitMs { get; set; } = 60_000;

        /// <summary>How many may come at once; empty = all of them.</summary>
        public string Burst { get; set; } = "";

        public LimitPer Per { get; set; } = LimitPer.Subscription;

        /// <summary><see cref="Enforced"/> or <see cref="Reported"/>: what a select can hold.</summary>
        public string Mode { get; set; } = Enforced;

        /// <summary>The routes that it is for, as the API gave them; null = all.</summary>
        public IReadOnlyList<string>? Operations { get; init; }

        public string? Overrides { get; init; }

        public LimitReach? Reach =>
            Per == LimitPer.Subscription && Mode == Enforced && Operations is null && Overrides is null ? null : new(Per, Operations, Overrides, Mode == Reported);
    }

    public sealed class QuotaRow
    {
        public string Name { get; set; } = "";
        public string Units { get; set; } = "";
        public QuotaPeriod Period { get; set; } = QuotaPeriod.Month;

        /// <summary><see cref="Refused"/>, <see cref="Billed"/> or <see cref="Reported"/>: what a select can hold.</summary>
        public string Beyond { get; set; } = Refused;
    }

    public sealed class ConcurrencyRow
    {
        public string Name { get; set; } = "";
        public string Calls { get; set; } = "";
        public LimitPer Per { get; set; } = LimitPer.Subscription;

        /// <summary><see cref="Enforced"/> or <see cref="Reported"/>: what a select can hold.</summary>
        public string Mode { get; set; } = Enforced;

        /// <summary>The routes that it is for, as the API gave them; null = all.</summary>
        public IReadOnlyList<string>? Operations { get; init; }

        public LimitReach? Reach => Per == LimitPer.Subscription && Mode == Enforced && Operations is null ? null : new(Per, Operations, null, Mode == Reported);
    }

    public sealed class TierRow
    {
        public string UpTo { get; set; } = "";
        public string UnitPrice { get; set; } = "";
    }

    private readonly IReadOnlyList<Price> _others;

    public TermsDraft(PlanTerms? from)
    {
        Currency = from?.Currency ?? "EUR";
        OnLedgerLoss = from?.OnLedgerLoss ?? LedgerLoss.FairShare;
        var flat = from?.Prices.OfType<FlatPrice>().FirstOrDefault();
        var calls = from?.Prices.OfType<GraduatedPrice>().FirstOrDefault(p => p.Meter == Price.DefaultMeter);
        _others = [.. (from?.Prices ?? []).Where(p => !ReferenceEquals(p, flat) && !ReferenceEquals(p, calls))];    // other meters stay as they are
        Fee = Text(flat?.Fee ?? 0);
        Tiers = [.. (calls?.Tiers ?? []).Select(t => new TierRow { UpTo = t.UpTo is { } end ? Text(end) : "", UnitPrice = Text(t.UnitPrice) })];
        Limits = [.. (from?.Limits ?? []).Select(Row)];
        Quotas = [.. (from?.Quotas ?? []).Select(q => new QuotaRow { Name = q.Name, Units = Text(q.Units), Period = q.Period, Beyond = q.Shadow ? Reported : q.Hard ? Refused : Billed })];
        Concurrency = [.. (from?.Concurrency ?? []).Select(c => new ConcurrencyRow
        {
            Name = c.Name, Calls = Text(c.Calls), Per = c.Reach?.Per ?? LimitPer.Subscription,
            Mode = c.Reach?.Shadow == true ? Reported : Enforced, Operations = c.Reach?.Operations,
        })];
        SpendCap = from?.SpendCap is { } cap ? Text(cap) : "";
        if (from is null) Limits.Add(new LimitRow { Name = "minute", Units = "60" });
    }

    public string Currency { get; set; }
    public string Fee { get; set; }
    public LedgerLoss OnLedgerLoss { get; set; }
    public List<TierRow> Tiers { get; }
    public List<LimitRow> Limits { get; }
    public List<QuotaRow> Quotas { get; }
    public List<ConcurrencyRow> Concurrency { get; }

    /// <summary>What a month's calls may cost at most; empty = as much as they come to.</summary>
    public string SpendCap { get; set; }

    /// <summary>The terms, or a sentence a field where a number is not one.</summary>
    public (PlanTerms? Terms, Dictionary<string, string> Errors) Read()
    {
        var errors = new Dictionary<string, string>();
        var prices = new List<Price>();
        if (!TryMoney(Fee, out var fee)) errors["prices"] = $"The monthly fee “{Fee}” is not an amount, such as 29 or 29.50.";
        else prices.Add(new FlatPrice(fee));

        var tiers = new List<Tier>();
        foreach (var row in Tiers)
        {
            decimal? upTo = null;
            if (row.UpTo.Trim().Length > 0)
            {
                if (TryWhole(row.UpTo, out var end)) upTo = end;
                else errors["prices"] = $"“{row.UpTo}” is not a whole number of calls.";
            }

            if (!TryMoney(row.UnitPrice, out var unitPrice)) errors["prices"] = $"“{row.UnitPrice}” is not a price of a call, such as 0.001.";
            tiers.Add(new Tier(upTo, unitPrice));
        }

        if (tiers.Count > 0) prices.Add(new GraduatedPrice(tiers));
        prices.AddRange(_others);

        var limits = new List<RateLimit>();
        foreach (var row in Limits)
        {
            if (!TryWhole(row.Units, out var units)) errors["limits"] = $"“{row.Units}” is not a number of calls.";
            long? burst = null;
            if (row.Burst.Trim().Length > 0)
            {
                if (TryWhole(row.Burst, out var atOnce)) burst = atOnce;
                else errors["limits"] = $"“{row.Burst}” is not a number of calls.";
            }

            if (!TryMoney(row.Count, out var count) || count > 1_000_000) errors["limits"] = $"“{row.Count}” is not a length of time.";
            else limits.Add(new RateLimit(row.Name.Trim(), units, (long)(count * row.UnitMs), burst, row.Reach));
        }

        var quotas = new List<PlanQuota>();
        foreach (var row in Quotas)
        {
            if (!TryWhole(row.Units, out var units)) errors["quotas"] = $"“{row.Units}” is not a number of calls.";
            quotas.Add(new PlanQuota(row.Name.Trim(), units, row.Period, row.Beyond != Billed, row.Beyond == Reported));
        }

        var concurrency = new List<ConcurrencyLimit>();
        foreach (var row in Concurrency)
        {
            if (!TryWhole(row.Calls, out var calls)) errors["concurrency"] = $"“{row.Calls}” is not a number of calls.";
            concurrency.Add(new ConcurrencyLimit(row.Name.Trim(), calls, row.Reach));
        }

        decimal? cap = null;
        if (SpendCap.Trim().Length > 0)
        {
            if (TryMoney(SpendCap, out var amount)) cap = amount;
            else errors["spendCap"] = $"The spend cap “{SpendCap}” is not an amount, such as 50 or 49.90.";
        }

        return errors.Count > 0
            ? (null, errors)
            : (new PlanTerms(Currency.Trim().ToUpperInvariant(), prices, limits, quotas, OnLedgerLoss, concurrency.Count == 0 ? null : concurrency, cap), errors);
    }

    private static LimitRow Row(RateLimit limit)
    {
        var unit = new[] { 86_400_000L, 3_600_000L, 60_000L, 1_000L }.FirstOrDefault(ms => limit.WindowMs % ms == 0, 1L);
        return new LimitRow
        {
            Name = limit.Name, Units = Text(limit.Units), Count = Text(limit.WindowMs / unit), UnitMs = unit,
            Burst = limit.Burst is { } burst ? Text(burst) : "",
            Per = limit.Reach?.Per ?? LimitPer.Subscription,
            Mode = limit.Reach?.Shadow == true ? Reported : Enforced,
            Operations = limit.Reach?.Operations,
            Overrides = limit.Reach?.Overrides,
        };
    }

    private static string Text(decimal number) => number.ToString("0.############", CultureInfo.InvariantCulture);

    private static bool TryMoney(string text, out decimal amount) =>
        decimal.TryParse(text.Trim().Replace(" ", ""), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out amount);

    private static bool TryWhole(string text, out long number) =>
        long.TryParse(text.Trim().Replace(" ", "").Replace(",", ""), NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
