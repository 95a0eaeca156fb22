using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Fragments;
using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Bodies;
using Tollgate.Gateway.Discovery;
using Tollgate.Gateway.Fragments;
using Tollgate.Gateway.Ocelot;
using Tollgate.Gateway.Plugins;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway;

/// <summary>
/// The configuration in force, and the watch over its files. A change is read, checked and compiled off the path of calls and then put in force whole;
/// one that cannot be used is reported with file, line and property, and the old one stays.
/// </summary>
internal sealed partial class LiveConfiguration : IAsyncDisposable
{
    private readonly GatewayOptions _options;
    private readonly Action<RouteTable> _inForce;
    private readonly ILogger _logger;
    private readonly RouteCompiler _compiler;
    private readonly HealthWatch _watchOverHosts;
    private readonly IReadOnlyList<TokenProviderOptions> _builtIn;
    private readonly List<FileWatch> _watches = [];
    private readonly HashSet<string> _watchedKeys = new(StringComparer.Ordinal);
    private readonly FragmentBook _fragments = new();
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private PluginSet _plugins;
    private OcelotConfiguration? _files;
    private readonly SemaphoreSlim _loading = new(1, 1);
    private readonly ServiceDirectory _services;
    private bool _disposed;
    private long _version;

    public LiveConfiguration(GatewayOptions options, PluginSet plugins, ProductDocuments documents, Action<RouteTable> inForce, TimeProvider time, ILoggerFactory loggers, GatewayMetrics? metrics = null)
    {
        _watchOverHosts = new HealthWatch(time, loggers.CreateLogger<HealthWatch>(), metrics);
        Upstreams = new UpstreamDirectory(_watchOverHosts, time, new DrainOrders(options.Data, loggers.CreateLogger<DrainOrders>()));
        (_time, _loggers, _plugins) = (time, loggers, plugins);
        _options = options;
        _inForce = inForce;
        _logger = loggers.CreateLogger<LiveConfiguration>();
        _compiler = new RouteCompiler(time, loggers, plugins, documents) { IssuersKeptIn = options.Data is null ? null : Path.Combine(options.Data, "issuers") };
        _services = new ServiceDirectory(CompileAgain, time, loggers);
        _builtIn =
        [
            .. options.Authority is null
                ? Array.Empty<TokenProviderOptions>()
                : [new TokenProviderOptions { Name = "tollgate", Authority = options.Authority, Issuer = options.Issuer, Audience = options.Audience, AccessTokensOnly = true }],
            .. options.TokenIssuers.Select(issuer => new TokenProviderOptions
            {
                Name = issuer.Name,
                Authority = issuer.Authority,
                Issuer = issuer.Issuer,
                Audience = issuer.Audience,
                AccessTokensOnly = issuer.AccessTokensOnly,
                Introspection = issuer.ClientId is null ? null : new Policy.Credentials.IntrospectionOptions(issuer.IntrospectionEndpoint, issuer.ClientId, issuer.ClientSecret!),
            }),
        ];
    }

    /// <summary>The hosts of the routes in force.</summary>
    public UpstreamDirectory Upstreams { get; }

    /// <summary>1 for the first, rises with each that went live.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Why the newest files are not in force; empty when they are.</summary>
    public IReadOnlyList<ConfigurationError> Errors { get; private set; } = [];

    public int Routes { get; private set; }

    /// <summary>Told when the services' fragments may stand otherwise than before.</summary>
    public Action? Joined { get; set; }

    /// <summary>How the services' fragments stand.</summary>
    public IReadOnlyList<FragmentFacts> Fragments => _fragments.Facts;

    /// <summary>What a fragment comes to beside the files in force.</summary>
    public FragmentReading Read(string service, string content) => FragmentReader.Read(service, content, _files);

    /// <summary>What the files claim for themselves.</summary>
    public IReadOnlyList<(string File, PathClaim Claim)> FileClaims => _files is { } files ? [.. FragmentBook.ClaimsOf(files)] : [];

    /// <summary>Puts the files in force and watches them. Throws a <see cref="ConfigurationException"/> when they cannot be used.</summary>
    public void Start()
    {
        _watches.Add(FileWatch.Start(_options.Config, "*.json", ReloadAsync, _logger));
        if (!Directory.Exists(_options.Config)) _watches.Add(FileWatch.Start(OcelotFiles.OverlayOf(_options.Config, OcelotFiles.EnvironmentOf(Variable)), "*", ReloadAsync, _logger));
        if (_options.Plugins is { } plugins) _watches.Add(FileWatch.Start(plugins, "*.dll", SwapPluginsAsync, _logger));
        _loading.Wait();
        try
        {
            Load();
        }
        finally
        {
            _loading.Release();
        }
    }

    // Calls under way end in the code that they began with; one that cannot be used never replaces one that works.
    private async Task SwapPluginsAsync(CancellationToken cancel)
    {
        await _loading.WaitAsync(cancel);
        var before = _plugins;
        try
        {
            if (_disposed || _files is not { } files) return;
            _plugins = PluginLoader.Load(_options.Plugins, before.Budget, before.Generation + 1);
            _compiler.Use(_plugins);
            PutTogether(files);
            Log.PluginsInForce(_logger, _plugins.Generation);
            Say(_compiler.Warnings);
        }
        catch (Exception refused) when (refused is InvalidOperationException or ConfigurationException or IOException or UnauthorizedAccessException or BadImageFormatException)
        {
            _plugins = before;
            _compiler.Use(before);
            Log.PluginsRefused(_logger, refused.Message);
        }
        finally
        {
            _loading.Release();
        }
    }

