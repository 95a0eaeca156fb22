using Tollgate.Contracts.Plugins;
using Tollgate.Gateway.Plugins;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Aggregates;

/// <summary>A route whose answer is made of those of others.</summary>
internal sealed class AggregateRule
{
    /// <summary>In the order in which they stand in the answer.</summary>
    public required AggregateMember[] Members { get; init; }

    /// <summary>Makes the answer instead of the plain <c>{"key":body,…}</c>; null = nobody does.</summary>
    public IAnswerAggregator? Aggregator { get; init; }

    /// <summary>As the file has it, for the log.</summary>
    public string AggregatorName { get; init; } = "";

    /// <summary>What the aggregator may take of a call's time; null = nobody looks.</summary>
    public PluginBudget? Budget { get; init; }

    /// <summary>The file names an aggregator that no plug-in has: calls are answered with 404, as in Ocelot.</summary>
    public bool LacksAggregator { get; init; }

    /// <summary>Whether the first member's answer says which calls the others get.</summary>
    public bool IsChained => Array.Exists(Members, member => member.Path is not null);
}

/// <summary>One of the routes that make up an aggregate.</summary>
/// <param name="Route">Compiled against the aggregate's template, so that its placeholders fill it.</param>
/// <param name="Path">Where the first member's answer has the values of this one's parameter; null = it has none.</param>
/// <param name="Parameter">Place of the parameter among the route's fillings.</param>
/// <param name="Fillings">How many fillings the route has; 0 = none.</param>
internal sealed record AggregateMember(string Key, Route Route, JsonPath? Path, int Parameter, int Fillings);
