using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.ServiceDefaults;
using Tollgate.ServiceDefaults.Internal;

namespace Tollgate.Storage.Feeds;

/// <summary><c>GET /feeds/{name}?after=&amp;epoch=&amp;wait=</c>: the changes since a version, or everything, as a long poll.</summary>
public static class FeedEndpoint
{
    private const int MaxWaitSeconds = 30;
    private static readonly byte[] NewLine = "\n"u8.ToArray();

    /// <summary>Offers the change log of <typeparamref name="TContext"/> under a feed's name, on the internal port, to holders of a gateway token.</summary>
    public static void MapFeed<TContext>(this IEndpointRouteBuilder endpoints, string name) where TContext : DbContext =>
        endpoints.MapInternal()
            .MapGet($"{InternalPaths.Feeds}/{name}", (HttpContext http, IDbContextFactory<TContext> databases, FeedSignal<TContext> signal, TimeProvider time, IHostApplicationLifetime process,
                long after = 0, string? epoch = null, int wait = MaxWaitSeconds) => Answer(http, name, databases, signal, time, process.ApplicationStopping, after, epoch, wait))
            .RequireGatewayToken();

    private static async Task<IResult> Answer<TContext>(HttpContext http, string name, IDbContextFactory<TContext> databases, FeedSignal<TContext> signal,
        TimeProvider time, CancellationToken stopping, long after, string? epoch, int wait) where TContext : DbContext
    {
        if (after < 0 || wait < 0) return Problems.BadRequest("feed-position", "after and wait are numbers from 0 on; wait is at most 30 seconds.");
        var cancel = http.RequestAborted;
        using var noLonger = CancellationTokenSource.CreateLinkedTokenSource(cancel, stopping);
        var deadline = time.GetUtcNow().AddSeconds(Math.Min(wait, MaxWaitSeconds));
        while (true)
        {
            var woken = signal.Next;
            FeedHead head;
            await using (var db = await databases.CreateDbContextAsync(cancel)) head = await db.Set<FeedHead>().AsNoTracking().SingleAsync(cancel);

            var fromTheStart = after == 0 || head.Epoch != epoch || after > head.Version;
            var left = deadline - time.GetUtcNow();
            if (fromTheStart || head.Version > after || left <= TimeSpan.Zero || stopping.IsCancellationRequested)
            {
                await WriteAsync(http, name, databases, head, fromTheStart, after, cancel);
                return Results.Empty;
            }

            var look = signal.HearsEveryone ? TimeSpan.FromSeconds(5) : TimeSpan.FromSeconds(0.5);
            try
            {
                await woken.WaitAsync(left < look ? left : look, time, noLonger.Token);
            }
            catch (TimeoutException)
            {
                // Nothing was heard: look again, or answer that nothing changed.
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                // This process stops, and who waits here would keep it from that: their next poll finds another node, or this one's successor.
            }
        }
    }

    private static async Task WriteAsync<TContext>(HttpContext http, string name, IDbContextFactory<TContext> databases, FeedHead head,
        bool snapshot, long after, CancellationToken cancel) where TContext : DbContext
    {
        http.Response.ContentType = "application/x-ndjson";
        http.Response.Headers.CacheControl = "no-store";
        var body = http.Response.BodyWriter;
        Line(new FeedBegin(name, head.Epoch, snapshot));
        await using (var db = await databases.CreateDbContextAsync(cancel))
        {
            // The head was read first: what is committed meanwhile may come here and once more next time, which is harmless; nothing is left out.
            var changes = db.Set<Change>().AsNoTracking();
            var wanted = snapshot ? changes.Where(c => !c.Removed) : changes.Where(c => c.Version > after);
            await foreach (var line in wanted.OrderBy(c => c.Version).Select(c => c.Line).AsAsyncEnumerable().WithCancellation(cancel))
            {
                body.Advance(Encoding.UTF8.GetBytes(line, body.GetSpan(Encoding.UTF8.GetMaxByteCount(line.Length))));
                body.Write(NewLine);
                if (body.UnflushedBytes > 64 * 1024) await body.FlushAsync(cancel);
            }
        }

        Line(new FeedEnd(head.Version));
        await body.FlushAsync(cancel);

        void Line(FeedLine line)
        {
            body.Write(JsonSerializer.SerializeToUtf8Bytes(line, ContractJson.Default.FeedLine));
            body.Write(NewLine);
        }
    }
}
