using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// Every credential the gateway knows, looked up in memory. Fed by the credentials feed or the consumers file.
/// Readers never lock. There is one writer: it changes single entries in place, because the change of one key must not rebuild a table
/// of a million, and swaps everything for a snapshot.
/// </summary>
internal sealed class CredentialTable : IFeedTarget
{
    private const int LongestKey = 512;

    private readonly TimeProvider _time;
    private readonly RememberedKeys _remembered = new();
    private State _state = new();

    public CredentialTable(TimeProvider? time = null) => _time = time ?? TimeProvider.System;

    /// <summary>How many API keys are known.</summary>
    public int KeyCount => Volatile.Read(ref _state).Keys.Count;

    /// <summary>
    /// Finds an API key by its raw text. Keys that begin with <c>tg_</c> and are malformed (length, alphabet, checksum) cost no look-up.
    /// </summary>
    public bool TryFindKey(ReadOnlySpan<char> rawKey, [NotNullWhen(true)] out Credential? credential)
    {
        credential = null;
        if (rawKey.IsEmpty || rawKey.Length > LongestKey || (rawKey.StartsWith(ApiKeyFormat.Mark) && !ApiKeyFormat.IsWellFormed(rawKey)))
            return false;

        var state = Volatile.Read(ref _state);
        var hash = _remembered.HashOf(rawKey);
        if (_remembered.TryGet(hash, out var digest))
            return state.TryGet(digest, out credential);

        digest = KeyDigest.Of(rawKey);
        if (!state.TryGet(digest, out credential))
            return false;    // not remembered: guesses must not push out what is in use
        _remembered.Remember(hash, digest);
        return true;
    }

    /// <summary>Finds the OAuth client that a token was issued to.</summary>
    public bool TryFindClient(ReadOnlySpan<char> clientId, [NotNullWhen(true)] out Credential? credential) =>
        Volatile.Read(ref _state).ClientsByText.TryGetValue(clientId, out credential) && credential.Application.IsKnown;

    /// <summary>Whether a token was revoked before its expiry, by <c>jti</c>.</summary>
    public bool IsTokenRevoked(string jti) => Volatile.Read(ref _state).RevokedTokens.ContainsKey(jti);

    public IFeedChanges Begin(bool snapshot) => new Changes(this, snapshot);

