using System.Diagnostics;
using Tollgate.Contracts;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Audit;

/// <summary>Adds audit events to the unit of work that they tell of, so that neither is kept without the other.</summary>
internal sealed class AuditLog(Caller caller, TimeProvider time)
{
    public const string Ok = "ok";

    /// <summary>An event that the product itself caused.</summary>
    public static AuditEvent OfTheProduct(string action, string target, DateTimeOffset now) =>
        new() { Id = Guid.CreateVersion7(now), At = now, ActorType = AuditActor.Product, Action = action, Target = target, Result = Ok };

    /// <summary>An event that a program caused which is no person's and no management token's.</summary>
    public static AuditEvent OfAClient(Caller caller, string action, string target, OrganisationId? organisation, string result, DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7(now), At = now, ActorType = AuditActor.Client, Organisation = organisation, Action = action, Target = target, Address = caller.Address,
        Agent = caller.Agent, Result = result, Correlation = Activity.Current?.TraceId.ToString(),
    };

    /// <param name="actor">Who acts, where the caller is not signed in yet.</param>
    public async Task AddAsync(IdentityDb db, string action, string target, OrganisationId? organisation = null, string result = Ok, Guid? actor = null)
    {
        var now = time.GetUtcNow();
        var (who, kind) = actor is null ? await caller.WhoAsync() : (actor, AuditActor.Person);
        db.Add(new AuditEvent
        {
            Id = Guid.CreateVersion7(now),
            At = now,
            Actor = who,
            ActorType = kind,
            Organisation = organisation,
            Action = action,
            Target = target,
            Address = caller.Address,
            Agent = caller.Agent,
            Result = result,
            Correlation = Activity.Current?.TraceId.ToString(),
        });
    }
}
