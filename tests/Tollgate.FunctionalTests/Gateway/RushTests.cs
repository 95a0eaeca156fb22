using System.Net;
using System.Text;
using Tollgate.Testing;
using static Tollgate.FunctionalTests.Gateway.RobustnessTests;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Callers over HTTP/2 who ask too much at once, on a gateway of their own: what they began may go on for a moment after they were cut off.</summary>
public sealed class RushTests(Fixture fixture) : IClassFixture<Fixture>
{
    private readonly RawUpstream _upstream = fixture.Upstream;
    private readonly GatewayProcess _gateway = fixture.Gateway;

    [Fact]
    public async Task Streams_that_are_opened_and_reset_in_a_rush_hurt_nobody_else()
    {
        const int more = 1_000_000;    // than sockets hold of what nobody reads
        using var rush = await RawClient.ConnectAsync(_gateway.Address);
        await rush.Stream.WriteAsync(Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        await rush.Stream.WriteAsync(Frame(4, 0, 0, []));
        // :method GET, :scheme http (both indexed), :path /t/reset, :authority h (literals without indexing).
        byte[] head = [0x82, 0x86, 0x04, 8, .. "/t/reset"u8, 0x01, 1, (byte)'h'];
        var sent = 0;
        try
        {
            for (var stream = 1; sent < more; stream += 2, sent++)
            {
                byte[] both = [.. Frame(1, 0x5, stream, head), .. Frame(3, 0, stream, [0, 0, 0, 8])];
                await rush.Stream.WriteAsync(both);
            }
        }
        catch (IOException)
        {
            // Cut off.
        }

        (await _gateway.GetAsync("/t/after")).StatusCode.ShouldBe(HttpStatusCode.OK);
        sent.ShouldBeLessThan(more, "the connection is cut off");
    }

    [Theory]
    [InlineData("/t/for-ever", "a head that goes on for ever")]
    [InlineData("/t/unfolds", "a small head that unfolds into a large one")]
    public async Task A_head_over_HTTP2_that_takes_too_much_ends_its_connection_and_hurts_nobody_else(string path, string what)
    {
        using var raw = await RawClient.ConnectAsync(_gateway.Address);
        byte[] head = [.. Literal(":method", "GET"), .. Literal(":scheme", "http"), .. Literal(":path", path), .. Literal(":authority", "h")];
        await raw.Stream.WriteAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(4, 0, 0, [])]);
        var cut = false;
        try
        {
            if (path == "/t/unfolds")
            {
                // One long field into the table, and then its index, one byte each time.
                byte[] kept = [.. head, 0x40, 3, .. "x-b"u8, 0x7f, 0xa1, 0x1e, .. Enumerable.Repeat((byte)'z', 4000)];
                await raw.Stream.WriteAsync(Frame(1, 5, 1, kept));
                for (var i = 1; i < 200; i++) await raw.Stream.WriteAsync(Frame(1, 5, 2 * i + 1, [.. head, .. Enumerable.Repeat((byte)0xbe, 4000)]));
            }
            else
            {
                await raw.Stream.WriteAsync(Frame(1, 0, 1, head));
                for (var i = 0; i < 50_000; i++) await raw.Stream.WriteAsync(Frame(9, 0, 1, Literal("x-a", new string('y', 100))));
            }
        }
        catch (IOException)
        {
            cut = true;
        }

        if (!cut) await raw.ReadToEndAsync();
        (await _gateway.GetAsync("/t/after")).StatusCode.ShouldBe(HttpStatusCode.OK);
        _upstream.Received.Split($"GET {path} ").Length.ShouldBeLessThanOrEqualTo(2, what);    // the first of them was a call like any other
    }
}
