using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>Every credential the gateway knows, looked up in memory. Fed by the credentials feed or the consumers file.</summary>
internal sealed class CredentialTable(TimeProvider? time = null) : FeedTable<CredentialTable.State>
{
    private const int LongestKey = 512;
    private const long SkewMs = 600_000;    // validators accept a token for a while after its expiry

    private static readonly IPNetwork[] Nowhere = [new(IPAddress.Broadcast, 32)];

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly RememberedKeys _remembered = new();
    private readonly StripedCount _lookups = new();

    /// <summary>How many API keys are known.</summary>
    public int KeyCount => Current.Keys.Count;

    /// <summary>How often a key was looked for in the table. Malformed keys of ours never are.</summary>
    public long Lookups => _lookups.Value;

    /// <summary>
    /// Finds an API key by its raw text. Keys that begin with <c>tg_</c> and are malformed (length, alphabet, checksum) cost no look-up, all others one.
    /// </summary>
    public bool TryFindKey(ReadOnlySpan<char> rawKey, [NotNullWhen(true)] out Credential? credential)
    {
        credential = null;
        if (rawKey.IsEmpty || rawKey.Length > LongestKey || (rawKey.StartsWith(ApiKeyFormat.Mark) && !ApiKeyFormat.IsWellFormed(rawKey)))
            return false;

        _lookups.Add();
        var hash = _remembered.HashOf(rawKey);
        var isRemembered = _remembered.TryGet(hash, out var digest);
        if (!isRemembered) digest = KeyDigest.Of(rawKey);
        var found = Current.Keys.TryGet(digest, out credential) && credential.Application.IsKnown;
        if (isRemembered)
        {
            if (!found || IsDead(credential!)) _ = KeyDigest.Of(rawKey);    // a dead key takes as long as one that never was
        }
        else if (found)
        {
            _remembered.Remember(hash, digest);    // found ones alone: guesses must not push out what is in use
        }

        return found;
    }

    private bool IsDead(Credential credential) =>
        credential.Revoked || credential.ExpiresUnixMs != long.MaxValue && credential.ExpiresUnixMs <= _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Finds an API key by its digest, to explain it.</summary>
    public bool TryFindDigest(in KeyDigest digest, [NotNullWhen(true)] out Credential? credential) => Current.Keys.TryGet(digest, out credential);

    /// <summary>Finds the OAuth client that a token was issued to. One that is bound to an issuer is found for that issuer's tokens alone.</summary>
    public bool TryFindClient(TokenIdentity token, [NotNullWhen(true)] out Credential? credential)
    {
        credential = null;
        var clients = Current.Clients;
        return token.ClientId is not null
            && (token.ClientOfIssuer is not null && clients.TryGetValue(token.ClientOfIssuer, out credential) || clients.TryGetValue(token.ClientId, out credential))
            && credential.Application.IsKnown;
    }

    /// <summary>Whether a token was revoked before its expiry: itself, or with all that its client or its subject had.</summary>
    public bool IsRevoked(TokenIdentity token)
    {
        var state = Current;
        return token.Jti is not null && state.RevokedTokens.ContainsKey(token.Jti)
            || token.ClientId is not null && state.RevokedClients.TryGetValue(token.ClientId, out var of) && token.IssuedUnixMs <= of.BeforeUnixMs
            || token.Subject is not null && state.RevokedSubjects.TryGetValue(token.Subject, out of) && token.IssuedUnixMs <= of.BeforeUnixMs;
    }

