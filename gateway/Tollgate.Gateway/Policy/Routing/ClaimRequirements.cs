using Tollgate.Gateway.Policy.Credentials;

namespace Tollgate.Gateway.Policy.Routing;

/// <summary>
/// A compiled <c>RouteClaimsRequirement</c>: claims that a token must have, each with one of the values written. <c>{name}</c> stands for what the call
/// has at that placeholder; one that no template has is never met.
/// </summary>
internal sealed class ClaimRequirements
{
    private readonly (string[] Names, string[] Values, int[] Placeholders)[] _claims;

    /// <param name="placeholders">Names of the route's placeholders, those of the path first.</param>
    public ClaimRequirements(IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> claims, string[] placeholders) =>
        _claims = [.. claims.Select(claim => (
            ClaimNames.Of(claim.Key),
            claim.Value.Where(value => PlaceholderOf(value) is null).ToArray(),
            claim.Value.Select(PlaceholderOf).OfType<string>().Select(name => Array.IndexOf(placeholders, name)).Where(index => index >= 0).ToArray()))];

    /// <summary>The name in <c>{name}</c>, null = plain text.</summary>
    public static string? PlaceholderOf(string value) =>
        value is ['{', _, .., '}'] && value.IndexOf('}') == value.Length - 1 ? value[1..^1] : null;

    public bool AreMet(in ClaimSet held, in CallFacts call, in Admission admission)
    {
        foreach (var (names, values, placeholders) in _claims)
        {
            var met = false;
            foreach (var name in names)
            {
                foreach (var value in values) met |= held.Has(name, value);
                foreach (var placeholder in placeholders) met |= held.Has(name, Uri.UnescapeDataString(admission.ValueOf(placeholder, in call)));
                if (met) break;
            }

            if (!met) return false;
        }

        return true;
    }
}
