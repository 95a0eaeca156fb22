using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>
/// The keys that clients publish at addresses of their own (<c>jwks_uri</c>, RFC 7591 §2). Read when they are first needed, and kept for ten minutes; a key that is
/// not among them has them read again, though not more often than every half minute, whoever makes up names of keys. What cannot be read leaves
/// what was read last good for an hour.
/// </summary>
internal sealed partial class PublishedKeys(ClientCalls calls, TimeProvider time, ILogger<PublishedKeys> logger)
{
    private const int MostClients = 2_000;
    private const int MostKeys = 50;
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Good = TimeSpan.FromHours(1);
    private readonly ConcurrentDictionary<string, Entry> _read = new(StringComparer.Ordinal);

    /// <param name="again">What is known does not hold the key that is looked for.</param>
    public Task<IReadOnlyList<PublicJwk>> OfAsync(OAuthClient client, bool again, CancellationToken cancel)
    {
        var uri = client.JwksUri!;
        if (!_read.TryGetValue(client.ClientId, out var entry) || entry.Uri != uri)
        {
            if (_read.Count >= MostClients) _read.Clear();
            entry = new Entry(uri);
            _read[client.ClientId] = entry;
        }

        lock (entry)
        {
            var isDue = entry.AskedAt is not { } asked || time.GetElapsedTime(asked) >= (again || entry.Failed ? Rest : Fresh);
            if (isDue && entry.Reading.IsCompleted)
            {
                entry.AskedAt = time.GetTimestamp();
                entry.Reading = Task.Run(() => ReadAsync(client, entry), CancellationToken.None);   // whoever waits beside is not left alone when the first one goes
            }

            return entry.Reading.IsCompleted ? Task.FromResult(entry.Keys) : WaitAsync(entry, cancel);
        }
    }

    private static async Task<IReadOnlyList<PublicJwk>> WaitAsync(Entry entry, CancellationToken cancel)
    {
        await entry.Reading.WaitAsync(cancel);
        return entry.Keys;
    }

    private async Task ReadAsync(OAuthClient client, Entry entry)
    {
        try
        {
            using var answer = await calls.To(client).GetAsync(entry.Uri);
            answer.EnsureSuccessStatusCode();
            var keys = PublicJwk.ReadSet(await answer.Content.ReadAsStringAsync()).Take(MostKeys).ToArray();
            if (keys.Length == 0) throw new JsonException("there is no key that could be used.");
            (entry.Keys, entry.ReadAt, entry.Failed) = (keys, time.GetTimestamp(), false);
        }
        catch (Exception wrong) when (wrong is HttpRequestException or TaskCanceledException or JsonException or InvalidOperationException)
        {
            Log.NotRead(logger, client.ClientId, wrong.Message);
            entry.Failed = true;
            if (entry.ReadAt is not { } read || time.GetElapsedTime(read) >= Good) entry.Keys = [];
        }
    }

    private sealed class Entry(string uri)
    {
        public string Uri => uri;
        public IReadOnlyList<PublicJwk> Keys { get; set; } = [];
        public long? AskedAt { get; set; }
        public long? ReadAt { get; set; }
        public bool Failed { get; set; }
        public Task Reading { get; set; } = Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(2445, LogLevel.Warning, "The keys that client {Client} publishes could not be read: {Reason}")]
        public static partial void NotRead(ILogger logger, string client, string reason);
    }
}
