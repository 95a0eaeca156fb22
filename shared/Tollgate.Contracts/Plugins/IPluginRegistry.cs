namespace Tollgate.Contracts.Plugins;

/// <summary>Takes what a plug-in offers.</summary>
public interface IPluginRegistry
{
    /// <summary>A handler for the routes that name it under <c>DelegatingHandlers</c>. Made once for each client that uses it; serves calls at the same time.</summary>
    void AddDelegatingHandler(string name, Func<DelegatingHandler> make);

    /// <summary>A handler for every route, outside those that routes name.</summary>
    void AddGlobalDelegatingHandler(Func<DelegatingHandler> make);

    /// <summary>Makes the answers of the aggregates that name it as their <c>Aggregator</c>.</summary>
    void AddAggregator(string name, IAnswerAggregator aggregator);

    /// <summary>Chooses hosts for the routes that name it as their <c>LoadBalancerOptions.Type</c>. Made once for each route.</summary>
    void AddLoadBalancer(string name, Func<IHostChooser> make);

    /// <summary>As <see cref="AddDelegatingHandler(string, Func{DelegatingHandler})"/>, under the class's own name.</summary>
    void AddDelegatingHandler<T>() where T : DelegatingHandler, new() => AddDelegatingHandler(typeof(T).Name, () => new T());

    /// <summary>As <see cref="AddAggregator(string, IAnswerAggregator)"/>, under the class's own name.</summary>
    void AddAggregator<T>() where T : IAnswerAggregator, new() => AddAggregator(typeof(T).Name, new T());

    /// <summary>As <see cref="AddLoadBalancer(string, Func{IHostChooser})"/>, under the class's own name.</summary>
    void AddLoadBalancer<T>() where T : IHostChooser, new() => AddLoadBalancer(typeof(T).Name, () => new T());
}
