using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Console;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Ocelot;
using Tollgate.Gateway.Policy.Metering;
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
          --internal <url>                  health and metrics on a port of its own
          --ConnectionStrings:Redis=<host:port>        shares limits with other gateways
          --Gateway:ControlPlane=<url>      the control plane's internal port, with --Gateway:Token=<token>
          --Gateway:Authority=<url>         identity service whose access tokens every product accepts

        Options are written --name value or --name=value. Names with a colon are also taken from the environment: ConnectionStrings__Redis.
        """;

    private static readonly string[] Names = ["config", "urls", "consumers", "data", "internal"];
    private static readonly string[] Sections = ["ConnectionStrings", "Gateway", "Logging"];

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

        if (!TryRead(args, out var configuration, out var mistake)) return Fail(mistake);
        if (!TryBind(configuration, out var options, out var internalUrl, out mistake)) return Fail(mistake);

        using var loggers = LoggerFactory.Create(logging => logging
            .AddConfiguration(configuration.GetSection("Logging"))
            .SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Yarp", LogLevel.Error)
            .AddSimpleConsole(console => (console.SingleLine, console.ColorBehavior) = (true, LoggerColorBehavior.Disabled)));
        var standardOutput = Console.Out;

        try
        {
            return await RunAsync(options, internalUrl, loggers, standardOutput);
        }
        catch (ConfigurationException refused)
        {
            foreach (var error in refused.Errors) Console.Error.WriteLine(error);
            return 1;
        }
        catch (Exception unusable) when (unusable is IOException or JournalException or UnauthorizedAccessException or InvalidOperationException or FormatException)
        {
            return Fail(unusable.Message, 1);
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

    private static bool TryRead(string[] args, out IConfiguration configuration, out string mistake)
    {
        mistake = "";
        configuration = new ConfigurationBuilder().Build();
        for (var i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal)) mistake = $"'{args[i]}' is not an option.";
            else if (args[i].Contains('=')) mistake = IsKnown(args[i][2..args[i].IndexOf('=')]) ? mistake : $"There is no option {args[i][..args[i].IndexOf('=')]}.";
            else if (!IsKnown(args[i][2..])) mistake = $"There is no option {args[i]}.";
            else if (++i == args.Length) mistake = $"{args[i - 1]} needs a value.";
            if (mistake.Length > 0) return false;
        }

        configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
                .Select(entry => KeyValuePair.Create(((string)entry.Key).Replace("__", ":"), (string?)entry.Value))
                .Where(entry => IsSection(entry.Key)))
            .AddCommandLine(args)
            .Build();
        return true;
    }

    private static bool TryBind(IConfiguration configuration, out GatewayOptions options, out string? internalUrl, out string mistake)
    {
        string? Value(string name) => (configuration[name] ?? configuration[$"Gateway:{name}"]) is { Length: > 0 } value ? value : null;

        mistake = "";
        internalUrl = Value("internal");
        options = null!;
        if (Value("config") is not { } config) mistake = "--config is needed: an ocelot.json or a folder of ocelot.*.json.";
        else if (!TryUri(Value("ControlPlane"), out var controlPlane)) mistake = $"--Gateway:ControlPlane '{Value("ControlPlane")}' is not an http or https address.";
        else if (!TryUri(Value("Authority"), out _)) mistake = $"--Gateway:Authority '{Value("Authority")}' is not an http or https address.";
        else if (controlPlane is not null && Value("consumers") is not null) mistake = "--consumers and --Gateway:ControlPlane exclude each other.";
        else if (!Urls(Value("urls")).All(url => TryUri(url.Replace("//*", "//0.0.0.0").Replace("//+", "//0.0.0.0"), out _))) mistake = $"--urls '{Value("urls")}' are not http addresses.";
        else
        {
            options = new GatewayOptions
            {
                Config = Path.GetFullPath(config),
                Urls = Value("urls") ?? "http://127.0.0.1:8080",
                Consumers = Value("consumers") is { } consumers ? Path.GetFullPath(consumers) : null,
                Data = Value("data") is { } data ? Path.GetFullPath(data) : null,
                Redis = configuration["ConnectionStrings:Redis"] is { Length: > 0 } redis ? redis : null,
                ControlPlane = controlPlane,
                Token = Value("Token"),
                Authority = Value("Authority"),
                Issuer = Value("Issuer"),
            };
        }

        return mistake.Length == 0;
    }

    private static string[] Urls(string? urls) => (urls ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static bool TryUri(string? text, out Uri? uri)
    {
        uri = null;
        return text is null || Uri.TryCreate(text, UriKind.Absolute, out uri) && uri.Scheme is ("http" or "https");
    }

    private static bool IsKnown(string name) => Names.Contains(name, StringComparer.OrdinalIgnoreCase) || IsSection(name);

    private static bool IsSection(string name) =>
        Sections.Any(section => name.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase));

    private static int Fail(string sentence, int code = 2)
    {
        Console.Error.WriteLine(sentence);
        if (code == 2) Console.Error.WriteLine("Tollgate.Gateway --help says what can be written.");
        return code;
    }
}
