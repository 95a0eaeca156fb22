using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Tollgate.Testing;

/// <summary>A real upstream in this process, on a free port. Remembers what it saw; answers <c>200 ok</c> unless told otherwise.</summary>
public sealed class StubUpstream : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StubUpstream(WebApplication app) => _app = app;

    public int Port { get; private init; }

    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>What arrived, oldest first: method, path with query, headers.</summary>
    public ConcurrentQueue<SeenCall> Seen { get; } = new();

    public static Task<StubUpstream> StartAsync() => StartAsync(http => http.Response.WriteAsync("ok"));

    /// <param name="remembers">False = it is called too often to remember every call.</param>
    public static async Task<StubUpstream> StartAsync(RequestDelegate answer, bool remembers = true)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });    // no watch on the file system for each
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var app = builder.Build();
        StubUpstream? stub = null;
        app.UseWebSockets();
        app.Run(http =>
        {
            if (remembers) stub!.Seen.Enqueue(new SeenCall(http.Request.Method, http.Request.Path + http.Request.QueryString,
                http.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
            return answer(http);
        });
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        stub = new StubUpstream(app) { Port = new Uri(address).Port };
        return stub;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}

public sealed record SeenCall(string Method, string Target, IReadOnlyDictionary<string, string> Headers);
