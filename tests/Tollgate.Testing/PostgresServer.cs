using System.Diagnostics;
using Npgsql;

namespace Tollgate.Testing;

/// <summary>
/// A real PostgreSQL server on a free loopback port. <see cref="SharedAsync"/> is one for all tests of a run, with a database for each that asks;
/// tests that stop the server start their own.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private static readonly Lazy<Task<PostgresServer>> SharedServer = new(StartAsync);
    private readonly TempFolder _folder = new();
    private readonly int _port = FreePort.Next();
    private ChildProcess? _server;

    private PostgresServer()
    {
    }

    public static Task<PostgresServer> SharedAsync() => SharedServer.Value;

    public static async Task<PostgresServer> StartAsync()
    {
        var postgres = new PostgresServer();
        await postgres.InitialiseAsync();
        await postgres.StartServerAsync();
        return postgres;
    }

    /// <summary>Makes a database and gives its connection string: an empty one, or a copy of another that nobody is connected to.</summary>
    public async Task<string> NewDatabaseAsync(string? copyOf = null)
    {
        var name = "t" + Guid.NewGuid().ToString("N");
        await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE \"{name}\"" + (copyOf is null ? "" : $" TEMPLATE \"{new NpgsqlConnectionStringBuilder(copyOf).Database}\""), connection);
        await create.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }

    /// <summary>Stops the server at once, as a machine that goes away would. Its data stay.</summary>
    public async Task StopAsync()
    {
        if (_server is null) return;
        _server.Signal(3);   // SIGQUIT: immediate shutdown, no goodbye to clients
        await _server.WaitForExitAsync();
        await _server.DisposeAsync();
        _server = null;
    }

    /// <summary>Starts it (again), on the same port and data.</summary>
    public async Task StartServerAsync()
    {
        _server = ChildProcess.Start(AsPostgres(out var prefix), [.. prefix, Programs.Find("postgres", "postgresql"),
            "-D", Data, "-p", _port.ToString(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_wal_size=256MB", "-c", "max_connections=600"]);
        await Deadline.UntilAsync($"PostgreSQL answers on port {_port}", async () =>
        {
            if (_server.HasExited) throw new Shouldly.ShouldAssertException("PostgreSQL ended:\n" + _server.Output);
            await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false;Timeout=2");
            await connection.OpenAsync();
            return true;
        });
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    private string Data => _folder.File("data");

    // Patient: how long a busy machine takes to connect or to carry out a command decides nothing.
    private string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={_port};Username=postgres;Database={database};Maximum Pool Size=40;Connection Idle Lifetime=10;Connection Pruning Interval=2;Timeout=60;Command Timeout=120;Include Error Detail=true";

    private async Task InitialiseAsync()
    {
        if (Environment.IsPrivilegedProcess) await RunAsync("chown", "postgres", _folder.Path);
        await RunAsync(AsPostgres(out var prefix), [.. prefix, Programs.Find("initdb", "postgresql"),
            "-D", Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]);
    }

    /// <summary>PostgreSQL refuses to run as root: there it runs as its own user.</summary>
    private static string AsPostgres(out string[] prefix)
    {
        prefix = Environment.IsPrivilegedProcess ? ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] : ["--"];
        return Environment.IsPrivilegedProcess ? "/usr/bin/setpriv" : "/usr/bin/env";
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {await output}{await error}");
    }
}