    private string? Variable(string name) => _options.Variables.TryGetValue(name, out var value) ? value : Environment.GetEnvironmentVariable(name);

    public async ValueTask DisposeAsync()
    {
        foreach (var watch in _watches) await watch.DisposeAsync();
        await _loading.WaitAsync();
        _disposed = true;
        _loading.Release();
        await _services.DisposeAsync();
        _watchOverHosts.Dispose();
        _compiler.Dispose();
    }

    /// <summary>What the services published takes its place beside the files. One that cannot be used is left out alone.</summary>
    public void Use(IReadOnlyList<FragmentItem> published)
    {
        _loading.Wait();
        try
        {
            _fragments.Take(published);
            if (_files is { } files) PutTogether(files);
        }
        catch (ConfigurationException refused)
        {
            Say(refused);
        }
        finally
        {
            _loading.Release();
        }
    }

    private void Load()
    {
        var files = OcelotReader.Read(_options.Config, _options.Variables);
        if (_options.ControlPlane is null && files.Routes.Where(route => route.Bodies.IsOfProduct).ToArray() is { Length: > 0 } lonely)
            throw new ConfigurationException([.. lonely.Select(route => route.Json["Tollgate"]!["Validation"]!.Error("OpenApi", "the documents of products come from a control plane, and this gateway has none (Gateway:ControlPlane)."))]);
        PutTogether(files);
        _files = files;
        Errors = [];
        Say(files.Warnings.Concat(_compiler.Warnings));

        foreach (var file in files.FilesBeside)
            if (_watchedKeys.Add(file))
                _watches.Add(FileWatch.Start(file, "*", ReloadAsync, _logger));
    }

    private void PutTogether(OcelotConfiguration files)
    {
        var table = Compile(files);
        Upstreams.Use(_compiler.Upstreams);
        _inForce(table);
        Routes = table.Routes.Length;
        Interlocked.Increment(ref _version);
        Log.InForce(_logger, Version, Routes);
        foreach (var fragment in _fragments.Facts)
            foreach (var error in fragment.Errors)
                Log.FragmentLeftOut(_logger, fragment.Version, fragment.Service, error, fragment.InForce is { } kept ? $"version {kept} stays in force" : "it has no routes here");
        Joined?.Invoke();
    }

    private RouteTable Compile(OcelotConfiguration files)
    {
        var joined = _fragments.Join(files);
        _services.Use(joined.Global.Discovery, OcelotDiscovery.ServicesOf(joined));
        if (_fragments.IsEmpty) return _compiler.Compile(joined, _builtIn, _services);
        try
        {
            return _compiler.Compile(joined, _builtIn, _services);
        }
        catch (Exception mistake) when (mistake is not OutOfMemoryException)
        {
            // Found out one by one: a fragment never takes the files, or another's, with it.
            Log.FragmentBreaks(_logger, mistake);
            var broken = new List<string>();
            using var trial = new RouteCompiler(_time, _loggers, _plugins);
            foreach (var fragment in joined.Routes.Skip(files.Routes.Count).GroupBy(route => route.Json.File))
            {
                try
                {
                    trial.Compile(files with { Routes = [.. files.Routes, .. fragment] }, _builtIn);
                }
                catch (Exception alone) when (alone is not OutOfMemoryException)
                {
                    broken.Add(fragment.Key);
                }
            }

            return _compiler.Compile(_fragments.Join(files, broken), _builtIn, _services);
        }
    }

    private void Say(ConfigurationException refused)
    {
        foreach (var line in ConfigurationError.Lines(refused.Errors)) Log.Refused(_logger, line);
    }

    private void Say(IEnumerable<ConfigurationError> warnings)
    {
        foreach (var line in ConfigurationError.Lines(warnings)) Log.NotEnforced(_logger, line);
    }

    // A service runs elsewhere: the same files mean other hosts.
    private void CompileAgain()
    {
        _loading.Wait();
        try
        {
            if (_disposed || _files is not { } files) return;
            var table = Compile(files);
            Upstreams.Use(_compiler.Upstreams);
            _inForce(table);
        }
        catch (ConfigurationException refused)
        {
            Say(refused);
        }
        finally
        {
            _loading.Release();
        }
    }

    private async Task ReloadAsync(CancellationToken cancel)
    {
        await _loading.WaitAsync(cancel);
        try
        {
            Load();
        }
        catch (ConfigurationException refused)
        {
            Errors = refused.Errors;
            Say(refused);
        }
        finally
        {
            _loading.Release();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Information, "Configuration {Version} is in force with {Routes} routes")]
        public static partial void InForce(ILogger logger, long version, int routes);

        [LoggerMessage(1004, LogLevel.Error, "Version {Version} of the routes of {Service} is left out, {Instead}: {Error}")]
        public static partial void FragmentLeftOut(ILogger logger, long version, string service, string error, string instead);

        [LoggerMessage(1005, LogLevel.Error, "A fragment cannot be compiled")]
        public static partial void FragmentBreaks(ILogger logger, Exception mistake);

        [LoggerMessage(1002, LogLevel.Error, "The changed configuration is not used, the one before stays in force: {Error}")]
        public static partial void Refused(ILogger logger, string error);

        [LoggerMessage(1006, LogLevel.Information, "The changed plug-ins are in force ({Generation})")]
        public static partial void PluginsInForce(ILogger logger, int generation);

        [LoggerMessage(1007, LogLevel.Error, "The changed plug-ins are not used, those before stay in force: {Reason}")]
        public static partial void PluginsRefused(ILogger logger, string reason);

        [LoggerMessage(1003, LogLevel.Warning, "{Warning}")]
        public static partial void NotEnforced(ILogger logger, string warning);
    }
}
