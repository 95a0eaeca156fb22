namespace Tollgate.Gateway.Balancing;

/// <summary>Finds one cookie in a <c>Cookie</c> header (RFC 6265 §4.2).</summary>
internal static class CookieValue
{
    public static ReadOnlyMemory<char> Of(string? cookies, string name)
    {
        if (cookies is null) return default;
        foreach (var part in cookies.AsSpan().Split(';'))
        {
            var (start, end) = (part.Start.GetOffset(cookies.Length), part.End.GetOffset(cookies.Length));
            while (start < end && cookies[start] == ' ') start++;
            while (end > start && cookies[end - 1] == ' ') end--;
            var pair = cookies.AsSpan(start, end - start);
            if (pair.Length > name.Length + 1 && pair[name.Length] == '=' && pair.StartsWith(name, StringComparison.Ordinal))
                return cookies.AsMemory(start + name.Length + 1, end - start - name.Length - 1);
        }

        return default;
    }
}
