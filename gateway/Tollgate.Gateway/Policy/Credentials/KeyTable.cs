using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// API keys by digest and by id, packed: a million of them take about a hundred bytes each, because what a call needs of a key is made an object
/// when the key first calls. Readers never lock. One writer appends and then turns a slot, so a reader sees an entry whole or not at all; entries that a
/// change left behind are swept when they are many.
/// </summary>
internal sealed class KeyTable
{
    private const int ChunkBits = 13;
    private const int ChunkSize = 1 << ChunkBits;
    private const int MostChunks = 1 << 13;
    private const int FewestSlots = 64;
    private const int Gone = -1;

    private Body _body = new(FewestSlots);
    private int[] _byId = new int[FewestSlots];
    private int _idSlotsUsed;
    private int _slotsUsed;
    private int _appended;
    private int _live;

    /// <summary>How many keys there are.</summary>
    public int Count => Volatile.Read(ref _live);

    /// <summary>The key with this digest. Two look at the same entry and get the same object.</summary>
    public bool TryGet(in KeyDigest digest, [NotNullWhen(true)] out Credential? credential)
    {
        var body = Volatile.Read(ref _body);
        var slots = body.Slots;
        var mask = slots.Length - 1;
        for (var at = digest.GetHashCode() & mask; ; at = (at + 1) & mask)
        {
            var number = Volatile.Read(ref slots[at]);
            if (number == 0)
            {
                credential = null;
                return false;
            }

            if (number == Gone) continue;
            ref var entry = ref body.Of(number);
            if (!entry.Digest.Equals(digest)) continue;
            credential = Volatile.Read(ref entry.Used) ?? Use(ref entry);
            return true;
        }
    }

    /// <summary>Puts a key in, in the place of the one with its id. Of the writer alone.</summary>
    public void Put(ApiKeyId id, in KeyDigest digest, Application application, string prefix, bool revoked, long expiresUnixMs, KeyLimits? limits, bool highRisk, bool test)
    {
        if (FindById(id) is >= 0 and var slot && !_body.Of(_byId[slot]).Digest.Equals(digest)) Remove(id);
        if (_appended == MostChunks * ChunkSize || _appended > 4096 && _appended - _live > _live / 2) Sweep();

        var number = ++_appended;
        ref var entry = ref _body.Make(number);
        entry.Digest = digest;
        entry.Id = id;
        entry.Application = application;
        entry.ExpiresUnixMs = expiresUnixMs;
        entry.Limits = limits;
        entry.Flags = (revoked ? KeyFlags.Revoked : 0) | (highRisk ? KeyFlags.HighRisk : 0) | (test ? KeyFlags.Test : 0);
        if (!ShownPrefix.TryPack(prefix, out entry.Prefix)) entry.Prefix = 0;
        Turn(digest, id, number);
    }

    /// <summary>Takes a key out. Of the writer alone.</summary>
    public void Remove(ApiKeyId id)
    {
        if (FindById(id) is not (>= 0 and var idSlot)) return;
        var number = _byId[idSlot];
        _byId[idSlot] = Gone;
        var body = _body;
        var at = FindByDigest(body, body.Of(number).Digest);
        if (at < 0 || body.Slots[at] != number) return;    // the digest is another key's by now
        Volatile.Write(ref body.Slots[at], Gone);
        Volatile.Write(ref _live, _live - 1);
    }

    // The digest's slot is turned to the new entry, or a fresh one is taken; the same for the id.
    private void Turn(in KeyDigest digest, ApiKeyId id, int number)
    {
        var body = _body;
        var at = FindByDigest(body, digest);
        if (at >= 0)
        {
            var before = body.Slots[at];
            Volatile.Write(ref body.Slots[at], number);
            if (body.Of(before).Id != id && FindById(body.Of(before).Id) is >= 0 and var orphan && _byId[orphan] == before) _byId[orphan] = Gone;
        }
        else
        {
            if ((_slotsUsed + 1) * 2 > body.Slots.Length) body = Grow();
            var slots = body.Slots;
            at = digest.GetHashCode() & (slots.Length - 1);
            while (slots[at] != 0) at = (at + 1) & (slots.Length - 1);
            _slotsUsed++;
            Volatile.Write(ref slots[at], number);
            Volatile.Write(ref _live, _live + 1);
        }

        if (FindById(id) is >= 0 and var slot)
        {
            _byId[slot] = number;
            return;
        }

        if ((_idSlotsUsed + 1) * 2 > _byId.Length) GrowIds();
        var free = HashOf(id) & (_byId.Length - 1);
        while (_byId[free] != 0) free = (free + 1) & (_byId.Length - 1);
        _byId[free] = number;
        _idSlotsUsed++;
    }

    private static int FindByDigest(Body body, in KeyDigest digest)
    {
        var slots = body.Slots;
        for (var at = digest.GetHashCode() & (slots.Length - 1); slots[at] != 0; at = (at + 1) & (slots.Length - 1))
            if (slots[at] != Gone && body.Of(slots[at]).Digest.Equals(digest))
                return at;
        return -1;
    }

