using Microsoft.AspNetCore.Components;

namespace Tollgate.Portal.Shell;

/// <summary>Shows moments in the visitor's time zone (told by their browser in a cookie), or in UTC, and always says which.</summary>
internal sealed class VisitorClock(TimeProvider time)
{
    private TimeZoneInfo? _zone;
    private string? _name;

    /// <summary>IANA name of the zone. Set by the first request, then carried over into the circuit.</summary>
    [PersistentState]
    public string? Zone
    {
        get => _name;
        set
        {
            _name = value is { Length: > 0 and < 64 } && TimeZoneInfo.TryFindSystemTimeZoneById(value, out _zone) ? value : null;
            if (_name is null) _zone = null;
        }
    }

    public DateTimeOffset Now => Local(time.GetUtcNow());

    public DateTimeOffset Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, _zone ?? TimeZoneInfo.Utc);

    /// <summary>What to write beside times: the zone's city, or UTC.</summary>
    public string ZoneName => _name is null or "UTC" or "Etc/UTC" ? "UTC" : _name[(_name.LastIndexOf('/') + 1)..].Replace('_', ' ') + " time";

    public string Day(DateTimeOffset at) => Local(at).ToString("d MMM yyyy");

    public string Moment(DateTimeOffset at) => Local(at).ToString("d MMM yyyy, HH:mm");

    public string Hour(DateTimeOffset at) => Local(at).ToString("HH:mm");

    /// <summary>A moment for a person: "just now", "4 minutes ago", "yesterday", or the day.</summary>
    public string Ago(DateTimeOffset at)
    {
        var gone = time.GetUtcNow() - at;
        return gone switch
        {
            { TotalSeconds: < 60 } => "just now",
            { TotalMinutes: < 2 } => "a minute ago",
            { TotalMinutes: < 60 } => $"{(int)gone.TotalMinutes} minutes ago",
            { TotalHours: < 2 } => "an hour ago",
            { TotalHours: < 24 } => $"{(int)gone.TotalHours} hours ago",
            { TotalDays: < 2 } => "yesterday",
            _ => Day(at),
        };
    }
}
