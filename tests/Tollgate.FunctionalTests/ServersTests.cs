using Tollgate.Testing;

namespace Tollgate.FunctionalTests;

public sealed class ServersTests
{
    [Fact]
    public async Task Postgres_and_redis_can_be_stopped_and_started_again()
    {
        await using var postgres = await PostgresServer.StartAsync();
        await using var redis = await RedisServer.StartAsync();
        (await postgres.NewDatabaseAsync()).ShouldContain("127.0.0.1");
        await postgres.StopAsync();
        await postgres.StartServerAsync();
        await redis.KillAsync();
        await redis.StartServerAsync();
        (await postgres.NewDatabaseAsync()).ShouldContain("127.0.0.1");
    }
}
