using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Tollgate.Portal.Api;

/// <summary>Why the framework could not bind a call: a parameter of its query or path that is no value of its type. One place for every call of the API.</summary>
internal static class UnreadableParameter
{
    /// <summary>A sentence that names the parameter and says what it takes; null = it is not that.</summary>
    public static string? Of(HttpContext http)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<MethodInfo>() is not { } handler) return null;
        foreach (var parameter in handler.GetParameters())
        {
            var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
            if (parameter.Name is not { } name || FormOf(type) is not { } form || TextOf(http, name) is not { } text) continue;
            if (!IsReadable(type, text)) return $"{name} is {form}.";
        }

        return null;
    }

    private static string? TextOf(HttpContext http, string name) =>
        http.Request.RouteValues.TryGetValue(name, out var inPath) ? inPath?.ToString()
        : http.Request.Query.TryGetValue(name, out var inQuery) ? inQuery.ToString()
        : null;

    private static string? FormOf(Type type) =>
        type == typeof(int) || type == typeof(long) ? "a whole number"
        : type == typeof(bool) ? "true or false"
        : type == typeof(Guid) ? "an id"
        : type == typeof(DateTimeOffset) ? "a moment, such as 2027-01-31T00:00:00Z"
        : type == typeof(DateOnly) ? "a day, such as 2027-01-31"
        : type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type).Select(value => value.ToLowerInvariant()))}"
        : null;

    private static bool IsReadable(Type type, string text)
    {
        try
        {
            return TypeDescriptor.GetConverter(type).ConvertFromString(null, CultureInfo.InvariantCulture, text) is not null;
        }
        catch (Exception unreadable) when (unreadable is FormatException or ArgumentException or NotSupportedException || unreadable.InnerException is FormatException or OverflowException)
        {
            return false;
        }
    }
}
