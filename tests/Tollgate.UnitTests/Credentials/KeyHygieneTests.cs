using System.Diagnostics;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Testing;
using Xunit.Abstractions;

namespace Tollgate.UnitTests.Credentials;

/// <summary>Keys that nobody was given: random, mutated, cut off, extended. None is taken, and garbage costs nothing.</summary>
public sealed class KeyHygieneTests(ITestOutputHelper output)
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private readonly CredentialTable _table = new();
    private readonly ApplicationItem _app = new(AppId.New(), OrganisationId.New(), "app", "acme", false);

    [Fact]
    public void No_random_mutated_truncated_or_extended_key_is_accepted_and_malformed_ones_cost_no_look_up()
    {
        var tries = TestScale.Of(usual: 400_000, full: 10_000_000);
        var ours = Enumerable.Range(0, 1000).Select(i => ApiKeyFormat.Generate(i % 2 == 0)).ToArray();
        var imported = Enumerable.Range(0, 1000).Select(i => $"sk-{Guid.NewGuid():N}").ToArray();
        var valid = ours.Concat(imported).ToHashSet(StringComparer.Ordinal);
        Load([.. ours.Concat(imported).Select(key => new KeyItem(ApiKeyId.New(), ApiKeyFormat.Sha256Hex(key), _app.Id, ApiKeyFormat.Prefix(key)))]);
        foreach (var key in valid) _table.TryFindKey(key, out _).ShouldBeTrue();

        var random = new Random(11);
        var text = new char[80];
        var known = valid.GetAlternateLookup<ReadOnlySpan<char>>();
        long accepted = 0, malformed = 0, others = 0, lookupsForMalformed = 0, mostForOthers = 0;
        for (var i = 0; i < tries; i++)
        {
            var key = Next(random, ours, imported, text);
            if (known.Contains(key)) continue;    // a mutation may undo itself
            var before = _table.Lookups;
            if (_table.TryFindKey(key, out _)) accepted++;
            var cost = _table.Lookups - before;
            if (key.StartsWith(ApiKeyFormat.Mark) && !ApiKeyFormat.IsWellFormed(key))
            {
                malformed++;
                lookupsForMalformed += cost;
            }
            else
            {
                others++;
                mostForOthers = Math.Max(mostForOthers, cost);
            }
        }

        output.WriteLine($"{tries} tries: {accepted} accepted, {malformed} malformed with {lookupsForMalformed} look-ups, {others} others with at most {mostForOthers} each");
        accepted.ShouldBe(0);
        lookupsForMalformed.ShouldBe(0);
        mostForOthers.ShouldBe(1);
        malformed.ShouldBeGreaterThan(tries / 4);
        others.ShouldBeGreaterThan(tries / 10);
    }

    /// <summary>Named after the gateway that took a key with anything behind it.</summary>
    [Fact]
    public void Tyk_3192_a_key_with_one_to_three_characters_behind_it_is_no_key()
    {
        var keys = Enumerable.Range(0, 20).Select(_ => ApiKeyFormat.Generate(false)).Append("imported").ToArray();
        Load([.. keys.Select(key => new KeyItem(ApiKeyId.New(), ApiKeyFormat.Sha256Hex(key), _app.Id, ""))]);
        foreach (var key in keys)
        {
            foreach (var one in Alphabet + " .-_/\\%\0") _table.TryFindKey(key + one, out _).ShouldBeFalse();
            foreach (var more in new[] { "00", "aa", "xyz", "000", "   ", key }) _table.TryFindKey(key + more, out _).ShouldBeFalse();
            for (var length = 0; length < key.Length; length++) _table.TryFindKey(key.AsSpan(0, length), out _).ShouldBeFalse();
            for (var from = 1; from < key.Length; from++) _table.TryFindKey(key.AsSpan(from), out _).ShouldBeFalse();
            if (!key.ToUpperInvariant().Equals(key, StringComparison.Ordinal)) _table.TryFindKey(key.ToUpperInvariant(), out _).ShouldBeFalse();
            if (!key.ToLowerInvariant().Equals(key, StringComparison.Ordinal)) _table.TryFindKey(key.ToLowerInvariant(), out _).ShouldBeFalse();
        }
    }

    /// <summary>What a refused caller could measure: a key that is known (and dead) against one that never was.</summary>
    [Fact]
    public void A_refused_key_takes_as_long_known_as_unknown()
    {
        const int keys = 512;
        var known = Enumerable.Range(0, keys).Select(_ => ApiKeyFormat.Generate(false)).ToArray();
        var unknown = Enumerable.Range(0, keys).Select(_ => ApiKeyFormat.Generate(false)).ToArray();
        Load([.. known.Select(key => new KeyItem(ApiKeyId.New(), ApiKeyFormat.Sha256Hex(key), _app.Id, ApiKeyFormat.Prefix(key), Revoked: true))]);
        for (var i = 0; i < 40; i++) _ = Measure(known) + Measure(unknown);    // compiled, and seen before

        // Rounds side by side, so that whatever else the machine does befalls both; the median forgets the worst.
        var rounds = TestScale.Of(usual: 400, full: 4000);
        var ratios = new double[rounds];
        for (var i = 0; i < rounds; i++)
            ratios[i] = i % 2 == 0 ? Measure(known) / (double)Measure(unknown) : 1 / (Measure(unknown) / (double)Measure(known));
        Array.Sort(ratios);
        output.WriteLine($"known / unknown, median of {rounds} rounds: {ratios[rounds / 2]:0.000} (quartiles {ratios[rounds / 4]:0.000} to {ratios[rounds * 3 / 4]:0.000})");
        ratios[rounds / 2].ShouldBeInRange(0.75, 1.33);
    }

    private long Measure(string[] keys)
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var key in keys) _table.TryFindKey(key, out _);
        return Math.Max(1, Stopwatch.GetTimestamp() - started);
    }

    private void Load(KeyItem[] items)
    {
        var changes = _table.Begin(snapshot: true);
        changes.Add(_app);
        foreach (var item in items) changes.Add(item);
        changes.Commit();
    }

    private static ReadOnlySpan<char> Next(Random random, string[] ours, string[] imported, char[] text)
    {
        var key = random.Next(3) == 0 ? imported[random.Next(imported.Length)] : ours[random.Next(ours.Length)];
        key.CopyTo(0, text, 0, key.Length);
        var length = key.Length;
        switch (random.Next(8))
        {
            case 0:    // one character
                text[random.Next(length)] = Alphabet[random.Next(62)];
                break;
            case 1:    // cut off
                length -= random.Next(1, length);
                break;
            case 2:    // extended
                for (var end = length + random.Next(1, 5); length < end; length++) text[length] = Alphabet[random.Next(62)];
                break;
            case 3:    // random behind the prefix
                for (var i = 8; i < length; i++) text[i] = Alphabet[random.Next(62)];
                break;
            case 4:    // two neighbours change places
                var swap = random.Next(length - 1);
                (text[swap], text[swap + 1]) = (text[swap + 1], text[swap]);
                break;
            case 5:    // another case
                var at = random.Next(length);
                text[at] = char.IsUpper(text[at]) ? char.ToLowerInvariant(text[at]) : char.ToUpperInvariant(text[at]);
                break;
            case 6:    // well-formed, and never issued
                var fresh = ApiKeyFormat.Generate(random.Next(2) == 0);
                fresh.CopyTo(0, text, 0, fresh.Length);
                length = fresh.Length;
                break;
            default:    // anything
                length = random.Next(1, 64);
                for (var i = 0; i < length; i++) text[i] = (char)random.Next(33, 127);
                break;
        }

        return text.AsSpan(0, length);
    }
}
