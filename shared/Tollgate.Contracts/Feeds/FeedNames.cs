namespace Tollgate.Contracts.Feeds;

/// <summary>The feeds that the control plane offers at <c>GET /feeds/{name}</c>.</summary>
public static class FeedNames
{
    public const string Credentials = "credentials";
    public const string Entitlements = "entitlements";
    public const string Routes = "routes";
}
