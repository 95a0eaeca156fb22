using System.Collections.Concurrent;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>
/// Remembers clients for half a second, so that a busy one does not cost three questions to the database with each token. What is changed on this node
/// is forgotten at once, on others it is in force by then. Unknown ones are not remembered: their names have no end.
/// </summary>
internal sealed class ClientCache(TimeProvider time)
{
    private const int Most = 5_000;
    private static readonly TimeSpan Freshness = TimeSpan.FromMilliseconds(500);
    private readonly ConcurrentDictionary<string, (KnownClient Client, long ReadAt)> _known = new(StringComparer.Ordinal);

    /// <summary>As <see cref="ClientAuthentication.FindAsync"/>, and never to be changed.</summary>
    public async ValueTask<KnownClient?> FindAsync(IdentityDb db, string clientId, CancellationToken cancel)
    {
        if (_known.TryGetValue(clientId, out var known) && time.GetElapsedTime(known.ReadAt) < Freshness) return known.Client;
        var asked = time.GetTimestamp();
        var found = await ClientAuthentication.FindAsync(db, clientId, cancel);
        if (found is null)
        {
            _known.TryRemove(clientId, out _);
            return null;
        }

        if (_known.Count >= Most) _known.Clear();
        _known[clientId] = (found, asked);
        return found;
    }

    public void Forget(string clientId) => _known.TryRemove(clientId, out _);
}
