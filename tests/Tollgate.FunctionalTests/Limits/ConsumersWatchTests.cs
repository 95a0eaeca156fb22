using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Gateway;
using Tollgate.Gateway.Consumers;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Limits;

public sealed class ConsumersWatchTests
{
    [Fact]
    public async Task A_changed_file_is_in_force_and_a_bad_one_is_not_however_it_is_replaced()
    {
        using var folder = new TempFolder();
        var (first, second) = (ApiKeyFormat.Generate(false), ApiKeyFormat.Generate(false));
        var path = folder.Write("consumers.json", Text(first));
        await using var directory = ConsumerDirectory.Create(
            new GatewayOptions { Config = "ocelot.json", Urls = "http://127.0.0.1:0", Consumers = path }, null, NullLoggerFactory.Instance, TimeProvider.System);
        await directory.StartAsync(CancellationToken.None);
        directory.IsReady.ShouldBeTrue();
        directory.Credentials.TryFindKey(first, out var before).ShouldBeTrue();

        File.WriteAllText(path, Text(second));
        await Deadline.UntilAsync("what was written is in force", () => Task.FromResult(directory.Credentials.TryFindKey(second, out _)));
        directory.Credentials.TryFindKey(first, out _).ShouldBeFalse();

        File.Move(folder.Write("next.json", Text(first, second)), path, overwrite: true);
        await Deadline.UntilAsync("what was renamed into place is in force", () => Task.FromResult(directory.Credentials.TryFindKey(first, out _)));
        directory.Credentials.TryFindKey(first, out var after).ShouldBeTrue();
        after!.Application.Id.ShouldBe(before!.Application.Id);

        File.WriteAllText(path, Text("tg_live_mistyped"));
        await Deadline.UntilAsync("the mistake is told", () => Task.FromResult(directory.Facts().Error?.Contains("applications[0].keys[0].key") == true));
        directory.Credentials.TryFindKey(first, out _).ShouldBeTrue();

        File.Delete(path);
        await Deadline.UntilAsync("the loss is told", () => Task.FromResult(directory.Facts().Error?.Contains("consumers.json") == true));
        directory.Credentials.TryFindKey(first, out _).ShouldBeTrue();

        folder.Write("consumers.json", Text(second));
        await Deadline.UntilAsync("the new file is in force", () => Task.FromResult(directory.Facts().Error is null && !directory.Credentials.TryFindKey(first, out _)));
    }

    [Fact]
    public async Task A_bad_file_at_the_start_stops_the_start_with_file_line_and_property()
    {
        using var folder = new TempFolder();
        var path = folder.Write("consumers.json", "{\n \"applications\": [ { \"nam\": \"x\" } ] }");
        await using var directory = ConsumerDirectory.Create(
            new GatewayOptions { Config = "ocelot.json", Urls = "http://127.0.0.1:0", Consumers = path }, null, NullLoggerFactory.Instance, TimeProvider.System);
        var error = await Should.ThrowAsync<ConsumersFileException>(() => directory.StartAsync(CancellationToken.None));
        error.Message.ShouldStartWith($"{path}(2): applications[0].nam: ");
    }

    private static string Text(params string[] keys) =>
        $$"""{ "applications": [ { "name": "x", "keys": [ {{string.Join(", ", keys.Select(key => $$"""{ "key": "{{key}}" }"""))}} ] } ] }""";
}
