using System.Collections.Concurrent;
using Microsoft.Playwright;
using Tollgate.Testing;

namespace Tollgate.E2ETests;

/// <summary>A real Chromium, and visitors in it who share nothing with one another.</summary>
public sealed class Browser : IAsyncLifetime
{
    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    public async Task InitializeAsync()
    {
        _playwright = await Playwright.CreateAsync();
        Assertions.SetDefaultExpectTimeout((float)Deadline.Default.TotalMilliseconds);
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Find(),
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async Task DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    public async Task<Visitor> VisitAsync(string portalUrl, int width = 1280, int height = 860, ColorScheme scheme = ColorScheme.Light)
    {
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = portalUrl,
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = scheme,
            TimezoneId = "Europe/Berlin",
            Locale = "en-GB",
        });
        context.SetDefaultTimeout((float)Deadline.Default.TotalMilliseconds);
        return new Visitor(context, await context.NewPageAsync());
    }

    private static string Find()
    {
        foreach (var name in new[] { "chromium", "chromium-browser", "google-chrome" })
        {
            try
            {
                return Programs.Find(name, "chromium");
            }
            catch (FileNotFoundException)
            {
                // the next name
            }
        }

        throw new FileNotFoundException("There is no Chromium on this machine. ./test.sh installs it, or: apt-get install chromium");
    }
}

/// <summary>One visitor's page. What goes wrong in it (script errors, refused resources, failed requests) is kept and makes the test fail at its end.</summary>
public sealed class Visitor : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _faults = new();

    public Visitor(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.PageError += (_, error) => _faults.Enqueue("script: " + error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error") _faults.Enqueue("console: " + message.Text);
        };
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("data:", StringComparison.Ordinal) && new Uri(request.Url).Host is not ("127.0.0.1" or "localhost"))
                _faults.Enqueue("a request to somebody else: " + request.Url);
        };
    }

    public IPage Page { get; }

    public IReadOnlyList<string> Faults => [.. _faults];

    /// <summary>Opens a page and waits until it is interactive where it is meant to be.</summary>
    public async Task OpenAsync(string path)
    {
        await Page.GotoAsync(path);
        await Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await Assertions.Expect(Page.Locator("[data-waiting]")).ToHaveCountAsync(0);
    }

    /// <summary>Keeps a picture in the folder that <c>TOLLGATE_SCREENSHOTS</c> names, when it names one.</summary>
    public async Task PictureAsync(string name, bool fullPage = false)
    {
        if (Environment.GetEnvironmentVariable("TOLLGATE_SCREENSHOTS") is not { Length: > 0 } folder) return;
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png"), FullPage = fullPage, Animations = ScreenshotAnimations.Disabled });
    }

    /// <summary>Nothing sticks out at the side.</summary>
    public async Task ShouldFitAsync(string what)
    {
        var over = await Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        over.ShouldBeLessThanOrEqualTo(0, what);
    }

    public ValueTask DisposeAsync() => new(_context.CloseAsync());
}
