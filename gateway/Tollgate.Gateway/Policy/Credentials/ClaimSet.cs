namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>What a token says, claim by claim in its order; a list is one claim for each of its values.</summary>
internal readonly struct ClaimSet(KeyValuePair<string, string>[]? claims)
{
    private readonly KeyValuePair<string, string>[]? _claims = claims;

    public ReadOnlySpan<KeyValuePair<string, string>> All => _claims;

    /// <summary>Whether one of the claims of this name has the value. Both compare exactly.</summary>
    public bool Has(string name, ReadOnlySpan<char> value)
    {
        foreach (var claim in All)
            if (claim.Key == name && value.SequenceEqual(claim.Value))
                return true;
        return false;
    }
}
