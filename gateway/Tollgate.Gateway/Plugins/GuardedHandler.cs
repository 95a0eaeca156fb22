namespace Tollgate.Gateway.Plugins;

/// <summary>Stands around a plug-in's delegating handler, and behind it: knows what of a call's time is the handler's own, and whose a failure is.</summary>
internal sealed class GuardedHandler : DelegatingHandler
{
    private readonly HttpRequestOptionsKey<Visit> _key;
    private readonly PluginBudget _budget;
    private readonly string _name;

    public GuardedHandler(string name, DelegatingHandler handler, HttpMessageHandler next, PluginBudget budget)
    {
        (_name, _budget) = (name, budget);
        _key = new HttpRequestOptionsKey<Visit>($"tollgate.visit.{Guid.NewGuid():N}");    // one for each handler of a chain
        handler.InnerHandler = new Behind(_key, next);
        InnerHandler = handler;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var visit = new Visit(_budget.Time);
        request.Options.Set(_key, visit);
        try
        {
            return await _budget.RunAsync(_name, cut => base.SendAsync(request, cut), () => visit.Own, cancellationToken);
        }
        catch (Exception failed) when (failed is not (OperationCanceledException or PluginException) && !ReferenceEquals(failed, visit.Failure) && !ReferenceEquals(failed.InnerException, visit.Failure))
        {
            throw new PluginException($"The handler {_name} failed: {failed.Message}", failed);
        }
    }

    private sealed class Behind(HttpRequestOptionsKey<Visit> key, HttpMessageHandler next) : DelegatingHandler(next)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Options.TryGetValue(key, out var visit);
            visit?.Leave();
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            catch (Exception failed)
            {
                if (visit is not null) visit.Failure = failed;
                throw;
            }
            finally
            {
                visit?.Return();
            }
        }
    }

    /// <summary>One call's time in a handler. A handler may ask the service several times, also at once.</summary>
    private sealed class Visit(TimeProvider time)
    {
        private readonly Lock _lock = new();
        private readonly long _began = time.GetTimestamp();
        private TimeSpan _away;
        private long _leftAt;
        private int _asking;

        public Exception? Failure { get; set; }

        public TimeSpan Own
        {
            get
            {
                lock (_lock) return time.GetElapsedTime(_began) - _away - (_asking > 0 ? time.GetElapsedTime(_leftAt) : TimeSpan.Zero);
            }
        }

        public void Leave()
        {
            lock (_lock)
                if (_asking++ == 0)
                    _leftAt = time.GetTimestamp();
        }

        public void Return()
        {
            lock (_lock)
                if (--_asking == 0)
                    _away += time.GetElapsedTime(_leftAt);
        }
    }
}
