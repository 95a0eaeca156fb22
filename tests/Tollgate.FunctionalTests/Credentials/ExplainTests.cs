using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Tollgate.Contracts;
using Tollgate.FunctionalTests.Gateway;
using Tollgate.Testing;
using GatewayProcess = Tollgate.FunctionalTests.Gateway.GatewayProcess;

namespace Tollgate.FunctionalTests.Credentials;

/// <summary>Why was I refused: of a call by its request id, of a key by its text.</summary>
public sealed class ExplainTests : IAsyncLifetime
{
    private static readonly string Key = ApiKeyFormat.Generate(test: false);
    private static readonly string Dead = ApiKeyFormat.Generate(test: false);

    private readonly TempFolder _folder = new();
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;
    private string[] _arguments = [];

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync();
        var config = _folder.Write("ocelot.json", $$"""
            { "Routes": [ {{Routes.Route("/w/{rest}", "/{rest}", _upstream.Port, "\"Key\": \"weather\", \"Tollgate\": { \"Product\": \"weather\" }")}},
                          {{Routes.Route("/dead", "/", FreePort.Next(), "\"Tollgate\": { \"Product\": \"weather\" }")}} ] }
            """);
        var consumers = _folder.Write("consumers.json", $$"""
            { "plans": [ { "name": "gold", "products": [ "weather" ], "limits": [ { "name": "minute", "calls": 3, "window": "60s" } ] } ],
              "applications": [ { "name": "shop", "organisation": "acme", "subscriptions": [ { "plan": "gold" } ],
                "keys": [ { "key": "{{Key}}", "scopes": [ "a" ], "networks": [ "127.0.0.0/8" ] }, { "key": "{{Dead}}", "revoked": true } ] } ] }
            """);
        _arguments = [config, "--consumers", consumers, "--data", _folder.File("data"), "--internal", "http://127.0.0.1:0", "--Gateway:Token", "tgw_mine"];
        _gateway = await GatewayProcess.StartAsync(_arguments[0], _arguments[1..]);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Every_call_can_be_explained_also_after_a_kill()
    {
        var ids = new List<string>();
        for (var i = 0; i < 4; i++) ids.Add(await CallAsync("/w/a", i < 3 ? 200 : 429));
        var nobody = await CallAsync("/w/a", 401, null);
        var lost = await CallAsync("/nowhere", 404, null);
        var revoked = await CallAsync("/w/a", 401, Dead);
        var named = await CallAsync("/w/a", 401, null, "a-name.of_my-own");
        named.ShouldBe("a-name.of_my-own");

        await CheckAsync();
        await _gateway.KillAsync();
        _gateway = await GatewayProcess.StartAsync(_arguments[0], _arguments[1..]);
        await CheckAsync();

        async Task CheckAsync()
        {
            var call = await ExplainAsync(ids[0]);
            call.GetProperty("requestId").GetString().ShouldBe(ids[0]);
            (call.GetProperty("status").GetInt32(), call.GetProperty("outcome").GetString()).ShouldBe((200, "ok"));
            (call.GetProperty("route").GetString(), call.GetProperty("product").GetString(), call.GetProperty("method").GetString()).ShouldBe(("weather", "weather", "GET"));
            call.GetProperty("configurationVersion").GetInt64().ShouldBe(1);
            var caller = call.GetProperty("caller");
            (caller.GetProperty("prefix").GetString(), caller.GetProperty("applicationName").GetString(), caller.GetProperty("organisationName").GetString()).ShouldBe((Key[..12], "shop", "acme"));
            call.GetProperty("plan").GetProperty("name").GetString().ShouldBe("gold");
            (call.GetProperty("upstream").GetProperty("attempts").GetInt32(), call.GetProperty("meteredUnits").GetInt64()).ShouldBe((1, 1));
            var counter = call.GetProperty("counters").EnumerateArray().ShouldHaveSingleItem();
            (counter.GetProperty("name").GetString(), counter.GetProperty("limit").GetInt64(), counter.GetProperty("refused").GetBoolean()).ShouldBe(("minute", 3, false));

            var over = await ExplainAsync(ids[3]);
            (over.GetProperty("status").GetInt32(), over.GetProperty("outcome").GetString()).ShouldBe((429, "rate-limited"));
            over.GetProperty("counters")[0].GetProperty("refused").GetBoolean().ShouldBeTrue();
            over.GetProperty("retryAfterSeconds").GetInt32().ShouldBeInRange(1, 62);    // the window, the part of it in which the first call fell, and what a gateway adds that was held up
            over.TryGetProperty("upstream", out _).ShouldBeFalse();
            over.GetProperty("why").GetString()!.ShouldContain("limit");

            (await ExplainAsync(nobody)).GetProperty("outcome").GetString().ShouldBe("missing-credentials");
            (await ExplainAsync(lost)).GetProperty("outcome").GetString().ShouldBe("unknown-route");
            (await ExplainAsync(revoked)).GetProperty("outcome").GetString().ShouldBe("key-revoked");
            (await ExplainAsync(named)).GetProperty("status").GetInt32().ShouldBe(401);
        }
    }

