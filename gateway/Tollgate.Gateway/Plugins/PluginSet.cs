using Tollgate.Contracts.Plugins;

namespace Tollgate.Gateway.Plugins;

/// <summary>What the plug-ins of a folder offer, by the names that a configuration uses. Filled once, before the first configuration is compiled.</summary>
/// <param name="budget">What a plug-in may take of a call's time; null = nobody looks.</param>
/// <param name="generation">Rises with each folder that was taken in: names mean other code then.</param>
internal sealed class PluginSet(PluginBudget? budget = null, int generation = 0) : IPluginRegistry
{
    private const string GlobalPrefix = "*";

    private readonly Dictionary<string, Func<DelegatingHandler>> _handlers = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _global = [];
    private readonly Dictionary<string, IAnswerAggregator> _aggregators = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Func<IHostChooser>> _choosers = new(StringComparer.OrdinalIgnoreCase);

    public PluginBudget? Budget => budget;
    public int Generation => generation;

    /// <summary>A handler of its own for one client, before what a message passes next; <paramref name="next"/> itself where no plug-in has one of this name.</summary>
    public HttpMessageHandler Before(string name, HttpMessageHandler next)
    {
        if (!_handlers.TryGetValue(name, out var make)) return next;
        var handler = make();
        if (budget is not null) return new GuardedHandler(name.StartsWith(GlobalPrefix, StringComparison.Ordinal) ? handler.GetType().Name : name, handler, next, budget);
        handler.InnerHandler = next;
        return handler;
    }

    /// <summary>The handlers of a route, outermost first: the global ones, then those that it names and that are there.</summary>
    public IEnumerable<string> HandlersOf(IEnumerable<string> names) => _global.Concat(names.Where(name => !name.StartsWith(GlobalPrefix, StringComparison.Ordinal) && _handlers.ContainsKey(name)));

    public bool HasHandler(string name) => _handlers.ContainsKey(name);

    public IAnswerAggregator? Aggregator(string name) => _aggregators.GetValueOrDefault(name);

    public bool HasChooser(string name) => _choosers.ContainsKey(name);

    public IHostChooser? MakeChooser(string name) => _choosers.TryGetValue(name, out var make) ? make() : null;

    void IPluginRegistry.AddDelegatingHandler(string name, Func<DelegatingHandler> make) => Add(_handlers, name, make);

    void IPluginRegistry.AddGlobalDelegatingHandler(Func<DelegatingHandler> make)
    {
        var name = $"{GlobalPrefix}{_global.Count}";
        _handlers.Add(name, make);
        _global.Add(name);
    }

    void IPluginRegistry.AddAggregator(string name, IAnswerAggregator aggregator) => Add(_aggregators, name, aggregator);

    void IPluginRegistry.AddLoadBalancer(string name, Func<IHostChooser> make) => Add(_choosers, name, make);

    private static void Add<T>(Dictionary<string, T> offers, string name, T offer)
    {
        ArgumentNullException.ThrowIfNull(offer);
        if (string.IsNullOrWhiteSpace(name) || name.StartsWith(GlobalPrefix, StringComparison.Ordinal)) throw new ArgumentException($"\"{name}\" cannot be a name.");
        if (!offers.TryAdd(name.Trim(), offer)) throw new ArgumentException($"the name \"{name}\" is taken by another plug-in.");
    }
}
