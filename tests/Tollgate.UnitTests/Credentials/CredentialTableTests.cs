using System.Text;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;
using Tollgate.Gateway.Policy.Credentials;

namespace Tollgate.UnitTests.Credentials;

public sealed class CredentialTableTests
{
    private readonly CredentialTable _table = new();
    private readonly ApplicationItem _app = new(AppId.New(), OrganisationId.New(), "app", "acme", false);

    [Fact]
    public void A_key_is_found_by_its_text_and_so_is_its_application()
    {
        var (key, item) = NewKey();
        Apply(snapshot: true, _app, item);
        for (var i = 0; i < 3; i++)    // the first by digest, the others remembered
        {
            _table.TryFindKey(key, out var credential).ShouldBeTrue();
            credential!.Id.ShouldBe(item.Id.ToString());
            credential.Prefix.ShouldBe(key[..12]);
            (credential.Application.Name, credential.Application.Organisation).ShouldBe(("app", "acme"));
        }
    }

    [Fact]
    public void A_change_is_seen_at_once_also_by_keys_seen_before()
    {
        var (key, item) = NewKey();
        Apply(true, _app, item);
        _table.TryFindKey(key, out var before).ShouldBeTrue();

        Apply(false, item with { Revoked = true, ExpiresUnixMs = 5, Scopes = ["read"], Networks = ["10.0.0.0/8"] });
        _table.TryFindKey(key, out var after).ShouldBeTrue();
        (after!.Revoked, after.ExpiresUnixMs, after.Scopes!.Single(), after.Networks.Length).ShouldBe((true, 5, "read", 1));
        before!.Revoked.ShouldBeFalse();

        Apply(false, _app with { Suspended = true, Name = "renamed" });
        after.Application.Suspended.ShouldBeTrue();
        after.Application.Name.ShouldBe("renamed");

        Apply(false, new RemovedItem("key", item.Id.ToString()));
        _table.TryFindKey(key, out _).ShouldBeFalse();
    }

    [Fact]
    public void A_key_of_an_application_that_is_gone_or_was_never_told_authenticates_nobody()
    {
        var (key, item) = NewKey();
        Apply(true, item);
        _table.TryFindKey(key, out _).ShouldBeFalse();
        Apply(false, _app);
        _table.TryFindKey(key, out _).ShouldBeTrue();
        Apply(false, new RemovedItem("application", _app.Id.ToString()));
        _table.TryFindKey(key, out _).ShouldBeFalse();
    }

    [Fact]
    public void A_snapshot_replaces_everything_and_a_dropped_one_nothing()
    {
        var (key, item) = NewKey();
        var (other, otherItem) = NewKey();
        Apply(true, _app, item);
        var dropped = _table.Begin(snapshot: true);
        dropped.Add(_app);
        _table.TryFindKey(key, out _).ShouldBeTrue();

        Apply(true, _app, otherItem);
        _table.TryFindKey(key, out _).ShouldBeFalse();
        _table.TryFindKey(other, out _).ShouldBeTrue();
    }

    [Fact]
    public void A_rotated_digest_leaves_the_old_key_dead()
    {
        var (key, item) = NewKey();
        var (next, _) = NewKey();
        Apply(true, _app, item);
        Apply(false, item with { Sha256 = ApiKeyFormat.Sha256Hex(next) });
        _table.TryFindKey(key, out _).ShouldBeFalse();
        _table.TryFindKey(next, out _).ShouldBeTrue();
    }

    [Fact]
    public void Networks_that_cannot_be_read_do_not_mean_from_anywhere()
    {
        var (key, item) = NewKey();
        Apply(true, _app, item with { Networks = ["nonsense"] });
        _table.TryFindKey(key, out var credential).ShouldBeTrue();
        credential!.Networks.Length.ShouldBe(1);
        credential.Networks[0].Contains(System.Net.IPAddress.Loopback).ShouldBeFalse();
    }

    [Fact]
    public void An_imported_key_of_any_form_is_found()
    {
        const string key = "sk_any form/at+all=é";
        Apply(true, _app, new KeyItem(ApiKeyId.New(), ApiKeyFormat.Sha256Hex(key), _app.Id, ""));
        _table.TryFindKey(key, out var credential).ShouldBeTrue();
        credential!.Prefix.ShouldBe("");
        _table.TryFindKey(key + " ", out _).ShouldBeFalse();
    }

