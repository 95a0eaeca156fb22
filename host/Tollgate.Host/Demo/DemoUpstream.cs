using System.Collections.Frozen;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Tollgate.ServiceDefaults;

namespace Tollgate.Host.Demo;

/// <summary>The demo product's upstream: the current weather of some fifty cities from a fixed data set, on a loopback port of its own.</summary>
internal sealed class DemoUpstream : IAsyncDisposable
{
    private readonly WebApplication _app;

    private DemoUpstream(WebApplication app) => _app = app;

    public int Port { get; private init; }

    public static string OpenApiDocument => File.ReadAllText(FileOf("weather.openapi.json"));

    public static string Routes => FileOf("ocelot.json");

    /// <summary><c>Tollgate.Host weather --urls http://…</c>: a process of its own, for clusters.</summary>
    public static async Task<int> RunAloneAsync(string[] arguments)
    {
        var urls = new ConfigurationBuilder().AddCommandLine(arguments).Build()["urls"] ?? "http://localhost:8098";
        using var stop = new StopSignal();
        await using var upstream = await StartAsync(stop.Asked, urls);
        Console.WriteLine($"Listening on port {upstream.Port}");
        await stop.WaitAsync();
        return 0;
    }

    public static async Task<DemoUpstream> StartAsync(CancellationToken cancel, string urls = "http://127.0.0.1:0")
    {
        await using var data = File.OpenRead(FileOf("cities.json"));
        var cities = await JsonSerializer.DeserializeAsync<CityWeather[]>(data, JsonSerializerOptions.Web, cancel) ?? [];

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(urls);
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        app.UseRouting();
        Map(app, cities.ToFrozenDictionary(city => city.Id, StringComparer.OrdinalIgnoreCase));
        await app.StartAsync(cancel);
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new DemoUpstream(app) { Port = new Uri(address).Port };
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Map(IEndpointRouteBuilder app, FrozenDictionary<string, CityWeather> cities)
    {
        var all = cities.Values.OrderBy(city => city.Name, StringComparer.Ordinal).Select(City.Of).ToArray();

        app.MapGet("/v1/current", (string? city) => city switch
        {
            null or "" => Problems.BadRequest("city-missing", "Name a city: /current?city=berlin. All of them are at /cities."),
            _ when cities.TryGetValue(city, out var weather) => Results.Ok(CurrentWeather.Of(weather)),
            _ => UnknownCity(),
        });
        app.MapGet("/v1/cities", (string? country) =>
            country is null ? all : all.Where(city => city.Country.Equals(country, StringComparison.OrdinalIgnoreCase)).ToArray());
        app.MapGet("/v1/cities/{city}", (string city) => cities.TryGetValue(city, out var weather) ? Results.Ok(City.Of(weather)) : UnknownCity());
        app.MapFallback(() => Problems.NotFound("The weather API has /current, /cities and /cities/{city}."));
    }

    private static IResult UnknownCity() => Problems.NotFound("No such city. All of them are at /cities.");

    private static string FileOf(string name) => Path.Combine(AppContext.BaseDirectory, "Demo", name);
}

internal sealed record CityWeather(
    string Id, string Name, string Country, double Latitude, double Longitude,
    double TemperatureC, int HumidityPercent, double WindKmh, int PressureHpa, string Condition);

internal sealed record City(string Id, string Name, string Country, double Latitude, double Longitude)
{
    public static City Of(CityWeather city) => new(city.Id, city.Name, city.Country, city.Latitude, city.Longitude);
}

internal sealed record CurrentWeather(City City, double TemperatureC, int HumidityPercent, double WindKmh, int PressureHpa, string Condition)
{
    public static CurrentWeather Of(CityWeather city) =>
        new(Demo.City.Of(city), city.TemperatureC, city.HumidityPercent, city.WindKmh, city.PressureHpa, city.Condition);
}
