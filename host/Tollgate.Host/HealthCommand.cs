namespace Tollgate.Host;

/// <summary><c>Tollgate.Host health [url]</c>: the health check of images that have no other HTTP client in them.</summary>
internal static class HealthCommand
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        var url = arguments.Length > 0 ? arguments[0] : "http://127.0.0.1:8099/health/ready";
        try
        {
            using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            using var answer = await client.GetAsync(url);
            Console.WriteLine($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception failed) when (failed is HttpRequestException or TaskCanceledException or UriFormatException or InvalidOperationException)
        {
            Console.WriteLine($"{url}: {failed.Message}");
            return 1;
        }
    }
}
