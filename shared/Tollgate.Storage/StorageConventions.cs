using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Tollgate.Contracts;

namespace Tollgate.Storage;

/// <summary>How our values look in a column, the same for every table: call from <c>ConfigureConventions</c>.</summary>
public static class StorageConventions
{
    /// <param name="isSqlite">SQLite has no moments of time: there they are UTC ticks, which sort and compare.</param>
    public static void UseTollgateTypes(this ModelConfigurationBuilder model, bool isSqlite)
    {
        model.UseId<OrganisationId>();
        model.UseId<AppId>();
        model.UseId<ApiKeyId>();
        model.UseId<PlanVersionId>();
        model.UseId<SubscriptionId>();
        if (isSqlite) model.Properties<DateTimeOffset>().HaveConversion<UtcTicks>();
        else model.Properties<DateTimeOffset>().HaveConversion<Utc>();
        model.Properties<decimal>().HavePrecision(28, 12);
    }

    /// <summary>Stores an identifier of the module's own as its GUID.</summary>
    public static void UseId<TId>(this ModelConfigurationBuilder model) where TId : struct, IGuidId<TId> =>
        model.Properties<TId>().HaveConversion<IdConverter<TId>>();

    private sealed class IdConverter<TId>() : ValueConverter<TId, Guid>(id => id.Value, value => From<TId>(value)) where TId : struct, IGuidId<TId>;

    // An expression tree cannot name a static abstract member itself.
    private static TId From<TId>(Guid value) where TId : struct, IGuidId<TId> => TId.From(value);

    private sealed class UtcTicks() : ValueConverter<DateTimeOffset, long>(at => at.UtcTicks, ticks => new DateTimeOffset(ticks, TimeSpan.Zero));

    private sealed class Utc() : ValueConverter<DateTimeOffset, DateTimeOffset>(at => at.ToUniversalTime(), at => at);
}
