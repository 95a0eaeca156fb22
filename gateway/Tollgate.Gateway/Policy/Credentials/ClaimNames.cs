namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// The long names that .NET gives to claims of a token by default. Files written for it name claims so, while ours keep the names that the token has.
/// </summary>
internal static class ClaimNames
{
    private const string Soap = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/";
    private const string Microsoft2008 = "http://schemas.microsoft.com/ws/2008/06/identity/claims/";
    private const string MicrosoftIdentity = "http://schemas.microsoft.com/identity/claims/";

    /// <summary>Every name under which a token may hold what a file calls <paramref name="name"/>.</summary>
    public static string[] Of(string name) => name switch
    {
        Microsoft2008 + "role" => [name, "role", "roles"],
        Soap + "nameidentifier" => [name, "sub", "nameid"],
        Soap + "name" => [name, "unique_name"],
        Soap + "emailaddress" => [name, "email"],
        Soap + "givenname" => [name, "given_name"],
        Soap + "surname" => [name, "family_name"],
        Soap + "upn" => [name, "upn"],
        MicrosoftIdentity + "tenantid" => [name, "tid"],
        MicrosoftIdentity + "objectidentifier" => [name, "oid"],
        MicrosoftIdentity + "scope" => [name, "scp"],
        _ => [name],
    };
}
