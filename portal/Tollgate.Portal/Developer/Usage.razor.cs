using Microsoft.AspNetCore.Components;
using Tollgate.Billing.Invoicing;
using Tollgate.Billing.Metering;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;
using Tollgate.Identity.Applications;
using Tollgate.Portal.Wording;

namespace Tollgate.Portal.Developer;

/// <summary>Calls, errors and cost over time, and the running period against its quotas. Looks again while it is open.</summary>
public sealed partial class Usage
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private IReadOnlyList<ApplicationView>? _applications;
    private IReadOnlyList<UsageBar>? _bars;
    private IReadOnlyList<CostSeries> _costPoints = [];
    private IReadOnlyList<RunningCost> _costs = [];
    private IReadOnlyList<(UsageSum Sum, SubscriptionView Subscription, string ApplicationName)> _totals = [];
    private AxisScale _callScale = AxisScale.Of(0, 4, whole: true);
    private HashSet<string> _shownLabels = [];
    private UsageRange _range = UsageRange.All[0];
    private AppId? _application;
    private bool _isLooking;
    private long _testCalls;

    [Inject] private UsageService Counts { get; set; } = null!;
    [Inject] private InvoiceService Invoices { get; set; } = null!;
    [Inject] private SubscriptionService Subscriptions { get; set; } = null!;
    [Inject] private ApplicationService Applications { get; set; } = null!;
    [Inject] private TimeProvider Time { get; set; } = null!;

    [SupplyParameterFromQuery(Name = "range")] private string? RangeName { get; set; }
    [SupplyParameterFromQuery(Name = "app")] private string? ApplicationWish { get; set; }

    protected override async Task OnInitializedAsync()
    {
        await base.OnInitializedAsync();
        if (RendererInfo.IsInteractive) _ = RepeatAsync(LookEvery, LookAsync);
    }

    protected override async Task OnParametersSetAsync()
    {
        _range = UsageRange.Of(RangeName);
        _applications ??= await Applications.ListAsync(Organisation, Gone);
        // Another organisation's application is like none at all: it is not in the list.
        _application = Guid.TryParse(ApplicationWish, out var id) ? _applications.FirstOrDefault(a => a.Id.Value == id)?.Id : null;
        await LoadAsync();
    }

    private async Task LookAsync()
    {
        if (_isLooking || _bars is null) return;
        _isLooking = true;
        try
        {
            var before = (_bars, _totals, _testCalls);
            await LoadAsync();
            if (_testCalls != before._testCalls || !_bars.SequenceEqual(before._bars) || !_totals.SequenceEqual(before._totals)) StateHasChanged();
        }
        catch (Exception away) when (away is not OperationCanceledException)
        {
            // The database may be away for a moment; the next look tells.
        }
        finally
        {
            _isLooking = false;
        }
    }

    private async Task LoadAsync()
    {
        var (now, filter, range) = (Time.GetUtcNow(), new UsageFilter(_application), _range);
        var points = await Counts.SeriesAsync(Organisation, filter, range.From(now), now, range.Bucket, Gone);
        _testCalls = (await Counts.SeriesAsync(Organisation, filter with { Test = true }, range.From(now), now, range.Bucket, Gone)).Sum(point => point.Calls);
        _costPoints = await Invoices.CostSeriesAsync(Organisation, filter, range.From(now), now, range.Bucket, Gone);
        _costs = await Invoices.RunningCostAsync(Organisation, Gone);

        var subscriptions = (await Subscriptions.ListAsync(Organisation, Gone)).ToDictionary(s => s.Id);
        var names = _applications!.ToDictionary(a => a.Id, a => a.Name);
        _totals =
        [
            .. (await Counts.TotalsAsync(Organisation, Gone))
                .Where(t => subscriptions.ContainsKey(t.Subscription) && (_application is null || t.Application == _application))
                .Select(t => (t, subscriptions[t.Subscription], names.GetValueOrDefault(t.Application, "Application"))),
        ];
        _bars = range.Bars(points, Clock.Local);
        _callScale = AxisScale.Of(_bars.Max(b => b.Calls), ticks: 4, whole: true);
        var every = (_bars.Count + 5) / 6;
        _shownLabels = [.. _bars.Where((_, i) => i % every == 0).Select(b => b.Label)];
    }

    private (IReadOnlyList<CostBar> Bars, AxisScale Scale) CostBars(CostSeries series)
    {
        var bars = series.Points.GroupBy(p => p.At.UtcTicks - p.At.UtcTicks % _range.Bar.Ticks).OrderBy(g => g.Key)
            .Select(g => new CostBar(Clock.Local(new DateTimeOffset(g.Key, TimeSpan.Zero)).ToString(_range.Format), g.Sum(p => p.Cost))).ToList();
        return (bars, AxisScale.Of(bars.Max(b => b.Cost), ticks: 2, whole: false));
    }

    /// <summary>Every label would overlap its neighbours: about six are written.</summary>
    private string SomeLabels(object label) => label is string text && _shownLabels.Contains(text) ? text : "";

    private string Link(UsageRange range) => Navigation.GetUriWithQueryParameter("range", range == UsageRange.All[0] ? null : range.Name);

    private void PickApplication(ChangeEventArgs picked) =>
        Navigation.NavigateTo(Navigation.GetUriWithQueryParameter("app", picked.Value?.ToString() is { Length: > 0 } id ? id : null));

    private static string WholeNumber(object value) => CountText.Of(Convert.ToDecimal(value));
}
