using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Console;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Ocelot;
using Tollgate.ServiceDefaults;
using Tollgate.ServiceDefaults.Telemetry;

namespace Tollgate.Gateway;

/// <summary>The stand-alone executable: reads the command line, runs one gateway until a signal, and answers with an exit code.</summary>
internal static class GatewayProgram
{
    private const string Usage = """
        Usage: Tollgate.Gateway --config <file|folder> [options]
               Tollgate.Gateway journal <folder> [--sum]

          --config <file|folder>            an ocelot.json, or a folder of ocelot.*.json; watched
          --urls <url[;url]>                where calls arrive (http://127.0.0.1:8080); port 0 = any free one
          --consumers <file>                plans, applications and keys for a gateway without a control plane; watched
          --data <folder>                   keeps the usage journal and the last good feeds; without it calls are not metered
          --plugins <folder>                assemblies with handlers, aggregators and balancers of your own
          --internal <url>                  health, metrics, draining and clearing on a port of its own
          --ConnectionStrings:Redis=<host:port>        shares limits with other gateways
          --Gateway:ControlPlane=<url>      the control plane's internal port, with --Gateway:Token=<token>
          --Gateway:Authority=<url>         identity service whose access tokens every product accepts
          --Gateway:Certificates:0:Path=<file>         certificate of the https addresses, PEM (with :Key) or PKCS#12 (with :Password)
          --Gateway:TrustedProxies=<network[,network]> whose X-Forwarded-* are believed
          --Gateway:Limits:<name>=<number>  what is taken in; docs/configuration.md lists the names

        Options are written --name value or --name=value. Names with a colon are also taken from the environment (ConnectionStrings__Redis),
        the others with a prefix (TOLLGATE_CONFIG).
        """;

    private static readonly CommandLineSettings Known = new("Tollgate.Gateway",
        ["ConnectionStrings", "Gateway", "Logging"],
        ["config", "urls", "consumers", "data", "plugins", "internal"]);

    public static async Task<int> RunAsync(string[] args)
    {
        if (args is ["journal", .. var rest]) return JournalCommand.Run(rest);
        if (args.Any(arg => arg is "--help" or "-h" or "-?" or "help"))
        {
            Console.WriteLine(Usage);
            return 0;
        }

        // Continuations of socket calls run where the call completed: nothing on the path of a call blocks. Read once, before the first socket.
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

        IConfigurationRoot configuration;
        GatewayOptions options;
        try
        {
            configuration = Known.Read(args);
            options = ReadOptions(configuration);
        }
        catch (SettingsException wrong)
        {
            Console.Error.WriteLine(wrong.Message);
            return 2;
        }

        using var loggers = LoggerFactory.Create(logging => logging
            .AddConfiguration(configuration.GetSection("Logging"))
            .SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Yarp", LogLevel.Error)
            .AddSimpleConsole(console => (console.SingleLine, console.ColorBehavior) = (true, LoggerColorBehavior.Disabled)));
        var standardOutput = Console.Out;

        try
        {
            return await RunAsync(options, configuration["internal"], loggers, standardOutput);
        }
        catch (ConfigurationException refused)
        {
            foreach (var line in ConfigurationError.Lines(refused.Errors)) Console.Error.WriteLine(line);
            return 1;
        }
        catch (Exception unusable) when (unusable is SettingsException or IOException or UnauthorizedAccessException or InvalidOperationException or FormatException)
        {
            Console.Error.WriteLine(unusable.Message);
            return 1;
        }
    }

    private static async Task<int> RunAsync(GatewayOptions options, string? internalUrl, ILoggerFactory loggers, TextWriter output)
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.TrySetResult();
        }

        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var metrics = new ServiceCollection().AddMetrics().BuildServiceProvider();
        await using var gateway = GatewayServer.Create(options, loggers, null, metrics.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        using var prometheus = internalUrl is null ? null : new PrometheusText();
        await using var health = internalUrl is null ? null : await StartInternalAsync(gateway, prometheus!, internalUrl, loggers);
        await gateway.StartAsync(CancellationToken.None);
        foreach (var address in gateway.Addresses) output.WriteLine($"Listening on {address}");
        if (health is not null) output.WriteLine($"Internal on {string.Join(' ', health.Urls)}");
        await output.FlushAsync();

        await stop.Task;
        await gateway.StopAsync(CancellationToken.None);
        return 0;
    }

    private static async Task<WebApplication> StartInternalAsync(GatewayServer gateway, PrometheusText prometheus, string url, ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(url).ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(loggers);
        var app = builder.Build();
        app.UseRouting();
        gateway.MapInternal(app);
        prometheus.Map(app);
        await app.StartAsync();
        return app;
    }

    private static GatewayOptions ReadOptions(IConfiguration configuration)
    {
        string? Path(string name) => configuration[name] is { Length: > 0 } path ? System.IO.Path.GetFullPath(path) : null;

        var config = Path("config") ?? throw new SettingsException("--config is needed: an ocelot.json or a folder of ocelot.*.json.");
        var options = GatewayOptions.Read(configuration, config, configuration["urls"] ?? "http://127.0.0.1:8080") with
        {
            Consumers = Path("consumers"),
            Data = Path("data"),
        };
        if (Path("plugins") is { } plugins) options = options with { Plugins = plugins };
        return options is { Consumers: not null, ControlPlane: not null }
            ? throw new SettingsException("--consumers and --Gateway:ControlPlane exclude each other.")
            : options;
    }
}