    private int FindById(ApiKeyId id)
    {
        for (var at = HashOf(id) & (_byId.Length - 1); _byId[at] != 0; at = (at + 1) & (_byId.Length - 1))
            if (_byId[at] != Gone && _body.Of(_byId[at]).Id == id)
                return at;
        return -1;
    }

    // Readers keep the slots that they began with; the entries are the same.
    private Body Grow()
    {
        var body = new Body(SlotsFor(_live + 1), _body.Chunks);
        _slotsUsed = 0;
        foreach (var number in _body.Slots)
            if (number > 0)
                Insert(body, body.Of(number).Digest, number);
        Volatile.Write(ref _body, body);
        return body;
    }

    private void GrowIds()
    {
        var before = _byId;
        _byId = new int[SlotsFor(_live + 1)];
        _idSlotsUsed = 0;
        foreach (var number in before)
            if (number > 0)
                InsertId(number, _body.Of(number).Id);
    }

    // Entries that were changed or removed leave their place behind: here the others move together.
    private void Sweep()
    {
        var before = _body;
        var body = new Body(SlotsFor(_live + 1));
        _byId = new int[body.Slots.Length];
        (_appended, _slotsUsed, _idSlotsUsed) = (0, 0, 0);
        foreach (var old in before.Slots)
        {
            if (old <= 0) continue;
            var number = ++_appended;
            body.Make(number) = before.Of(old);
            Insert(body, before.Of(old).Digest, number);
            var id = before.Of(old).Id;
            for (var at = HashOf(id) & (_byId.Length - 1); ; at = (at + 1) & (_byId.Length - 1))
            {
                if (_byId[at] != 0) continue;
                _byId[at] = number;
                _idSlotsUsed++;
                break;
            }
        }

        Volatile.Write(ref _body, body);
    }

    private void Insert(Body body, in KeyDigest digest, int number)
    {
        var at = digest.GetHashCode() & (body.Slots.Length - 1);
        while (body.Slots[at] != 0) at = (at + 1) & (body.Slots.Length - 1);
        body.Slots[at] = number;
        _slotsUsed++;
    }

    private void InsertId(int number, ApiKeyId id)
    {
        var at = HashOf(id) & (_byId.Length - 1);
        while (_byId[at] != 0) at = (at + 1) & (_byId.Length - 1);
        _byId[at] = number;
        _idSlotsUsed++;
    }

    private static int SlotsFor(int keys) => Math.Max(FewestSlots, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)keys * 3));

    // The time is in the front of an id of version 7; the end is random.
    private static int HashOf(ApiKeyId id)
    {
        var value = id.Value;
        var words = MemoryMarshal.Cast<Guid, int>(MemoryMarshal.CreateReadOnlySpan(ref value, 1));
        return words[3] ^ words[0];
    }

    private static Credential Use(ref Entry entry)
    {
        var credential = new Credential
        {
            KeyId = entry.Id,
            Digest = entry.Digest,
            ShownPrefix = entry.Prefix,
            Application = entry.Application,
            Revoked = (entry.Flags & KeyFlags.Revoked) != 0,
            HighRisk = (entry.Flags & KeyFlags.HighRisk) != 0,
            Test = (entry.Flags & KeyFlags.Test) != 0,
            ExpiresUnixMs = entry.ExpiresUnixMs,
            Scopes = entry.Limits?.Scopes,
            Networks = entry.Limits?.Networks ?? [],
        };
        return Interlocked.CompareExchange(ref entry.Used, credential, null) ?? credential;
    }

    private sealed class Body(int slots, Entry[]?[]? chunks = null)
    {
        /// <summary>Numbers of entries, from 1 on; 0 = free, below = was used.</summary>
        public readonly int[] Slots = new int[slots];

        public readonly Entry[]?[] Chunks = chunks ?? new Entry[]?[MostChunks];

        public ref Entry Of(int number) => ref Volatile.Read(ref Chunks[(number - 1) >> ChunkBits])![(number - 1) & (ChunkSize - 1)];

        public ref Entry Make(int number)
        {
            ref var chunk = ref Chunks[(number - 1) >> ChunkBits];
            if (chunk is null) Volatile.Write(ref chunk, new Entry[ChunkSize]);
            return ref chunk![(number - 1) & (ChunkSize - 1)];
        }
    }

    private struct Entry
    {
        public KeyDigest Digest;
        public ApiKeyId Id;
        public Application Application;
        public KeyLimits? Limits;
        public Credential? Used;
        public long ExpiresUnixMs;
        public uint Prefix;
        public KeyFlags Flags;
    }

    [Flags]
    private enum KeyFlags : byte
    {
        Revoked = 1,
        HighRisk = 2,
        Test = 4,
    }
}

/// <summary>What a key is limited to: shared by all keys that have the same. Null scopes = all that the application may; no networks = from anywhere.</summary>
internal sealed record KeyLimits(string[]? Scopes, System.Net.IPNetwork[] Networks);