    [Fact]
    public async Task A_key_is_explained_with_its_last_calls_and_never_written_anywhere()
    {
        await CallAsync("/w/a", 200);
        await CallAsync("/dead", 502);
        using var http = await InternalAsync();
        // A call is kept once its answer is out.
        var live = (JsonElement)await Deadline.UntilAsync("both calls are kept", async () =>
            await AskAsync(http, new { key = Key }) is var told && told.GetProperty("lastCalls").GetArrayLength() == 2 ? (object)told : null);
        (live.GetProperty("state").GetString(), live.GetProperty("applicationName").GetString()).ShouldBe(("live", "shop"));
        live.GetProperty("subscriptions").EnumerateArray().ShouldHaveSingleItem().GetProperty("rateLimit").GetString()!.ShouldContain("\"minute\";r=");
        live.GetProperty("lastCalls").EnumerateArray().Select(call => call.GetProperty("outcome").GetString()).ShouldBe(["upstream-unreachable", "ok"]);
        live.TryGetProperty("lastUsed", out _).ShouldBeTrue();
        (await AskAsync(http, new { sha256 = ApiKeyFormat.Sha256Hex(Dead) })).GetProperty("state").GetString().ShouldBe("revoked");
        (await AskAsync(http, new { key = ApiKeyFormat.Generate(false) })).GetProperty("state").GetString().ShouldBe("unknown");

        (await http.PostAsJsonAsync("/explain", new { nonsense = 1 })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await http.PostAsync("/explain", new StringContent("{"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await http.GetAsync("/explain/not-a-call-of-ours")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        http.DefaultRequestHeaders.Authorization = new("Bearer", "tgw_other");
        (await http.GetAsync("/explain/x")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        _gateway.Output.ShouldNotContain(Key);
        foreach (var file in Directory.EnumerateFiles(_folder.File("data"), "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock"))
            using (var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)))
                (await reader.ReadToEndAsync()).Contains(Key, StringComparison.Ordinal).ShouldBeFalse(file);
    }

    private async Task<string> CallAsync(string path, int status, string? key = "", string? name = null)
    {
        var headers = new List<(string, string)>();
        if (key is not null) headers.Add(("X-Api-Key", key.Length == 0 ? Key : key));
        if (name is not null) headers.Add(("X-Request-Id", name));
        using var answer = await _gateway.GetAsync(path, [.. headers]);
        ((int)answer.StatusCode).ShouldBe(status);
        return answer.Headers.GetValues("X-Request-Id").ShouldHaveSingleItem();
    }

    private async Task<JsonElement> ExplainAsync(string id)
    {
        using var http = await InternalAsync();
        return await Deadline.UntilAsync($"the call {id} is explained", async () =>
        {
            using var answer = await http.GetAsync($"/explain/{id}");
            return answer.StatusCode == HttpStatusCode.OK ? (object)await answer.Content.ReadFromJsonAsync<JsonElement>() : null;
        }) is JsonElement found ? found : default;
    }

    private static async Task<JsonElement> AskAsync(HttpClient http, object question)
    {
        using var answer = await http.PostAsync("/explain", new StringContent(JsonSerializer.Serialize(question), null, "application/json"));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<HttpClient> InternalAsync()
    {
        var line = await _gateway.WaitForLineAsync(line => line.StartsWith("Internal on ", StringComparison.Ordinal));
        var http = new HttpClient { BaseAddress = new Uri(line["Internal on ".Length..]) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", "tgw_mine");
        return http;
    }
}
