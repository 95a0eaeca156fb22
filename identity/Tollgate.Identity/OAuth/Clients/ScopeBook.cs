using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Contracts.Scopes;
using Tollgate.Identity.ManagementTokens;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>The scopes that a request comes down to, and the APIs that they are for.</summary>
internal sealed record GrantedScopes(IReadOnlyList<string> Names, IReadOnlyList<string> Audiences);

/// <summary>Reads scope parameters (RFC 6749 §3.3) against what there is and what a client may ask for.</summary>
internal sealed class ScopeBook(IdentityDb db, ScopeCache cache, ISubscribedScopes subscribed)
{
    /// <summary>The names in their order, each once; null where there are other characters than a scope has.</summary>
    public static IReadOnlyList<string>? Split(string scope)
    {
        var names = scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct().ToList();
        return names.All(ScopeNames.IsWellFormed) ? names : null;
    }

    /// <summary>
    /// What a client may ask for: what it was declared with. For a client of an application that is what its active subscriptions give at this moment, or
    /// less where its owner chose less, beside the scopes of OpenID Connect that were chosen.
    /// </summary>
    public async ValueTask<IReadOnlyList<string>> OfAsync(OAuthClient client, CancellationToken cancel) =>
        client.Application is { } application ? Within(client.Scopes, await subscribed.OfAsync(application, cancel)) : client.Scopes;

    /// <param name="chosen">By the owner of an application's client.</param>
    /// <param name="given">By the application's subscriptions.</param>
    public static IReadOnlyList<string> Within(IReadOnlyList<string> chosen, IReadOnlyList<string> given)
    {
        var ofApis = chosen.Except(StandardScopes.All).ToList();
        return [.. chosen.Intersect(StandardScopes.All), .. ofApis.Count == 0 ? given : given.Intersect(ofApis)];
    }

    /// <param name="scope">Null = all that the client may have here.</param>
    /// <param name="from">What may be given here, of what the client may ask for.</param>
    /// <param name="resources">These APIs alone (RFC 8707); none = all that the scopes are for.</param>
    public async Task<(GrantedScopes? Granted, OAuthRefusal? Refusal)> ResolveAsync(
        OAuthClient client, string? scope, IReadOnlyList<string> from, IReadOnlyList<string> resources, CancellationToken cancel)
    {
        var names = scope is null ? from : Split(scope);
        if (names is null || names.Any(n => !from.Contains(n)))
            return (null, OAuthRefusal.InvalidScope("A scope is unknown, or not for this client."));

        // A scope that a product gives exists by that; one that is declared says for which API it is.
        var known = await cache.AudiencesAsync(db, cancel);
        if (client.Application is null && names.Any(n => !StandardScopes.All.Contains(n) && !known.ContainsKey(n)))
            return (null, OAuthRefusal.InvalidScope("A scope is unknown, or not for this client."));
        IReadOnlyList<string> audiences = [.. names.Select(n => known.GetValueOrDefault(n)).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        if (resources.Count > 0)
        {
            if (resources.Any(r => !audiences.Contains(r))) return (null, new OAuthRefusal("invalid_target", "A resource is unknown, or none of the scopes is for it."));
            audiences = [.. resources.Distinct()];
            // What other APIs understand has no place in a token for these (RFC 8707 §2.2).
            names = [.. names.Where(n => known.GetValueOrDefault(n) is not { } of || audiences.Contains(of))];
        }

        return (new GrantedScopes([.. names], audiences), null);
    }
}

/// <summary>Remembers the scopes that there are for a few seconds: only a start changes them. Those of the management API are always there.</summary>
internal sealed class ScopeCache(ISubscribedScopes subscribed, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);
    private volatile Read? _read;
    private volatile Offer? _offer;

    /// <summary>The API of each scope.</summary>
    public async ValueTask<IReadOnlyDictionary<string, string?>> AudiencesAsync(IdentityDb db, CancellationToken cancel)
    {
        if (_read is { } read && time.GetElapsedTime(read.At) < Freshness) return read.Audiences;
        var at = time.GetTimestamp();
        var all = await db.OAuthScopes.AsNoTracking().ToDictionaryAsync(s => s.Name, s => s.Audience, StringComparer.Ordinal, cancel);
        foreach (var scope in ManagementApiScopes.All) all[scope] = ManagementApiScopes.Audience(options.Value);
        _read = new Read(all, at);
        return all;
    }

    /// <summary>What the products give that everybody may see. While the books cannot be read, what they said last.</summary>
    public async ValueTask<IReadOnlyList<string>> OfferedAsync(CancellationToken cancel)
    {
        if (_offer is { } offer && time.GetElapsedTime(offer.At) < Freshness) return offer.Names;
        var at = time.GetTimestamp();
        try
        {
            _offer = new Offer(await subscribed.OfferedAsync(cancel), at);
        }
        catch (Exception lost) when (OAuthSetup.IsDatabaseAway(lost))
        {
            _offer = new Offer(_offer?.Names ?? [], at);   // not made yet, or away: the document is good without them
        }

        return _offer.Names;
    }

    private sealed record Offer(IReadOnlyList<string> Names, long At);

    private sealed record Read(IReadOnlyDictionary<string, string?> Audiences, long At);
}

/// <summary>Where nobody sells anything: there is no application either that could ask.</summary>
internal sealed class NothingSubscribed : ISubscribedScopes
{
    public Task<IReadOnlyList<string>> OfAsync(Contracts.AppId application, CancellationToken cancel) => Task.FromResult<IReadOnlyList<string>>([]);

    public Task<IReadOnlyList<string>> OfferedAsync(CancellationToken cancel) => Task.FromResult<IReadOnlyList<string>>([]);
}