    /// <summary>Forgets revoked tokens that have expired by now. Called now and then by the writer's side.</summary>
    public void Tidy()
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var state = Current;
        foreach (var (jti, expires) in state.RevokedTokens)
            if (expires + SkewMs < now)
                state.RevokedTokens.TryRemove(jti, out _);
        foreach (var holders in new[] { state.RevokedClients, state.RevokedSubjects })
            foreach (var holder in holders)
                if (holder.Value.ExpiresUnixMs + SkewMs < now)
                    holders.TryRemove(holder);
    }

    protected override void Apply(State state, FeedItem item)
    {
        switch (item)
        {
            case ApplicationItem application:
                state.Application(application.Id).Become(state.Name(application.Name), state.Name(application.OrganisationName), RefusalOf(application));
                break;
            case KeyItem key:
                Put(state, key);
                break;
            case ClientItem client:
                state.Clients[client.Key] = new Credential { Id = "client:" + client.ClientId, Application = state.Application(client.Application) };
                break;
            case RevokedTokenItem token:
                state.RevokedTokens[token.Jti] = token.ExpiresUnixMs;
                break;
            case RevokedBeforeItem before:
                (before.Of == TokenHolder.Client ? state.RevokedClients : state.RevokedSubjects)[before.Name] = new(before.BeforeUnixMs, before.ExpiresUnixMs);
                break;
            case RemovedItem removed:
                Remove(state, removed);
                break;
        }
    }

    private static Refusal RefusalOf(ApplicationItem application) =>
        application.Suspended ? Refusal.OrganisationSuspended : application.ApplicationSuspended ? Refusal.ApplicationSuspended : Refusal.None;

    private static void Put(State state, KeyItem item)
    {
        if (!KeyDigest.TryParse(item.Sha256, out var digest))
        {
            state.Keys.Remove(item.Id);    // whatever it is, it is not the key we had
            return;
        }

        var prefix = item.Prefix ?? "";
        state.Keys.Put(item.Id, digest, state.Application(item.Application), prefix, item.Revoked, item.ExpiresUnixMs ?? long.MaxValue, state.Limits(item.Scopes, item.Networks),
            item.HighRisk, item.Test || prefix.StartsWith(ApiKeyFormat.TestPrefix, StringComparison.Ordinal));
    }

    private static void Remove(State state, RemovedItem removed)
    {
        switch (removed.Of)
        {
            case "key" when Guid.TryParse(removed.Id, out var id):
                state.Keys.Remove(new ApiKeyId(id));
                break;
            case "client":
                state.Clients.TryRemove(removed.Id, out _);
                break;
            case "revoked-token":
                state.RevokedTokens.TryRemove(removed.Id, out _);
                break;
            case "revoked-before":
                var colon = removed.Id.IndexOf(':');
                (removed.Id.StartsWith("client:", StringComparison.Ordinal) ? state.RevokedClients : state.RevokedSubjects).TryRemove(removed.Id[(colon + 1)..], out _);
                break;
            case "application" when Guid.TryParse(removed.Id, out var id):
                state.Forget(new AppId(id));
                break;
        }
    }

    /// <summary>Tokens issued up to a moment, and until when any of them may be shown.</summary>
    internal readonly record struct RevokedBefore(long BeforeUnixMs, long ExpiresUnixMs);

    internal sealed class State
    {
        public readonly KeyTable Keys = new();

        /// <summary>By client id; those bound to an issuer by issuer, blank and client id.</summary>
        public readonly ConcurrentDictionary<string, Credential> Clients = new(StringComparer.Ordinal);
        public readonly ConcurrentDictionary<string, long> RevokedTokens = new(StringComparer.Ordinal);
        public readonly ConcurrentDictionary<string, RevokedBefore> RevokedClients = new(StringComparer.Ordinal);
        public readonly ConcurrentDictionary<string, RevokedBefore> RevokedSubjects = new(StringComparer.Ordinal);

        // Of the writer alone.
        private readonly Dictionary<AppId, Application> _applications = [];
        private readonly Dictionary<string, KeyLimits> _limits = new(StringComparer.Ordinal);
        private string _lastName = "";

        public Application Application(AppId id)
        {
            if (!_applications.TryGetValue(id, out var application))
                _applications[id] = application = new Application { Id = id };
            return application;
        }

        /// <summary>Stays as a place that credentials point to.</summary>
        public void Forget(AppId id)
        {
            if (_applications.TryGetValue(id, out var application)) application.Forget();
        }

        /// <summary>An organisation's applications often come one after another: they share the text of its name.</summary>
        public string Name(string text) => text == _lastName ? _lastName : _lastName = text;

        /// <summary>Many keys are limited alike: they share one object. A list of networks of which no entry can be read must not come to mean "from anywhere".</summary>
        public KeyLimits? Limits(IReadOnlyList<string>? scopes, IReadOnlyList<string>? networks)
        {
            if (scopes is null && networks is null or { Count: 0 }) return null;
            var name = $"{(scopes is null ? "*" : string.Join(' ', scopes))}\n{string.Join(' ', networks ?? [])}";
            if (_limits.TryGetValue(name, out var known)) return known;
            if (_limits.Count > 100_000) _limits.Clear();    // keys keep what they have; only the sharing begins anew
            return _limits[name] = new KeyLimits(scopes is null ? null : [.. scopes], Networks(networks));
        }

        private static IPNetwork[] Networks(IReadOnlyList<string>? texts)
        {
            if (texts is null || texts.Count == 0)
                return [];
            var networks = new List<IPNetwork>(texts.Count);
            foreach (var text in texts)
                if (NetworkText.TryParse(text, out var network))
                    networks.Add(network);
            return networks.Count > 0 ? [.. networks] : Nowhere;
        }
    }
}
