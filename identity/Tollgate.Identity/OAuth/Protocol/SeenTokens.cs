using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Protocol;

/// <summary>Sees to it that a proof is taken once, by whichever node.</summary>
internal sealed class SeenTokens(IDbContextFactory<IdentityDb> databases)
{
    public const string Assertion = "assertion";
    public const string Dpop = "dpop";
    public const string Passkey = "passkey";
    private readonly ConcurrentDictionary<string, bool> _judging = new();

    /// <summary>Whether nobody has shown it before.</summary>
    /// <param name="of">Who made it: a client, the thumbprint of a key; or what it is for.</param>
    /// <param name="expires">From then on it would be too old anyway.</param>
    public async Task<bool> IsFirstAsync(string kind, string of, string jti, DateTimeOffset expires, CancellationToken cancel)
    {
        var digest = Secrets.Sha256($"{kind}\n{of}\n{jti}");
        if (!_judging.TryAdd(digest, true)) return false;   // its twin is being judged on this node, and was here first
        try
        {
            return await KeepAsync(digest, expires, cancel);
        }
        finally
        {
            _judging.TryRemove(digest, out _);
        }
    }

    private async Task<bool> KeepAsync(string digest, DateTimeOffset expires, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.SeenTokens.AnyAsync(t => t.Sha256 == digest, cancel)) return false;
        db.Add(new SeenToken { Sha256 = digest, Expires = expires });
        try
        {
            await db.SaveChangesAsync(cancel);
            return true;
        }
        catch (DbUpdateException)
        {
            // Two at once: the other one was first. Anything else is no collision and goes on.
            if (await db.SeenTokens.AnyAsync(t => t.Sha256 == digest, cancel)) return false;
            throw;
        }
    }
}
