using System.Text;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;
using Tollgate.Gateway.Policy;
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
        after.Application.Refusal.ShouldBe(Refusal.OrganisationSuspended);
        Apply(false, _app with { ApplicationSuspended = true });
        after.Application.Refusal.ShouldBe(Refusal.ApplicationSuspended);
        Apply(false, _app with { Suspended = true, Name = "renamed" });
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
        _table.TryFindClient(Token("partner"), out var credential).ShouldBeTrue();
        credential!.Id.ShouldBe("client:partner");
        _table.TryFindClient(Token("Partner"), out _).ShouldBeFalse();
        _table.IsRevoked(Token("partner", "jti-1")).ShouldBeTrue();
        _table.Tidy();
        _table.IsRevoked(Token("partner", "jti-2")).ShouldBeFalse();
        Apply(false, new RemovedItem("client", "partner"));
        _table.TryFindClient(Token("partner"), out _).ShouldBeFalse();
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

    [Fact]
    public void A_client_that_is_bound_to_its_issuer_is_not_taken_from_another()
    {
        Apply(true, _app, new ClientItem("partner", _app.Id, "https://ours"));
        _table.TryFindClient(Token("partner", issuer: "https://ours"), out _).ShouldBeTrue();
        _table.TryFindClient(Token("partner", issuer: "https://theirs"), out _).ShouldBeFalse();
        _table.TryFindClient(Token("partner", issuer: null), out _).ShouldBeFalse();
    }

    [Fact]
    public void What_a_client_or_a_person_had_before_a_moment_is_revoked_and_what_comes_after_is_not()
    {
        Apply(true, _app, new RevokedBeforeItem(TokenHolder.Client, "partner", 10_000, long.MaxValue / 2), new RevokedBeforeItem(TokenHolder.Subject, "someone", 20_000, long.MaxValue / 2));
        _table.IsRevoked(Token("partner", issued: 10_000)).ShouldBeTrue();
        _table.IsRevoked(Token("partner", issued: 0)).ShouldBeTrue("a token that does not say when");
        _table.IsRevoked(Token("partner", issued: 11_000)).ShouldBeFalse();
        _table.IsRevoked(Token("other", issued: 5_000)).ShouldBeFalse();
        _table.IsRevoked(Token("other", subject: "someone", issued: 15_000)).ShouldBeTrue();
        _table.IsRevoked(Token("other", subject: "someone", issued: 21_000)).ShouldBeFalse();

        Apply(false, new RevokedBeforeItem(TokenHolder.Client, "partner", 10_000, 1));
        _table.Tidy();
        _table.IsRevoked(Token("partner", issued: 10_000)).ShouldBeFalse("forgotten with the last token that it was about");
        Apply(false, new RemovedItem("revoked-before", "subject:someone"));
        _table.IsRevoked(Token("other", subject: "someone", issued: 15_000)).ShouldBeFalse();
    }

    [Fact]
    public void Keys_come_change_and_go_in_any_order_and_the_table_agrees_with_a_plain_one()
    {
        var random = new Random(5);
        var keys = Enumerable.Range(0, 400).Select(_ => (Text: ApiKeyFormat.Generate(false), Id: ApiKeyId.New())).ToArray();
        var model = new Dictionary<ApiKeyId, (string Text, long Expires)>();
        Apply(true, _app);
        for (var step = 0; step < 60_000; step++)
        {
            var at = random.Next(keys.Length);
            var id = keys[at].Id;
            if (random.Next(4) == 0)
            {
                Apply(false, new RemovedItem("key", id.ToString()));
                model.Remove(id);
            }
            else
            {
                // Mostly its own text, sometimes a neighbour's: that key is then nobody else's any more.
                var text = keys[random.Next(20) == 0 ? random.Next(keys.Length) : at].Text;
                Apply(false, new KeyItem(id, ApiKeyFormat.Sha256Hex(text), _app.Id, "", ExpiresUnixMs: step));
                foreach (var other in model.Where(entry => entry.Key != id && entry.Value.Text == text).Select(entry => entry.Key).ToArray()) model.Remove(other);
                model[id] = (text, step);
            }

            if (step % 1000 != 0) continue;
            _table.KeyCount.ShouldBe(model.Count);
            foreach (var (text, _) in keys)
            {
                var expected = model.FirstOrDefault(entry => entry.Value.Text == text);
                _table.TryFindKey(text, out var found).ShouldBe(expected.Value.Text is not null);
                if (found is not null) (found.KeyId, found.ExpiresUnixMs).ShouldBe((expected.Key, expected.Value.Expires));
            }
        }
    }

    private static readonly TokenProvider Someone = new("someone", null, null, null);

    private static TokenIdentity Token(string client, string? jti = null, string? subject = null, long issued = 0, string? issuer = "https://ours") => new()
    {
        Provider = Someone,
        ClientId = client,
        ClientOfIssuer = issuer is null ? null : $"{issuer} {client}",
        Jti = jti,
        Subject = subject,
        IssuedUnixMs = issued,
    };

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