    [Fact]
    public void Clients_and_revoked_tokens_come_and_go()
    {
        Apply(true, _app, new ClientItem("partner", _app.Id), new RevokedTokenItem("jti-1", long.MaxValue / 2), new RevokedTokenItem("jti-2", 1));
        _table.TryFindClient("partner", out var credential).ShouldBeTrue();
        credential!.Id.ShouldBe("client:partner");
        _table.TryFindClient("Partner", out _).ShouldBeFalse();
        _table.IsTokenRevoked("jti-1").ShouldBeTrue();
        _table.Tidy();
        _table.IsTokenRevoked("jti-2").ShouldBeFalse();
        Apply(false, new RemovedItem("client", "partner"));
        _table.TryFindClient("partner", out _).ShouldBeFalse();
    }

    [Fact]
    public void No_mutated_truncated_extended_or_random_key_is_accepted()
    {
        const string alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        var keys = Enumerable.Range(0, 1000).Select(_ => NewKey()).ToArray();
        Apply(true, [_app, .. keys.Select(key => key.Item)]);
        foreach (var (key, _) in keys)
            _table.TryFindKey(key, out _).ShouldBeTrue();

        var random = new Random(11);
        var text = new char[48];
        for (var i = 0; i < 1_000_000; i++)
        {
            var key = keys[random.Next(keys.Length)].Key;
            key.CopyTo(0, text, 0, key.Length);
            var length = key.Length;
            switch (random.Next(5))
            {
                case 0:    // one character, and the checksum made right again half of the time by luck of the draw: never
                    var at = random.Next(8, key.Length);
                    text[at] = alphabet[(alphabet.IndexOf(text[at]) + 1 + random.Next(60)) % 62];
                    break;
                case 1:
                    length -= random.Next(1, 10);
                    break;
                case 2:
                    length += random.Next(1, 4);
                    for (var j = key.Length; j < length; j++)
                        text[j] = alphabet[random.Next(62)];
                    break;
                case 3:
                    for (var j = 8; j < length; j++)
                        text[j] = alphabet[random.Next(62)];
                    break;
                default:
                    var swap = random.Next(8, key.Length - 1);
                    if (text[swap] == text[swap + 1])
                        continue;
                    (text[swap], text[swap + 1]) = (text[swap + 1], text[swap]);
                    break;
            }
            if (_table.TryFindKey(text.AsSpan(0, length), out _))
                throw new Exception($"accepted: {new string(text, 0, length)}");
        }
    }

    [Fact]
    public void A_well_formed_key_that_was_never_issued_is_not_accepted()
    {
        Apply(true, _app, NewKey().Item);
        for (var i = 0; i < 10_000; i++)
            _table.TryFindKey(ApiKeyFormat.Generate(i % 2 == 0), out _).ShouldBeFalse();
    }

    [Fact]
    public void The_keyed_hash_is_siphash()
    {
        // Reference vectors of SipHash-2-4-128: key 00 01 … 0f, message 00 01 … of n bytes.
        var key = Enumerable.Range(0, 16).Select(i => (byte)i).ToArray();
        Hex(new KeyedHash(key).Of(Array.Empty<byte>())).ShouldBe("a3817f04ba25a8e66df67214c7550293");
        Hex(new KeyedHash(key).Of(new byte[] { 0 })).ShouldBe("da87c1d86b99af44347659119b22fc45");
        Hex(new KeyedHash(key).Of(Enumerable.Range(0, 15).Select(i => (byte)i).ToArray())).ShouldBe("5493e99933b0a8117e08ec0f97cfc3d9");

        static string Hex(UInt128 hash)
        {
            var bytes = new byte[16];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt128LittleEndian(bytes, hash);
            return Convert.ToHexStringLower(bytes);
        }
    }

    [Fact]
    public void Remembered_keys_are_bounded()
    {
        var remembered = new RememberedKeys(100);
        for (var i = 0; i < 10_000; i++)
            remembered.Remember(remembered.HashOf(i.ToString(System.Globalization.CultureInfo.InvariantCulture)), default);
        Enumerable.Range(0, 10_000).Count(i => remembered.TryGet(remembered.HashOf(i.ToString(System.Globalization.CultureInfo.InvariantCulture)), out _)).ShouldBeLessThanOrEqualTo(150);
    }

    private (string Key, KeyItem Item) NewKey()
    {
        var key = ApiKeyFormat.Generate(false);
        return (key, new KeyItem(ApiKeyId.New(), ApiKeyFormat.Sha256Hex(key), _app.Id, ApiKeyFormat.Prefix(key)));
    }

    private void Apply(bool snapshot, params FeedItem[] items)
    {
        var changes = _table.Begin(snapshot);
        foreach (var item in items)
            changes.Add(item);
        changes.Commit();
    }
}
