using Tollgate.Contracts;
using Tollgate.Contracts.Usage;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>Everything about a metered call that does not change from one to the next.</summary>
internal readonly record struct JournalAccount(
    SubscriptionId Subscription,
    AppId Application,
    string ApplicationName,
    string Credential,
    string Product,
    string Route,
    string Meter)
{
    public UsageOwner Owner => new(Subscription, Meter == Meters.Test);

    /// <summary>Hashes the parts that differ in practice: the common path looks an account up for every call.</summary>
    internal sealed class Comparer : IEqualityComparer<JournalAccount>
    {
        public static readonly Comparer Instance = new();

        public bool Equals(JournalAccount x, JournalAccount y) => x == y;

        public int GetHashCode(JournalAccount account) =>
            HashCode.Combine(account.Subscription.Value, account.Credential.GetHashCode(), account.Route.GetHashCode());
    }
}
