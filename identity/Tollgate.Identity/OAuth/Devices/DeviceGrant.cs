using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Devices;

/// <summary>Answers a device that asks whether its person has agreed by now (RFC 8628 §3.4, §3.5).</summary>
internal sealed class DeviceGrant(IdentityDb db, TokenFamilies families, TimeProvider time)
{
    private const int SlowDownSeconds = 5;
    private static readonly OAuthRefusal Unknown = OAuthRefusal.InvalidGrant("The device code is unknown, used, or not this client's.");

    public async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> RedeemAsync(KnownClient client, Parameters form, string? dpopKey, CancellationToken cancel)
    {
        if (form["device_code"] is not { } handle) return (null, OAuthRefusal.InvalidRequest("device_code is missing."));
        var digest = Secrets.Sha256(handle);
        var request = await db.DeviceRequests.AsNoTracking().SingleOrDefaultAsync(r => r.Sha256 == digest, cancel);
        if (request is null || request.ClientId != client.Client.ClientId || request.ConsumedAt is not null) return (null, Unknown);

        var now = time.GetUtcNow();
        if (request.Expires <= now) return (null, new OAuthRefusal("expired_token", "The device code is too old. Begin again."));
        if (request.RefusedAt is not null) return (null, new OAuthRefusal("access_denied", "The person said no."));
        if (request.Family is not { } family) return (null, await PendingAsync(request, now, cancel));

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var used = (DateTimeOffset?)now;
        if (await db.DeviceRequests.Where(r => r.Sha256 == digest && r.ConsumedAt == null).ExecuteUpdateAsync(r => r.SetProperty(x => x.ConsumedAt, used), cancel) != 1)
            return (null, Unknown);
        var given = await db.TokenFamilies.AsNoTracking().SingleAsync(f => f.Id == family, cancel);
        var answer = await families.BeginAsync(client, given, Grants.DeviceCode, form.Resources, dpopKey, cancel);
        await transaction.CommitAsync(cancel);
        return answer;
    }

    private async Task<OAuthRefusal> PendingAsync(DeviceRequest request, DateTimeOffset now, CancellationToken cancel)
    {
        var isTooSoon = request.Polled is { } last && now - last < TimeSpan.FromSeconds(request.IntervalSeconds) - TimeSpan.FromMilliseconds(250);
        var (polled, more) = ((DateTimeOffset?)now, isTooSoon ? SlowDownSeconds : 0);
        await db.DeviceRequests.Where(r => r.Sha256 == request.Sha256)
            .ExecuteUpdateAsync(r => r.SetProperty(x => x.Polled, polled).SetProperty(x => x.IntervalSeconds, x => x.IntervalSeconds + more), cancel);
        return isTooSoon
            ? new OAuthRefusal("slow_down", "Ask less often: 5 seconds more between two times.")
            : new OAuthRefusal("authorization_pending", "The person has not decided yet.");
    }
}
