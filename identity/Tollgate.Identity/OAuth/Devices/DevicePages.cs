using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Devices;

/// <summary>Where a person types a device's code, sees what asks, and agrees or not. Nothing is agreed to by opening an address.</summary>
internal sealed class DevicePages(
    IdentityDb db, SessionBook sessions, TokenLimits limits, AuditLog audit, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    private const string NotThere = "There is no such code, or it is too old. Compare it with the device, or begin again there.";

    public static async Task<IResult> ShowAsync(HttpContext http, DevicePages pages, CancellationToken cancel) =>
        await pages.IsSignedInAsync(http, cancel) ? AccountPages.Show<DeviceCodePage>(http) : pages.SignIn(http);

    public static Task<IResult> EnterAsync(HttpContext http, DevicePages pages, CancellationToken cancel) => pages.EnterAsync(http, cancel);

    public static Task<IResult> DecideAsync(HttpContext http, DevicePages pages, CancellationToken cancel) => pages.DecideAsync(http, cancel);

    private async Task<bool> IsSignedInAsync(HttpContext http, CancellationToken cancel) => await sessions.FindAsync(http.User, cancel) is not null;

    private IResult SignIn(HttpContext http)
    {
        var code = UserCodes.Read(http.Field("user_code"));
        var back = options.Value.IssuerPath + OAuthPaths.Device + (code is null ? "" : "?user_code=" + UserCodes.Show(code));
        return AccountPages.SeeOther(http, $"{SessionCookie.SignInPath}?{SessionCookie.ReturnUrlParameter}={Uri.EscapeDataString(back)}");
    }

    private async Task<IResult> EnterAsync(HttpContext http, CancellationToken cancel)
    {
        if (await sessions.FindAsync(http.User, cancel) is not { } session) return SignIn(http);
        if (limits.DeviceCode(http.Connection.RemoteIpAddress, session.Id) is { } wait) return AccountPages.TooMany<DeviceCodePage>(http, wait);
        if (await FindAsync(http.Field("user_code"), cancel) is not { } request)
        {
            await audit.AddAsync(db, "device.code-refused", "unknown", result: "unknown-code");
            await db.SaveChangesAsync(cancel);
            return AccountPages.Show<DeviceCodePage>(http, new Dictionary<string, string> { ["user_code"] = NotThere }, status: StatusCodes.Status422UnprocessableEntity);
        }

        limits.DeviceCodeWasRight(session.Id);
        var name = await db.OAuthClients.Where(c => c.ClientId == request.ClientId).Select(c => c.Name).SingleAsync(cancel);
        return AccountPages.Show<DeviceConsentPage>(http, more:
        [
            (nameof(DeviceConsentPage.Client), name), (nameof(DeviceConsentPage.Scopes), request.Scopes), (nameof(DeviceConsentPage.Device), request.Device ?? "an unnamed device"),
            (nameof(DeviceConsentPage.Address), request.Address ?? "an unknown address"), (nameof(DeviceConsentPage.Code), UserCodes.Show(UserCodes.Read(http.Field("user_code"))!)),
        ]);
    }

    private async Task<IResult> DecideAsync(HttpContext http, CancellationToken cancel)
    {
        if (await sessions.FindAsync(http.User, cancel) is not { } session) return SignIn(http);
        if (limits.DeviceCode(http.Connection.RemoteIpAddress, session.Id) is { } wait) return AccountPages.TooMany<DeviceCodePage>(http, wait);
        if (await FindAsync(http.Field("user_code"), cancel) is not { } request)
            return AccountPages.Show<DeviceCodePage>(http, new Dictionary<string, string> { ["user_code"] = NotThere }, status: StatusCodes.Status422UnprocessableEntity);
        limits.DeviceCodeWasRight(session.Id);
        var isAllowed = http.Field("decision") == "allow";
        if (isAllowed) await AllowAsync(request, session, cancel);
        else await RefuseAsync(request, session, cancel);
        return AccountPages.SeeOther(http, options.Value.IssuerPath + OAuthPaths.DeviceDone + (isAllowed ? "" : "?no=1"));
    }

    public static IResult Done(HttpContext http) => http.Field("no") == "1"
        ? AccountPages.Message(StatusCodes.Status200OK, "Access refused", "The device does not get in. If you did not begin this yourself, nothing more is to be done.")
        : AccountPages.Message(StatusCodes.Status200OK, "The device is connected", "Go back to it: it goes on by itself within a few seconds. You may close this page.");

    /// <summary>A request that waits for its decision.</summary>
    private async Task<DeviceRequest?> FindAsync(string typed, CancellationToken cancel)
    {
        if (UserCodes.Read(typed) is not { } code) return null;
        var (digest, now) = (Secrets.Sha256(code), time.GetUtcNow());
        return await db.DeviceRequests.AsNoTracking()
            .SingleOrDefaultAsync(r => r.UserCodeSha256 == digest && r.Expires > now && r.Family == null && r.RefusedAt == null, cancel);
    }

    /// <summary>The device has a session of its own: signing out of the browser does not end it, and it can be ended by itself.</summary>
    private async Task AllowAsync(DeviceRequest request, Session approving, CancellationToken cancel)
    {
        if (await ClientAuthentication.FindAsync(db, request.ClientId, cancel) is not { } client) return;
        var now = time.GetUtcNow();
        var session = new Session
        {
            Id = Guid.NewGuid(), Account = approving.Account, Opened = approving.Opened, LastSeen = now, Methods = approving.Methods, Client = request.ClientId, Address = request.Address,
            Agent = $"{client.Client.Name}: {request.Device}",
        };
        var family = await TokenFamily.OfAsync(db, client.Client, session, request.Scopes, request.Resources, now, cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var given = (Guid?)family.Id;
        if (await Undecided(request).ExecuteUpdateAsync(r => r.SetProperty(x => x.Family, given), cancel) != 1) return;
        db.Add(session);
        db.Add(family);
        await audit.AddAsync(db, "device.allowed", request.ClientId, actor: approving.Account);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    private async Task RefuseAsync(DeviceRequest request, Session session, CancellationToken cancel)
    {
        var now = (DateTimeOffset?)time.GetUtcNow();
        await Undecided(request).ExecuteUpdateAsync(r => r.SetProperty(x => x.RefusedAt, now), cancel);
        await audit.AddAsync(db, "device.refused", request.ClientId, actor: session.Account);
        await db.SaveChangesAsync(cancel);
    }

    private IQueryable<DeviceRequest> Undecided(DeviceRequest request) => db.DeviceRequests.Where(r => r.Sha256 == request.Sha256 && r.Family == null && r.RefusedAt == null);
}