    /// <summary>Forgets revoked tokens that have expired by now. Called now and then by the writer's side.</summary>
    public void Tidy()
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var tokens = Volatile.Read(ref _state).RevokedTokens;
        foreach (var (jti, expires) in tokens)
        {
            if (expires + SkewMs < now)
                tokens.TryRemove(jti, out _);
        }
    }

    private const long SkewMs = 600_000;    // validators accept a token for a while after its expiry

    private sealed class State
    {
        public readonly ConcurrentDictionary<KeyDigest, Credential> Keys = new();
        public readonly ConcurrentDictionary<string, Credential> Clients = new(StringComparer.Ordinal);
        public readonly ConcurrentDictionary<string, Credential>.AlternateLookup<ReadOnlySpan<char>> ClientsByText;
        public readonly ConcurrentDictionary<string, long> RevokedTokens = new(StringComparer.Ordinal);

        // Of the writer alone.
        public readonly Dictionary<ApiKeyId, Credential> KeysById = [];
        public readonly Dictionary<AppId, Application> Applications = [];

        public State() => ClientsByText = Clients.GetAlternateLookup<ReadOnlySpan<char>>();

        public bool TryGet(in KeyDigest digest, [NotNullWhen(true)] out Credential? credential) =>
            Keys.TryGetValue(digest, out credential) && credential.Application.IsKnown;
    }

    private sealed class Changes(CredentialTable table, bool snapshot) : IFeedChanges
    {
        private static readonly IPNetwork[] Nowhere = [new(IPAddress.Broadcast, 32)];

        private readonly State _state = snapshot ? new State() : table._state;
        private readonly List<FeedItem> _later = [];
        private readonly Dictionary<string, string[]> _scopeSets = [];

        public void Add(FeedItem item)
        {
            if (snapshot)
                Apply(item);
            else
                _later.Add(item);
        }

        public void Commit()
        {
            foreach (var item in _later)
                Apply(item);
            Volatile.Write(ref table._state, _state);
        }

        private void Apply(FeedItem item)
        {
            switch (item)
            {
                case ApplicationItem application:
                    Application(application.Id).Become(application.Name, application.OrganisationName, application.Suspended);
                    break;
                case KeyItem key:
                    Put(key);
                    break;
                case ClientItem client:
                    _state.Clients[client.ClientId] = new Credential { Id = "client:" + client.ClientId, Application = Application(client.Application) };
                    break;
                case RevokedTokenItem token:
                    _state.RevokedTokens[token.Jti] = token.ExpiresUnixMs;
                    break;
                case RemovedItem removed:
                    Remove(removed);
                    break;
            }
        }

        private void Put(KeyItem item)
        {
            if (!KeyDigest.TryParse(item.Sha256, out var digest))
            {
                RemoveKey(item.Id);    // whatever it is, it is not the key we had
                return;
            }
            var credential = new Credential
            {
                KeyId = item.Id,
                Digest = digest,
                Prefix = item.Prefix ?? "",
                Application = Application(item.Application),
                Revoked = item.Revoked,
                ExpiresUnixMs = item.ExpiresUnixMs ?? long.MaxValue,
                Scopes = Scopes(item.Scopes),
                Networks = Networks(item.Networks),
            };
            if (_state.KeysById.TryGetValue(item.Id, out var before) && !before.Digest.Equals(digest))
                RemoveKey(item.Id);
            _state.KeysById[item.Id] = credential;
            _state.Keys[digest] = credential;
        }

        private void Remove(RemovedItem removed)
        {
            switch (removed.Of)
            {
                case "key" when Guid.TryParse(removed.Id, out var id):
                    RemoveKey(new ApiKeyId(id));
                    break;
                case "client":
                    _state.Clients.TryRemove(removed.Id, out _);
                    break;
                case "revoked-token":
                    _state.RevokedTokens.TryRemove(removed.Id, out _);
                    break;
                case "application" when Guid.TryParse(removed.Id, out var id) && _state.Applications.TryGetValue(new AppId(id), out var application):
                    application.Forget();    // stays as a place that credentials point to
                    break;
            }
        }

        private void RemoveKey(ApiKeyId id)
        {
            if (_state.KeysById.Remove(id, out var credential) && _state.Keys.TryGetValue(credential.Digest, out var held) && held.KeyId == id)
                _state.Keys.TryRemove(credential.Digest, out _);
        }

        private Application Application(AppId id)
        {
            if (!_state.Applications.TryGetValue(id, out var application))
                _state.Applications[id] = application = new Application { Id = id };
            return application;
        }

        /// <summary>Many keys carry the same few sets of scopes: they share one array within a change.</summary>
        private string[]? Scopes(IReadOnlyList<string>? scopes)
        {
            if (scopes is null)
                return null;
            var name = string.Join(' ', scopes);
            if (!_scopeSets.TryGetValue(name, out var set))
                _scopeSets[name] = set = [.. scopes.Select(string.Intern)];
            return set;
        }

        /// <summary>A list of which no entry can be read must not come to mean "from anywhere".</summary>
        private static IPNetwork[] Networks(IReadOnlyList<string>? texts)
        {
            if (texts is null || texts.Count == 0)
                return [];
            var networks = new List<IPNetwork>(texts.Count);
            foreach (var text in texts)
            {
                if (NetworkText.TryParse(text, out var network))
                    networks.Add(network);
            }
            return networks.Count > 0 ? [.. networks] : Nowhere;
        }
    }
}
