using System.Text;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>A key in the query of a call, on routes that ask for it: taken out, so that neither the upstream nor a log sees it.</summary>
internal static class QueryKey
{
    /// <summary>Takes every parameter of this name out of a query. False: there is none.</summary>
    /// <param name="key">Decoded; several are joined with a comma, which no key holds.</param>
    public static bool TryTake(string query, string parameter, out string key, out string rest)
    {
        (key, rest) = ("", query);
        StringBuilder? kept = null;
        var found = false;
        foreach (var range in query.AsSpan().Split('&'))
        {
            var part = query.AsSpan()[range];
            var equals = part.IndexOf('=');
            var name = equals < 0 ? part : part[..equals];
            if (!IsNamed(name, parameter))
            {
                if (kept is null) kept = new StringBuilder(query.Length);
                else kept.Append('&');
                kept.Append(part);
                continue;
            }

            var value = equals < 0 ? "" : Uri.UnescapeDataString(part[(equals + 1)..].ToString());
            key = found ? $"{key},{value}" : value;
            found = true;
        }

        if (found) rest = kept?.ToString() ?? "";
        return found;
    }

    // An upstream would decode the name, so a name in disguise is taken too.
    private static bool IsNamed(ReadOnlySpan<char> name, string parameter) =>
        name.Equals(parameter, StringComparison.OrdinalIgnoreCase) ||
        name.IndexOfAny('%', '+') >= 0 && Uri.UnescapeDataString(name.ToString()).Trim('+', ' ').Equals(parameter, StringComparison.OrdinalIgnoreCase);
}
