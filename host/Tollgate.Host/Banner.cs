using Tollgate.Identity;

namespace Tollgate.Host;

/// <summary>What a start learned that people must be told: the first administrator's password, and a key that works at once.</summary>
internal sealed record FirstStart(FirstAdmin? Admin, string? DemoKey);

/// <summary>The lines for the person at the console.</summary>
internal static class Banner
{
    public static void Print(HostOptions options, IReadOnlyDictionary<string, string?> settings, FirstStart news)
    {
        var portal = settings["Identity:PublicUrl"];
        var gateway = settings["Gateway:PublicUrl"];
        var lines = new List<string> { "", "Tollgate is up." };
        if (options.Has(Roles.Portal)) lines.Add($"  Portal     {portal}");
        if (options.Has(Roles.Gateway)) lines.Add($"  Gateway    {gateway}");
        lines.Add($"  Internal   {options.InternalUrl}/health");
        if (news.Admin is { } admin)
        {
            lines.Add("");
            lines.Add($"  Administrator {admin.Email}");
            if (admin.Password is { } password) lines.Add($"  Password      {password}   (shown this once: change it after signing in)");
        }

        if (news.DemoKey is { } key)
        {
            lines.Add("");
            lines.Add("  A first call:");
            lines.Add($"  curl -H \"X-Api-Key: {key}\" \"{gateway}/weather/v1/current?city=berlin\"");
        }

        lines.Add("");
        Console.WriteLine(string.Join(Environment.NewLine, lines));
    }
}
