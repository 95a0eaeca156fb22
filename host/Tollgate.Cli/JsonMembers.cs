using System.Text.Json;

namespace Tollgate.Cli;

/// <summary>Reads answers that may lack a member, or hold nothing in it.</summary>
internal static class JsonMembers
{
    /// <summary>Null if there is no such member, or nothing in it.</summary>
    public static JsonElement? Member(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>Null if there is no such member, or it is no string.</summary>
    public static string? Text(this JsonElement json, string name) =>
        json.Member(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
}
