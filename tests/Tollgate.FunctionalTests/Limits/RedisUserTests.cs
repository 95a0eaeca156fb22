using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.ServiceDefaults.Redis;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Limits.RawRedis;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>Redis servers that let in named users of their access control lists, and clients with certificates.</summary>
public sealed class RedisUserTests : IAsyncLifetime
{
    private const string Narrow = "~tg:* +@connection +eval +evalsha +info +time +get +set +del +hget +hset +hgetall +hdel +hincrby +pexpire";
    private readonly RawRedis _redis = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _redis.DisposeAsync();

    [Fact]
    public async Task A_named_user_that_may_do_no_more_than_is_documented_shares_limits_also_after_the_server_was_restarted()
    {
        var (port, process) = await _redis.StartAsync();
        await ListAsync(port);
        await using var one = Ledger($"127.0.0.1:{port},user=gateways,password=not-a-secret");
        await using var other = Ledger($"localhost:{port}, User = gateways ,password=not-a-secret");
        await Task.WhenAll(one.FirstAnswer, other.FirstAnswer).WaitAsync(Deadline.Default);
        var key = Key();
        (await AskAsync(one, key)).Room.ShouldBe(9);
        (await AskAsync(other, key)).Room.ShouldBe(8);

        await process.KillAsync();
        await Deadline.UntilAsync("the loss is noticed", () => Task.FromResult(one.IsAway));
        await _redis.StartOnAsync(port);
        await ListAsync(port);
        await Deadline.UntilAsync("it is back", async () => (await AskAsync(one, key)).Outcome == LedgerOutcome.Granted);

        await using var stranger = Ledger($"127.0.0.1:{port},user=gateways,password=guessed");
        await using var nobody = Ledger($"127.0.0.1:{port},password=not-a-secret");
        await Task.Delay(TimeSpan.FromSeconds(1));    // time in which the good ones had long been connected
        stranger.IsAway.ShouldBeTrue();
        nobody.IsAway.ShouldBeTrue();
    }

    [Fact]
    public async Task A_server_that_asks_for_certificates_is_shown_one_by_named_users_and_by_the_default_one()
    {
        using var folder = new TempFolder();
        var (authority, certificate, key) = Certificates(folder);
        var port = await _redis.StartTlsAsync(authority, certificate, key, "--tls-auth-clients", "yes", "--user", "gateways", "on", ">not-a-secret", "~*", "+@all");
        var secured = $"127.0.0.1:{port},ssl=true,sslHost=redis.test,tlsCa={authority}";
        foreach (var more in new[] { "", ",user=gateways,password=not-a-secret" })
        {
            await using var known = Ledger($"{secured},tlsCert={certificate},tlsKey={key}{more}");
            await known.FirstAnswer.WaitAsync(Deadline.Default);
            (await AskAsync(known, Key())).Outcome.ShouldBe(LedgerOutcome.Granted);
        }
        await using var withoutOne = Ledger($"{secured},user=gateways,password=not-a-secret");
        await using var another = Ledger($"{secured.Replace("redis.test", "other.test")},tlsCert={certificate},tlsKey={key},user=gateways,password=not-a-secret");
        await Task.Delay(TimeSpan.FromSeconds(1));    // time in which the good ones had long been connected
        withoutOne.IsAway.ShouldBeTrue();
        another.IsAway.ShouldBeTrue();
    }

    [Theory]
    [InlineData("127.0.0.1:1,bogus=1", "bogus")]
    [InlineData("127.0.0.1:1,password=not-a-secret,connectTimeout=soon", "connectTimeout")]
    [InlineData("user=gateways,password=not-a-secret", "no server")]
    [InlineData("127.0.0.1:1,ssl=true,tlsCert=/nowhere/own.pem", "tlsKey")]
    [InlineData("127.0.0.1:1,ssl=true,tlsCert=/nowhere/own.pem,tlsKey=/nowhere/own.key", "/nowhere/own.pem")]
    public void A_connection_string_that_makes_no_sense_is_refused_with_a_sentence(string connection, string names)
    {
        var said = Should.Throw<FormatException>(() => RedisConnection.Start(connection, NullLogger<RedisConnection>.Instance)).Message;
        said.ShouldContain(names);
        said.ShouldNotContain("not-a-secret");
    }

    private static async Task ListAsync(int port) =>
        (await SayAsync(port, $"ACL SETUSER gateways reset on >not-a-secret {Narrow}\r\nACL SETUSER default off")).ShouldStartWith("+OK\r\n+OK");
}
