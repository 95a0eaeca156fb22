using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>A client's own web server, for what the service calls it about.</summary>
internal sealed class Listener(WebApplication app) : IAsyncDisposable
{
    public string Url => app.Urls.First();

    public static async Task<Listener> StartAsync(Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new Listener(app);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
